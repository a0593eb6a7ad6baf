"""Stock that becomes worth more or less where it lies: a movement of no units, and the layer that takes the value."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from warehouses.engine.layers import NOTHING, Layer, Pool
from warehouses.models import StockMovement
from warehouses.services.posting import MovementRow, PoolKey, write_posting


@dataclass(frozen=True, slots=True)
class Revaluation:
    """`value` (signed) added to an open layer of the pool; `movement` says where its units lie. `line` for faults."""

    pool: PoolKey
    layer_id: int
    movement: StockMovement
    value: Decimal
    key: str
    line: int


@dataclass(slots=True)
class OpenLayer:
    """A layer that still holds units, and the movement that made it (None: several, brought together)."""

    movement_id: int | None
    layer: Layer


def open_layers(pools: Sequence[PoolKey], movement_ids: Sequence[int]) -> dict[PoolKey, list[OpenLayer]]:
    """The open layers these movements made, and those that nobody made alone or that stand first, oldest first.

    The caller holds the pools.
    """
    found: dict[PoolKey, list[OpenLayer]] = defaultdict(list)
    with connection.cursor() as cursor:
        keys = sorted(set(pools))
        cursor.execute(_OPEN, [[key[0] for key in keys], [key[1] for key in keys], list(movement_ids)])
        for sku_id, warehouse_id, pk, movement_id, remaining, value, quantity in cursor.fetchall():
            found[sku_id, warehouse_id].append(OpenLayer(movement_id, Layer(pk, remaining, value, quantity=quantity)))
    return found


def post_revaluations(
    revaluations: Sequence[Revaluation],
    *,
    pools: Mapping[PoolKey, tuple[int, Pool]],
    layers: Mapping[PoolKey, Sequence[OpenLayer]],
    reference: str,
    reason: str,
    happened_at: datetime,
    actor: Any = None,
) -> None:
    """Post all or none, in one statement. The caller holds the pools (`locked_pools`) and has read `open_layers` since.

    Raises ValidationFailed naming every line that would make a layer worth less than nothing; nothing is written then.
    """
    by_id = {found.layer.id: found.layer for rows in layers.values() for found in rows}
    faults = []
    for change in revaluations:
        layer, pool = by_id[change.layer_id], pools[change.pool][1]
        if layer.value + change.value < 0:
            message = _("The stock is worth %(value)s; %(less)s less would be below nothing.")
            words = {"value": plain(layer.value), "less": plain(-change.value)}
            faults.append({"line": change.line, "field": "amount", "message": message % words})
            continue
        layer.value += change.value
        layer.is_changed = True
        pool.value += change.value
    if faults:
        raise ValidationFailed(_("The stock cannot be revalued: %s") % faults[0]["message"], items=faults)
    for key, (_pk, pool) in pools.items():
        pool.layers = [found.layer for found in layers.get(key, ())]
    rows: list[MovementRow] = [_row(change, reference, reason) for change in revaluations]
    actor_id = getattr(actor, "pk", None)
    write_posting(rows, levels=[], pools=pools, told=(), happened_at=happened_at, actor_id=actor_id)


def _row(change: Revaluation, reference: str, reason: str) -> MovementRow:
    move = change.movement
    kind, place = StockMovement.Kind.REVALUATION.value, (move.sku_id, move.location_id, move.lot_id, move.status)
    return (kind, *place, NOTHING, None, change.value, reference, reason, change.key)


_OPEN = """
SELECT wanted.sku_id, wanted.warehouse_id, layer.id, layer.movement_id, layer.remaining, layer.value, layer.quantity
FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(sku_id, warehouse_id)
CROSS JOIN LATERAL (
    SELECT id, movement_id, remaining, value, quantity, received_at,
           row_number() OVER (ORDER BY received_at, id) AS place
    FROM warehouses_costlayer layer
    WHERE layer.sku_id = wanted.sku_id AND layer.warehouse_id = wanted.warehouse_id AND remaining > 0
) layer
WHERE layer.movement_id = ANY(%s) OR layer.movement_id IS NULL OR layer.place = 1
ORDER BY wanted.sku_id, wanted.warehouse_id, layer.received_at, layer.id
"""
