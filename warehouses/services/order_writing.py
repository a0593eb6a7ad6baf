"""An order as it is written: head, lines, reservations and the levels they hold, in one statement.

Everything is decided before it; between the locks on the levels and the end of the transaction nothing else is asked
of the database, which is what lets many orders of one SKU follow one another fast. A twin with the same number waits at
the number's unique index while it holds levels; whoever wrote the number first asks for no more levels, but for a
channel's events that ship at once: the database sees that, and the victim is tried again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from catalog.models import Channel, Sku
from warehouses.models import SalesOrder, SalesOrderLine, Warehouse
from warehouses.services.posting import LEVELLED, TOLD, armed
from warehouses.services.sale_checks import Sale
from warehouses.services.sale_facts import ChannelFacts, SkuFacts
from warehouses.services.sourcing import SourcedLine

_NOTHING = Decimal(0)
_Status = SalesOrder.Status

LineRow = tuple[int, SkuFacts, int, int | None, bool, Decimal | None, Decimal, Decimal, Decimal]
"""line number, SKU, warehouse, the kit's line number, is it a kit, units in one kit, quantity, unit price, reserved"""


def write_order(
    sale: Sale,
    channel: ChannelFacts,
    sourced: Sequence[SourcedLine],
    why: Mapping[str, Any],
    *,
    codes: Mapping[int, str],
    now: datetime,
) -> SalesOrder | None:
    """The order with its lines as `written_lines`; None, and nothing written, when its number was recorded meanwhile.

    The caller holds the levels. The parts of kits follow after the lines the channel sent. `codes`: of the warehouses.
    """
    rows, taken = _rows(sourced)
    is_covered = not any(line.short_by for line in sourced)
    status = (_Status.RESERVED if is_covered else _Status.BACKORDERED).value
    ordered_at = sale.ordered_at or now
    deltas: dict[int, Decimal] = {}
    for _number, level_id, units in taken:
        deltas[level_id] = deltas.get(level_id, _NOTHING) + units
    told = {row[1].pk for row in rows if row[8] and not row[4]}
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "channel": channel.pk,
                "number": sale.external_id,
                "status": status,
                "customer": sale.customer_reference,
                "country": sale.ship_to_country,
                "latitude": sale.ship_to_latitude,
                "longitude": sale.ship_to_longitude,
                "sourcing": json.dumps(why),
                "currency": channel.currency,
                "ordered_at": ordered_at,
                **_columns(_LINE, [(row[0], row[1].pk, *row[2:]) for row in rows]),
                **_columns(("held_line", "held_level", "held_units"), taken),
                "level": list(deltas),
                "on_hand": [0] * len(deltas),
                "reserved": list(deltas.values()),
                "told": list(told),
            },
        )
        written = cursor.fetchall()
    if not written:
        return None
    order = SalesOrder(
        id=written[0][0],
        channel=Channel.from_db("default", ("id", "code", "currency"), (channel.pk, channel.code, channel.currency)),
        external_id=sale.external_id,
        status=status,
        customer_reference=sale.customer_reference,
        ship_to_country=sale.ship_to_country,
        ship_to_latitude=sale.ship_to_latitude,
        ship_to_longitude=sale.ship_to_longitude,
        sourcing=why,
        currency=channel.currency,
        ordered_at=ordered_at,
        recorded_at=written[0][1],
    )
    order._state.adding, order._state.db = False, "default"
    ids = {number: pk for _order, _at, number, pk in written}
    order.written_lines = _lines(order, rows, ids, codes)  # type: ignore[attr-defined]
    return order


def _rows(sourced: Sequence[SourcedLine]) -> tuple[list[LineRow], list[tuple[int, int, Decimal]]]:
    """The rows of the lines, and (line number, level id, units) of what is held for them."""
    rows: list[LineRow] = []
    parts: list[LineRow] = []
    held: list[tuple[int, int, Decimal]] = []
    next_number = len(sourced) + 1
    for one in sourced:
        line = one.line
        is_kit = bool(line.parts)
        rows.append(
            (
                line.number,
                line.sku,
                one.warehouse_id,
                None,
                is_kit,
                None,
                line.quantity,
                line.unit_price,
                one.served,
            )
        )
        if not is_kit:
            held += [(line.number, level_id, units) for level_id, units in one.taken[0].items()]
            continue
        for taken, (part, each) in zip(one.taken, line.parts, strict=True):
            quantity, served = line.quantity * each, one.served * each
            parts.append((next_number, part, one.warehouse_id, line.number, False, each, quantity, _NOTHING, served))
            held += [(next_number, level_id, units) for level_id, units in taken.items()]
            next_number += 1
    return rows + parts, held


