"""What a posting writes, in one statement: movements, levels, value pools, layers, and the word that stock changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from warehouses.engine.layers import Layer, Pool
from warehouses.models.stock import WRITER

PoolKey = tuple[int, int]
"""(sku id, warehouse id)"""

MovementRow = tuple[str, int, int, int | None, str, Decimal, Decimal | None, Decimal, str, str, str]
"""kind, sku, location, lot, status, quantity, unit cost, value, reference, reason, idempotency key"""


def armed(after: str = "") -> str:
    """The part of a statement by which the writer names itself to the database's guards (see warehouses.models.stock).

    Every part that writes stock reads from it, so that none of them starts before; `after` is a part that must have
    run before it. `pgtrigger.ignore` is given a value because every guarded row of a session without one costs an
    exception inside the trigger's function.
    """
    source = f" FROM {after}" if after else ""
    return (
        "armed AS MATERIALIZED (SELECT set_config('pgtrigger.ignore', '{}', true) AS none, "
        f"set_config('{WRITER}', 'on', true) AS writer{source})"
    )


LEVELLED = """levelled AS (
    UPDATE warehouses_stocklevel level
    SET on_hand = level.on_hand + change.on_hand, reserved = level.reserved + change.reserved,
        filled_at = CASE WHEN level.on_hand = 0 AND change.on_hand > 0 THEN now() ELSE level.filled_at END,
        updated_at = now()
    FROM armed, unnest(%(level)s::bigint[], %(on_hand)s::numeric[], %(reserved)s::numeric[])
         AS change(id, on_hand, reserved)
    WHERE level.id = change.id
)"""

TOLD = """told AS (
    INSERT INTO warehouses_availabilitychange (sku_id) SELECT DISTINCT unnest(%(told)s::bigint[])
)"""

_POST = f"""
WITH {armed()}, moved AS (
    INSERT INTO warehouses_stockmovement
        (kind, sku_id, location_id, lot_id, status, quantity, unit_cost, value, reference, reason, idempotency_key,
         actor_id, happened_at, recorded_at)
    SELECT move.*, %(actor)s::bigint, %(happened_at)s::timestamptz, now()
    FROM armed,
         unnest(%(kind)s::text[], %(sku)s::bigint[], %(location)s::bigint[], %(lot)s::bigint[], %(status)s::text[],
                %(quantity)s::numeric[], %(unit_cost)s::numeric[], %(value)s::numeric[], %(reference)s::text[],
                %(reason)s::text[], %(key)s::text[]) AS move
    RETURNING id, idempotency_key, recorded_at
), {LEVELLED}, pooled AS (
    UPDATE warehouses_stockvalue pool SET quantity = change.quantity, value = change.value
    FROM armed, unnest(%(pool)s::bigint[], %(pool_quantity)s::numeric[], %(pool_value)s::numeric[])
         AS change(id, quantity, value)
    WHERE pool.id = change.id
), changed AS (
    UPDATE warehouses_costlayer layer
    SET quantity = change.quantity, remaining = change.remaining, value = change.value
    FROM armed, unnest(%(layer)s::bigint[], %(layer_quantity)s::numeric[], %(layer_remaining)s::numeric[],
                       %(layer_value)s::numeric[]) AS change(id, quantity, remaining, value)
    WHERE layer.id = change.id
), made AS (
    INSERT INTO warehouses_costlayer (sku_id, warehouse_id, movement_id, received_at, quantity, remaining, value)
    SELECT new.sku_id, new.warehouse_id, moved.id, new.received_at, new.quantity, new.remaining, new.value
    FROM armed, unnest(%(new_sku)s::bigint[], %(new_warehouse)s::bigint[], %(new_key)s::text[],
                       %(new_received_at)s::timestamptz[], %(new_quantity)s::numeric[], %(new_remaining)s::numeric[],
                       %(new_value)s::numeric[])
         AS new(sku_id, warehouse_id, key, received_at, quantity, remaining, value)
    JOIN moved ON moved.idempotency_key = new.key
), {TOLD}
SELECT id, idempotency_key, recorded_at FROM moved
"""  # noqa: S608 (no values in it, only the text above)

_RESERVE = f"WITH {armed()}, {LEVELLED}, {TOLD} SELECT 1"


def write_posting(
    rows: Sequence[MovementRow],
    *,
    levels: Sequence[tuple[int, Decimal, Decimal]],
    pools: Mapping[PoolKey, tuple[int, Pool]],
    told: Iterable[int],
    happened_at: datetime,
    actor_id: int | None,
) -> dict[str, tuple[int, datetime]]:
    """Insert the movements and bring everything they sum up to in line; idempotency key → (movement id, recorded at).

    The caller holds the levels and pools. `levels`: (level id, change of on hand, change of reserved); `told`: the SKUs
    whose availability changed.
    """
    names = ("kind", "sku", "location", "lot", "status", "quantity", "unit_cost", "value", "reference", "reason", "key")
    with connection.cursor() as cursor:
        cursor.execute(
            _POST,
            {
                **_columns(names, rows),
                **_columns(("level", "on_hand", "reserved"), levels),
                **_pool_columns(pools),
                "told": array_text(told),
                "actor": actor_id,
                "happened_at": happened_at,
            },
        )
        return {key: (pk, recorded_at) for pk, key, recorded_at in cursor.fetchall()}


def change_reserved(deltas: Mapping[int, Decimal], *, told: Iterable[int]) -> None:
    """Add to `reserved` of levels the caller has locked (level id → signed units). The database refuses a wrong sum."""
    rows = [(level_id, 0, delta) for level_id, delta in deltas.items() if delta]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RESERVE, {**_columns(("level", "on_hand", "reserved"), rows), "told": array_text(told)})


def _pool_columns(pools: Mapping[PoolKey, tuple[int, Pool]]) -> dict[str, Any]:
    changed: list[tuple[Any, ...]] = []
    made: list[tuple[Any, ...]] = []
    for (sku_id, warehouse_id), (_pk, pool) in pools.items():
        changed += [(layer.id, layer.quantity, layer.remaining, layer.value) for layer in pool.changed()]
        made += [_made(sku_id, warehouse_id, layer) for layer in pool.made()]
    return {
        **_columns(
            ("pool", "pool_quantity", "pool_value"), [(pk, pool.quantity, pool.value) for pk, pool in pools.values()]
        ),
        **_columns(("layer", "layer_quantity", "layer_remaining", "layer_value"), changed),
        **_columns(
            (
                "new_sku",
                "new_warehouse",
                "new_key",
                "new_received_at",
                "new_quantity",
                "new_remaining",
                "new_value",
            ),
            made,
        ),
    }


def _made(sku_id: int, warehouse_id: int, layer: Layer) -> tuple[Any, ...]:
    return (sku_id, warehouse_id, layer.key, layer.received_at, layer.quantity, layer.remaining, layer.value)


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    """The rows turned by a quarter: name → its column, as the text of an array."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: array_text(column) for name, column in zip(names, columns, strict=True)}


def array_text(values: Iterable[Any]) -> str:
    """The values as PostgreSQL writes an array: one constant to parse, where ARRAY[…] is one expression a value.

    >>> array_text(["a", 'b"c', None, 2])
    '{"a","b\\\\"c",NULL,2}'
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return str(value)
