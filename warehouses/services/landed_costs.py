"""Freight, duty and the like: spread over the receipts they belong to, added to what is still in stock of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.numbers import next_number
from config.kernel.transactions import one_transaction
from warehouses.engine.layers import CENT_OF_A_CENT, NOTHING, Pool, rounded, shared
from warehouses.models import CostLayer, LandedCost, LandedCostLine, StockMovement
from warehouses.services.posting import PoolKey
from warehouses.services.revaluing import OpenLayer, Revaluation, open_layers, post_revaluations
from warehouses.services.valuing import locked_pools

AMOUNT_LIMIT = Decimal(10) ** 12
MAX_KEY = 255
MAX_NOTE = 200
MAX_RECEIPTS = 500
_Basis = LandedCost.Basis


@dataclass(frozen=True, slots=True)
class _Share:
    """One receipt's movement with its part of the cost; `units` of it are still in `layer`."""

    line: int
    movement: StockMovement
    amount: Decimal
    units: Decimal
    layer_id: int | None

    @property
    def capitalised(self) -> Decimal:
        if self.layer_id is None or not self.units:
            return NOTHING
        return rounded(self.amount * self.units / self.movement.quantity)


@one_transaction
def record_landed_cost(
    *,
    kind: str,
    basis: str,
    amount: Decimal,
    references: Sequence[str],
    happened_at: datetime,
    key: str,
    now: datetime,
    note: str = "",
    actor: Any = None,
) -> tuple[LandedCost, bool]:
    """Spread `amount` over the movements of these receipts; (landed cost, True), or (the one of this key, False).

    Of each share, the part of the units that are still in stock is added to their layer by a revaluation; the rest is
    expensed as cost of goods sold. FIFO: units still in the receipt's own layer; moving average: at most what is on
    hand, the latest receipt first. A negative amount is a credit.

    Locks the value pools of the receipts. Raises ValidationFailed with every fault (unknown receipt, no weight known,
    more credit than a layer is worth), Conflict when the key was used for another cost.
    """
    names = [name.strip() for name in references]
    header: dict[str, Any] = {"kind": kind, "basis": basis, "amount": amount, "references": names, "note": note.strip()}
    if items := _header_faults(**header, happened_at=happened_at, key=key, now=now):
        raise ValidationFailed(_("The landed cost cannot be recorded."), items=items)
    if known := _recorded(key, header):
        return known, False
    moves = _movements(names)
    if items := _receipt_faults(names, moves, basis):
        raise ValidationFailed(_("The landed cost cannot be recorded."), items=items)
    try:
        with transaction.atomic():
            cost = LandedCost.objects.create(
                **header,
                number=next_number("warehouses_landedcost_number", "LC"),
                key=key,
                happened_at=happened_at,
                actor=actor,
            )
    except IntegrityError as exc:  # a twin with this key, committed just now
        if twin := _recorded(key, header):
            return twin, False
        raise _key_reused(key) from exc
    _spread(cost, moves, actor)
    return cost, True


def _spread(cost: LandedCost, moves: Sequence[StockMovement], actor: Any) -> None:
    pools, _posted = locked_pools({_pool_key(move) for move in moves})
    layers = open_layers(list(pools), [move.pk for move in moves])
    shares = _shares(cost, moves, pools, layers)
    changes = [
        Revaluation(
            pool=_pool_key(share.movement),
            layer_id=share.layer_id,
            movement=share.movement,
            value=share.capitalised,
            key=f"landed-cost:{cost.number}:{share.movement.pk}",
            line=share.line,
        )
        for share in shares
        if share.layer_id is not None and share.capitalised
    ]
    if changes:
        touched = {change.pool for change in changes}
        post_revaluations(
            changes,
            pools={key: pools[key] for key in touched},
            layers={key: layers[key] for key in touched},
            reference=cost.number,
            reason=cost.kind,
            # A bill may be older than the goods: at no moment is there worth without them.
            happened_at=max(cost.happened_at, *(move.happened_at for move in moves)),
            actor=actor,
        )
    LandedCostLine.objects.bulk_create(
        LandedCostLine(
            landed_cost=cost,
            movement=share.movement,
            amount=share.amount,
            capitalised=share.capitalised,
            expensed=share.amount - share.capitalised,
        )
        for share in shares
    )


def _shares(
    cost: LandedCost,
    moves: Sequence[StockMovement],
    pools: Mapping[PoolKey, tuple[int, Pool]],
    layers: Mapping[PoolKey, Sequence[OpenLayer]],
) -> list[_Share]:
    amounts = shared(cost.amount, [_weight(move, cost.basis) for move in moves])
    units = _units_left(moves, pools, layers)
    return [
        _Share(line, move, amount, *units[move.pk])
        for line, (move, amount) in enumerate(zip(moves, amounts, strict=True), start=1)
    ]


