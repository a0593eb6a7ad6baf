"""The proof that figures which must agree do: levels and ledger, reservations and lines, worth and layers.

Each check is one statement, so it sees one moment of the database: a posting in between gives no false drift. A posting
writes all sides in one transaction, so at every moment the two sides of a figure are equal, or something is wrong.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from config.kernel.fields import plain
from warehouses.models import StockDrift

Row = dict[str, Any]
_Kind = StockDrift.Kind

FOLLOW_LEDGER, FOLLOW_LEVEL = "follow_ledger", "follow_level"
FOLLOW_RESERVATIONS, RELEASE_CART = "follow_reservations", "release_cart"
FOLLOW_LAYERS, FOLLOW_VALUE = "follow_layers", "follow_value"

CHECKED_KINDS: frozenset[str] = frozenset(
    str(kind) for kind in (_Kind.LEVEL, _Kind.RESERVED, _Kind.LINE, _Kind.VALUE, _Kind.LEDGER_VALUE)
)
"""What `find_drifts` compares; balance sheets are audited by themselves."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Two figures that differ. `facts["figures"]` are the numbers as found; `ways`: how a person may repair it.

    `subject` names the same drift by the same words as long as it lasts.
    """

    kind: str
    subject: str
    facts: Mapping[str, Any]
    ways: tuple[str, ...] = ()
    sku_id: int | None = None

    @property
    def figures(self) -> Mapping[str, str]:
        return self.facts["figures"]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Scope:
    """What was compared: these kinds, of these SKUs (None: of everything)."""

    kinds: frozenset[str] = CHECKED_KINDS
    sku_ids: frozenset[int] | None = None

    def holds(self, drift: StockDrift) -> bool:
        return drift.kind in self.kinds and (self.sku_ids is None or drift.facts.get("sku_id") in self.sku_ids)


def find_drifts(sku_ids: Collection[int] | None = None) -> list[Drift]:
    """Every drift of these SKUs (of all when none are named); an empty list when all is well."""
    return [drift for check in CHECKS for drift in check(sku_ids)]


def level_drifts(sku_ids: Collection[int] | None = None) -> list[Drift]:
    """On hand against Σ ledger, reserved against Σ reservations: for each SKU × location × lot × status."""
    found = []
    for row in _rows(_LEVELS, sku_ids):
        subject = f"level:{row['sku_id']}:{row['location_id']}:{row['lot_id'] or 0}:{row['status']}"
        place = _facts(row, "sku", "location", "lot", "status", "sku_id", "location_id", "lot_id", "warehouse_id")
        if row["on_hand"] != row["ledger_quantity"]:
            ways = (FOLLOW_LEDGER, FOLLOW_LEVEL) if row["ledger_quantity"] >= 0 else ()
            figures = _figures(row, "on_hand", "ledger_quantity")
            found.append(Drift(_Kind.LEVEL, subject, {**place, "figures": figures}, ways, row["sku_id"]))
        if row["reserved"] != row["reservation_quantity"]:
            figures = _figures(row, "reserved", "reservation_quantity")
            facts = {**place, "figures": figures}
            found.append(Drift(_Kind.RESERVED, subject, facts, (FOLLOW_RESERVATIONS,), row["sku_id"]))
    return found


def line_drifts(sku_ids: Collection[int] | None = None) -> list[Drift]:
    """What lines of orders, transfers and carts say is held for them, against their reservations."""
    found = []
    for name, query, way in (
        ("order_line", _ORDER_LINES, FOLLOW_RESERVATIONS),
        ("transfer_line", _TRANSFER_LINES, FOLLOW_RESERVATIONS),
        ("cart_line", _CART_LINES, RELEASE_CART),
    ):
        for row in _rows(query, sku_ids):
            subject = f"{name}:{row['line_id']}" + (f":{row['sku_id']}" if name == "cart_line" else "")
            facts = _facts(row, "sku", "sku_id", "document", "document_id", "line_number", "line_id")
            figures = _figures(row, "reserved", "reservation_quantity")
            found.append(Drift(_Kind.LINE, subject, {**facts, "figures": figures}, (way,), row["sku_id"]))
    return found


def value_drifts(sku_ids: Collection[int] | None = None) -> list[Drift]:
    """The value pool of a SKU × warehouse against its levels, its open layers and its movements' values."""
    found = []
    for row in _rows(_POOLS, sku_ids):
        subject = f"pool:{row['sku_id']}:{row['warehouse_id']}"
        place = _facts(row, "sku", "warehouse", "sku_id", "warehouse_id")
        if not (
            row["quantity"] == row["level_quantity"] == row["layer_quantity"] and row["value"] == row["layer_value"]
        ):
            names = ("quantity", "level_quantity", "layer_quantity", "value", "layer_value")
            facts = {**place, "figures": _figures(row, *names)}
            found.append(Drift(_Kind.VALUE, subject, facts, (FOLLOW_LAYERS,), row["sku_id"]))
        if row["value"] != row["ledger_value"]:
            facts = {**place, "figures": _figures(row, "value", "ledger_value")}
            found.append(Drift(_Kind.LEDGER_VALUE, subject, facts, (FOLLOW_VALUE,), row["sku_id"]))
    return found