def _lines(
    order: SalesOrder, rows: Sequence[LineRow], ids: Mapping[int, int], codes: Mapping[int, str]
) -> list[SalesOrderLine]:
    skus = {
        row[1].pk: Sku.from_db(
            "default", ("id", "code", "is_kit", "unit"), (row[1].pk, row[1].code, row[1].is_kit, row[1].unit)
        )
        for row in rows
    }
    places = {row[2]: Warehouse.from_db("default", ("id", "code"), (row[2], codes[row[2]])) for row in rows}
    lines = []
    for number, sku, warehouse_id, kit_number, is_kit, each, quantity, unit_price, reserved in rows:
        line = SalesOrderLine(
            id=ids[number],
            order=order,
            line_number=number,
            sku=skus[sku.pk],
            warehouse=places[warehouse_id],
            kit_line_id=ids[kit_number] if kit_number else None,
            is_kit=is_kit,
            units_per_kit=each,
            quantity=quantity,
            unit_price=unit_price,
            reserved_quantity=reserved,
        )
        line._state.adding, line._state.db = False, "default"
        lines.append(line)
    return lines


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return dict(zip(names, map(list, columns), strict=True))


_LINE = ("line", "sku", "warehouse", "kit", "is_kit", "each", "quantity", "unit_price", "line_reserved")

# A number that is there already writes nothing: every part reads from `placed`, which then is empty.
_WRITE = f"""
WITH placed AS (
    INSERT INTO warehouses_salesorder (channel_id, external_id, status, is_history, customer_reference, ship_to_country,
        ship_to_latitude, ship_to_longitude, sourcing, currency, ordered_at, recorded_at)
    VALUES (%(channel)s, %(number)s, %(status)s, false, %(customer)s, %(country)s, %(latitude)s, %(longitude)s,
        %(sourcing)s::jsonb, %(currency)s, %(ordered_at)s, now())
    ON CONFLICT (channel_id, external_id) DO NOTHING
    RETURNING id, recorded_at
), numbered AS MATERIALIZED (
    SELECT nextval('warehouses_salesorderline_id_seq') AS id, placed.id AS order_id, given.*
    FROM placed, unnest(%(line)s::int[], %(sku)s::bigint[], %(warehouse)s::bigint[], %(kit)s::int[],
        %(is_kit)s::boolean[], %(each)s::numeric[], %(quantity)s::numeric[], %(unit_price)s::numeric[],
        %(line_reserved)s::numeric[])
        AS given(line_number, sku_id, warehouse_id, kit_number, is_kit, units_per_kit, quantity, unit_price, reserved)
), lined AS (
    INSERT INTO warehouses_salesorderline (id, order_id, line_number, sku_id, warehouse_id, kit_line_id, is_kit,
        units_per_kit, quantity, unit_price, reserved_quantity, picked_quantity, shipped_quantity, cancelled_quantity,
        returned_quantity)
    SELECT line.id, line.order_id, line.line_number, line.sku_id, line.warehouse_id, kit.id, line.is_kit,
        line.units_per_kit, line.quantity, line.unit_price, line.reserved, 0, 0, 0, 0
    FROM numbered line LEFT JOIN numbered kit ON kit.line_number = line.kit_number
), held AS (
    INSERT INTO warehouses_reservation (line_id, level_id, quantity)
    SELECT line.id, taken.level_id, taken.quantity
    FROM unnest(%(held_line)s::int[], %(held_level)s::bigint[], %(held_units)s::numeric[])
        AS taken(line_number, level_id, quantity)
    JOIN numbered line ON line.line_number = taken.line_number
), {armed("placed")}, {LEVELLED}, {TOLD}
SELECT placed.id, placed.recorded_at, line.line_number, line.id FROM placed, numbered line
"""  # noqa: S608 (no values in it, only the text above)