def _units_left(
    moves: Sequence[StockMovement],
    pools: Mapping[PoolKey, tuple[int, Pool]],
    layers: Mapping[PoolKey, Sequence[OpenLayer]],
) -> dict[int, tuple[Decimal, int | None]]:
    """Movement → (its units that are still in stock, the layer they are in).

    Receipts whose layer was brought together with others (moving average now, or before the change to FIFO) share what
    is left in the common one, the latest receipt first.
    """
    with_layers = set(CostLayer.objects.filter(movement__in=moves).values_list("movement_id", flat=True))
    left: dict[int, Decimal] = {}
    found: dict[int, tuple[Decimal, int | None]] = {}
    for move in sorted(moves, key=lambda m: (m.happened_at, m.pk), reverse=True):
        key = _pool_key(move)
        own = {row.movement_id: row.layer for row in layers[key]}
        pool = pools[key][1]
        if pool.is_average:
            layer = layers[key][0].layer if layers[key] else None
        elif move.pk in with_layers:
            layer = own.get(move.pk)
        else:
            layer = own.get(None)
        if layer is None or layer.id is None:
            found[move.pk] = (NOTHING, None)
            continue
        there = left.setdefault(layer.id, layer.remaining)
        units = min(move.quantity, there)
        left[layer.id] = there - units
        found[move.pk] = (units, layer.id)
    return found


def _weight(move: StockMovement, basis: str) -> Decimal:
    if basis == _Basis.VALUE:
        return move.value
    if basis == _Basis.QUANTITY:
        return move.quantity
    each = move.sku.weight_kg if basis == _Basis.WEIGHT else move.sku.volume_litres
    return move.quantity * (each or NOTHING)


def _movements(references: Sequence[str]) -> list[StockMovement]:
    rows = StockMovement.objects.filter(reference__in=references, kind=StockMovement.Kind.RECEIPT, quantity__gt=0)
    return list(rows.select_related("sku", "location").order_by("pk"))


def _pool_key(move: StockMovement) -> PoolKey:
    return move.sku_id, move.location.warehouse_id


def _header_faults(
    *,
    kind: str,
    basis: str,
    amount: Decimal,
    references: Sequence[str],
    note: str,
    happened_at: datetime,
    key: str,
    now: datetime,
) -> list[dict[str, Any]]:
    items = []
    if kind not in LandedCost.Kind.values:
        items.append(_fault("kind", _("There is no such kind of cost.")))
    if basis not in _Basis.values:
        items.append(_fault("basis", _("A cost is spread by value, quantity, weight or volume.")))
    if not amount.is_finite() or abs(amount) >= AMOUNT_LIMIT or amount != amount.quantize(CENT_OF_A_CENT):
        items.append(_fault("amount", _("An amount has at most four digits after the point.")))
    elif not amount:
        items.append(_fault("amount", _("The amount must not be zero.")))
    if not references or len(references) > MAX_RECEIPTS:
        items.append(_fault("references", _("Name 1 to %d receipts.") % MAX_RECEIPTS))
    twice = {name for name in references if references.count(name) > 1}
    items += [_fault("references", _("%s is named twice.") % name) for name in sorted(twice)]
    if len(note) > MAX_NOTE:
        items.append(_fault("note", _("At most %d characters.") % MAX_NOTE))
    if happened_at > now:
        items.append(_fault("happened_at", _("This moment is not past.")))
    if not key or len(key) > MAX_KEY:
        items.append(_fault("key", _("The key has 1 to %d characters.") % MAX_KEY))
    return items


def _receipt_faults(references: Sequence[str], moves: Sequence[StockMovement], basis: str) -> list[dict[str, Any]]:
    known = {move.reference for move in moves}
    items = [
        {"line": line, **_fault("references", _("There is no receipt %s.") % name)}
        for line, name in enumerate(references, start=1)
        if name not in known
    ]
    names = {_Basis.WEIGHT.value: "weight_kg", _Basis.VOLUME.value: "volume_litres"}
    missing = {m.sku.code for m in moves if basis in names and getattr(m.sku, names[basis]) is None}
    said = _("The weight of %s is not known.") if basis == _Basis.WEIGHT else _("The volume of %s is not known.")
    items += [{"sku": code, **_fault("basis", said % code)} for code in sorted(missing)]
    if moves and not missing and not sum((_weight(move, basis) for move in moves), NOTHING):
        items.append(_fault("basis", _("All of the receipts together come to zero; spread it otherwise.")))
    return items


def _fault(field: str, message: str) -> dict[str, Any]:
    return {"field": field, "message": message}


def _recorded(key: str, header: Mapping[str, Any]) -> LandedCost | None:
    """The cost of this key. Raises Conflict when it says something else."""
    cost = LandedCost.objects.filter(key=key).first()
    if cost and any(getattr(cost, name) != value for name, value in header.items()):
        raise _key_reused(key)
    return cost


def _key_reused(key: str) -> Conflict:
    return Conflict(
        _("The key %(key)s was used for another landed cost.") % {"key": key}, code="idempotency_key_reused"
    )