CHECKS: tuple[Callable[[Collection[int] | None], list[Drift]], ...] = (level_drifts, line_drifts, value_drifts)


def drifting_levels() -> list[Row]:
    """Every level that differs from the sum of its movements or of its reservations; an empty list when all is well.

    Ids and names of SKU, location and lot; on_hand and ledger_quantity; reserved and reservation_quantity.
    """
    return _rows(_LEVELS, None)


def drifting_lines() -> list[Row]:
    """Every order line whose reserved quantity differs from the sum of its reservations."""
    return _rows(_ORDER_LINES, None)


def touched_skus(since: Any) -> list[int]:
    """SKUs with a level or a movement written since that moment (by the clock of the transaction's start)."""
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, {"since": since})
        return [pk for (pk,) in cursor.fetchall()]


def skus_of_slots(slots: Iterable[int], count: int) -> list[int]:
    """The SKUs whose turn it is: the remainder of their id by `count` is one of the slots."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM catalog_sku WHERE mod(id, %s) = ANY(%s::bigint[]) ORDER BY id", [count, list(slots)]
        )
        return [pk for (pk,) in cursor.fetchall()]


def _facts(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names if row[name] not in (None, "")}


def _figures(row: Row, *names: str) -> dict[str, str]:
    return {name: plain(Decimal(row[name])) for name in names}


def _rows(query: str, sku_ids: Collection[int] | None) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"skus": None if sku_ids is None else list(sku_ids)})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _of(column: str) -> str:
    """The condition that a row belongs to the SKUs asked for; folded away by the database where all are."""
    return f"(%(skus)s::bigint[] IS NULL OR {column} = ANY(%(skus)s::bigint[]))"


_LEVELS = f"""
WITH ledger AS (
    SELECT sku_id, location_id, lot_id, status, sum(quantity) AS quantity
    FROM warehouses_stockmovement WHERE {_of("sku_id")} GROUP BY sku_id, location_id, lot_id, status
), held AS (
    SELECT reservation.level_id, sum(reservation.quantity) AS quantity
    FROM warehouses_reservation reservation
    JOIN warehouses_stocklevel level ON level.id = reservation.level_id
    WHERE {_of("level.sku_id")} GROUP BY level_id
), compared AS (
    SELECT level.id AS level_id, coalesce(level.sku_id, ledger.sku_id) AS sku_id,
           coalesce(level.location_id, ledger.location_id) AS location_id,
           coalesce(level.lot_id, ledger.lot_id) AS lot_id,
           coalesce(level.status, ledger.status) AS status,
           coalesce(level.on_hand, 0) AS on_hand, coalesce(ledger.quantity, 0) AS ledger_quantity,
           coalesce(level.reserved, 0) AS reserved, coalesce(held.quantity, 0) AS reservation_quantity
    FROM (SELECT * FROM warehouses_stocklevel WHERE {_of("sku_id")}) level
    FULL JOIN ledger ON ledger.sku_id = level.sku_id AND ledger.location_id = level.location_id
         AND coalesce(ledger.lot_id, 0) = coalesce(level.lot_id, 0) AND ledger.status = level.status
    LEFT JOIN held ON held.level_id = level.id
)
SELECT compared.*, sku.code AS sku, warehouse.code || '/' || location.code AS location, coalesce(lot.code, '') AS lot,
       warehouse.id AS warehouse_id
FROM compared
JOIN catalog_sku sku ON sku.id = compared.sku_id
JOIN warehouses_location location ON location.id = compared.location_id
JOIN warehouses_warehouse warehouse ON warehouse.id = location.warehouse_id
LEFT JOIN warehouses_lot lot ON lot.id = compared.lot_id
WHERE on_hand <> ledger_quantity OR reserved <> reservation_quantity
ORDER BY compared.sku_id, compared.location_id, compared.lot_id, compared.status
"""  # noqa: S608 (no values in it, only the text above)

# A kit's line holds nothing itself: its parts' lines do.
_ORDER_LINES = f"""
SELECT line.id AS line_id, line.order_id, line.order_id AS document_id, sales_order.external_id AS document,
       line.line_number, line.sku_id, sku.code AS sku,
       CASE WHEN line.is_kit THEN 0 ELSE line.reserved_quantity END AS reserved,
       coalesce(held.quantity, 0) AS reservation_quantity
FROM warehouses_salesorderline line
JOIN catalog_sku sku ON sku.id = line.sku_id
JOIN warehouses_salesorder sales_order ON sales_order.id = line.order_id
LEFT JOIN (SELECT line_id, sum(quantity) AS quantity FROM warehouses_reservation WHERE line_id IS NOT NULL
           GROUP BY line_id) held ON held.line_id = line.id
WHERE CASE WHEN line.is_kit THEN 0 ELSE line.reserved_quantity END <> coalesce(held.quantity, 0)
  AND {_of("line.sku_id")}
