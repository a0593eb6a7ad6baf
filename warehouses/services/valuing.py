"""The worth of a posting's moves: pools locked, layers read, each move given the value it takes away or brings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection

from warehouses.engine.layers import NOTHING, Layer, Pool, rounded, shared
from warehouses.services.posting import PoolKey, array_text

if TYPE_CHECKING:
    from warehouses.services.stock import Move

FIRST_LOOK = 4
"""So many open layers of a pool are read at first, oldest first; more only where what leaves needs them."""


@dataclass(frozen=True, slots=True)
class PostedMove:
    """A movement that is in the ledger already."""

    pk: int
    kind: str
    sku_id: int
    location_id: int
    lot_id: int | None
    status: str
    quantity: Decimal
    unit_cost: Decimal | None
    value: Decimal
    reference: str
    reason: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime


def locked_pools(
    pools: Iterable[PoolKey], keys: Sequence[str] = ()
) -> tuple[dict[PoolKey, tuple[int, Pool]], dict[str, PostedMove]]:
    """The value pools, locked in primary-key order (their layers still unread), and which of `keys` are posted.

    One statement. The ledger is read after the levels are locked: a twin with the same key wants the same level, and
    has committed by now.
    """
    wanted = sorted(set(pools))
    found: dict[PoolKey, tuple[int, Pool]] = {}
    posted: dict[str, PostedMove] = {}
    with connection.cursor() as cursor:
        columns = [key[0] for key in wanted], [key[1] for key in wanted], keys
        cursor.execute(_LOCK, [array_text(column) for column in columns])
        for key, pk, kind, sku_id, place_id, lot_id, status, quantity, cost, value, *rest in cursor.fetchall():
            if key is None:
                found[sku_id, place_id] = (pk, Pool(quantity, value, is_average=kind == "avco", standard_cost=cost))
            else:
                posted[key] = PostedMove(pk, kind, sku_id, place_id, lot_id, status, quantity, cost, value, *rest)
    return found, posted


def read_layers(pools: Mapping[PoolKey, tuple[int, Pool]], leaving: Mapping[PoolKey, Decimal]) -> None:
    """Give the pools their open layers: the oldest that hold what leaves, at least the first of an average pool."""
    wanted = {
        key: leaving.get(key, NOTHING) for key, (_pk, pool) in pools.items() if leaving.get(key) or pool.is_average
    }
    look = FIRST_LOOK
    while wanted:
        skus, warehouses = zip(*wanted, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_LAYERS, [array_text(skus), array_text(warehouses), look])
            layers: dict[PoolKey, list[Layer]] = defaultdict(list)
            for sku_id, warehouse_id, pk, remaining, value, quantity in cursor.fetchall():
                layers[sku_id, warehouse_id].append(Layer(pk, remaining, value, quantity=quantity))
        for key in wanted:
            pools[key][1].layers = layers[key]
        short = {
            key: quantity
            for key, quantity in wanted.items()
            if len(layers[key]) == look and sum((layer.remaining for layer in layers[key]), NOTHING) < quantity
        }
        wanted, look = short, look * 16


def value_moves(
    moves: Sequence["Move"],
    warehouses: Sequence[int],
    pools: Mapping[PoolKey, tuple[int, Pool]],
    *,
    happened_at: datetime,
) -> list[Decimal]:
    """The signed value of each move (warehouses[i] is where move i is); the pools are brought along.

    What comes in with a cost of its own comes first, then what leaves, then what takes on the value of something that
    left (a transfer's arrival, an assembled kit): so nothing is worth more or less for having been moved.
    """
    values = [NOTHING] * len(moves)
    left_with: dict[str, Decimal] = {}
    arriving: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, move in enumerate(moves):
        if move.carries:
            arriving[move.carries].append(place)
        elif not move.is_internal and move.quantity > 0:
            pool = pools[move.sku_id, warehouses[place]][1]
            cost = pool.unit_cost() if move.unit_cost is None else move.unit_cost
            values[place] = rounded(move.quantity * cost)
            pool.receive(move.quantity, values[place], received_at=happened_at, key=move.idempotency_key)
    for place, move in enumerate(moves):
        if not move.is_internal and move.quantity < 0:
            taken = pools[move.sku_id, warehouses[place]][1].issue(-move.quantity)
            values[place] = -taken
            left_with[move.idempotency_key] = taken
    for sources, places in arriving.items():
        total = sum((left_with[key] for key in sources), NOTHING)
        for place, value in zip(places, shared(total, [moves[p].weight for p in places]), strict=True):
            move = moves[place]
            values[place] = value
            pool = pools[move.sku_id, warehouses[place]][1]
            pool.receive(move.quantity, value, received_at=happened_at, key=move.idempotency_key)
    return values


_LOCK = """
WITH pool AS (
    SELECT pool.id, pool.sku_id, pool.warehouse_id, pool.quantity, pool.value, sku.unit_cost
    FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(sku_id, warehouse_id)
    JOIN warehouses_stockvalue pool USING (sku_id, warehouse_id)
    JOIN catalog_sku sku ON sku.id = pool.sku_id
    ORDER BY pool.id FOR NO KEY UPDATE OF pool
)
SELECT NULL::text, id, (SELECT valuation FROM warehouses_stockrules), sku_id, warehouse_id, NULL::bigint, NULL::text,
       quantity, unit_cost, value, NULL::text, NULL::text, NULL::bigint, NULL::timestamptz, NULL::timestamptz
FROM pool
UNION ALL
SELECT idempotency_key, id, kind, sku_id, location_id, lot_id, status, quantity, unit_cost, value, reference, reason,
       actor_id, happened_at, recorded_at
FROM warehouses_stockmovement WHERE idempotency_key = ANY(%s::text[])
"""

_LAYERS = """
SELECT wanted.sku_id, wanted.warehouse_id, layer.id, layer.remaining, layer.value, layer.quantity
FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(sku_id, warehouse_id)
CROSS JOIN LATERAL (
    SELECT id, remaining, value, quantity FROM warehouses_costlayer layer
    WHERE layer.sku_id = wanted.sku_id AND layer.warehouse_id = wanted.warehouse_id AND remaining > 0
    ORDER BY received_at, id LIMIT %s
) layer
"""