ORDER BY line.id
"""  # noqa: S608

_TRANSFER_LINES = f"""
SELECT line.id AS line_id, line.transfer_id AS document_id, transfer.number AS document, line.line_number,
       line.sku_id, sku.code AS sku, line.reserved_quantity AS reserved,
       coalesce(held.quantity, 0) AS reservation_quantity
FROM warehouses_transferline line
JOIN catalog_sku sku ON sku.id = line.sku_id
JOIN warehouses_transfer transfer ON transfer.id = line.transfer_id
LEFT JOIN (SELECT transfer_line_id, sum(quantity) AS quantity FROM warehouses_reservation
           WHERE transfer_line_id IS NOT NULL GROUP BY transfer_line_id) held ON held.transfer_line_id = line.id
WHERE line.reserved_quantity <> coalesce(held.quantity, 0) AND {_of("line.sku_id")}
ORDER BY line.id
"""  # noqa: S608

# A cart that is held holds all that is in it (a kit: its parts); any other cart holds nothing.
_CART_LINES = f"""
WITH wanted AS (
    SELECT line.id AS line_id, part.sku_id, sum(line.quantity * part.units) AS quantity
    FROM warehouses_cart cart
    JOIN warehouses_cartline line ON line.cart_id = cart.id
    CROSS JOIN LATERAL (
        SELECT line.sku_id, 1::numeric AS units WHERE line.parts = '{{}}'::jsonb
        UNION ALL SELECT key::bigint, value::numeric FROM jsonb_each_text(line.parts)
    ) part
    WHERE cart.state = 'held' AND {_of("part.sku_id")} GROUP BY line.id, part.sku_id
), held AS (
    SELECT reservation.cart_line_id AS line_id, level.sku_id, sum(reservation.quantity) AS quantity
    FROM warehouses_reservation reservation
    JOIN warehouses_stocklevel level ON level.id = reservation.level_id
    WHERE reservation.cart_line_id IS NOT NULL AND {_of("level.sku_id")} GROUP BY 1, 2
)
SELECT line_id, cart.id AS document_id, cart.external_id AS document, line.line_number, compared.sku_id,
       sku.code AS sku, compared.wanted AS reserved, compared.held AS reservation_quantity
FROM (SELECT line_id, sku_id, coalesce(wanted.quantity, 0) AS wanted, coalesce(held.quantity, 0) AS held
      FROM wanted FULL JOIN held USING (line_id, sku_id)) compared
JOIN warehouses_cartline line ON line.id = line_id
JOIN warehouses_cart cart ON cart.id = line.cart_id
JOIN catalog_sku sku ON sku.id = compared.sku_id
WHERE compared.wanted <> compared.held
ORDER BY line_id, compared.sku_id
"""  # noqa: S608

_POOLS = f"""
WITH levelled AS (
    SELECT level.sku_id, location.warehouse_id, sum(level.on_hand) AS quantity
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE {_of("level.sku_id")} GROUP BY 1, 2
), layered AS (
    SELECT sku_id, warehouse_id, sum(remaining) AS quantity, sum(value) AS value
    FROM warehouses_costlayer WHERE remaining > 0 AND {_of("sku_id")} GROUP BY 1, 2
), moved AS (
    SELECT movement.sku_id, location.warehouse_id, sum(movement.value) AS value
    FROM warehouses_stockmovement movement JOIN warehouses_location location ON location.id = movement.location_id
    WHERE {_of("movement.sku_id")} GROUP BY 1, 2
), compared AS (
    SELECT sku_id, warehouse_id, coalesce(pool.quantity, 0) AS quantity, coalesce(pool.value, 0) AS value,
           coalesce(levelled.quantity, 0) AS level_quantity, coalesce(layered.quantity, 0) AS layer_quantity,
           coalesce(layered.value, 0) AS layer_value, coalesce(moved.value, 0) AS ledger_value
    FROM (SELECT * FROM warehouses_stockvalue WHERE {_of("sku_id")}) pool
    FULL JOIN levelled USING (sku_id, warehouse_id)
    FULL JOIN layered USING (sku_id, warehouse_id)
    FULL JOIN moved USING (sku_id, warehouse_id)
)
SELECT compared.*, sku.code AS sku, warehouse.code AS warehouse
FROM compared
JOIN catalog_sku sku ON sku.id = compared.sku_id
JOIN warehouses_warehouse warehouse ON warehouse.id = compared.warehouse_id
WHERE quantity <> level_quantity OR quantity <> layer_quantity OR value <> layer_value OR value <> ledger_value
ORDER BY compared.sku_id, compared.warehouse_id
"""  # noqa: S608

# A movement is written with its level, so the levels' index is enough; the ledger is asked for rows that have none.
_TOUCHED = """
SELECT sku_id FROM warehouses_stocklevel WHERE updated_at >= %(since)s
UNION
SELECT sku_id FROM warehouses_stockmovement WHERE recorded_at >= %(since)s
"""
