"""Repairs of what the reconciler found: proposed by the machine, chosen and applied by a person, and always traced.

The one place beside the posting that writes stock (see `tests/architecture/test_imports.py`): a repair brings a figure
in line with the rows it sums up; whatever changes quantity or worth itself is a new movement in the ledger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey, LockedLevel, locked_document, locked_levels, locked_levels_by_key
from warehouses.models import (
    Cart,
    CartLine,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockDrift,
    StockLevel,
    StockMovement,
    StockStatus,
    Transfer,
    TransferLine,
)
from warehouses.selectors.drift import (
    FOLLOW_LAYERS,
    FOLLOW_LEDGER,
    FOLLOW_LEVEL,
    FOLLOW_RESERVATIONS,
    FOLLOW_VALUE,
    RELEASE_CART,
    Drift,
    find_drifts,
)
from warehouses.services.balance_audit import TAKE_AGAIN
from warehouses.services.balances import audit_sheet, retake_balance_sheet
from warehouses.services.carts import release_cart
from warehouses.services.posting import armed
from warehouses.services.reconciler import lock_drifts
from warehouses.services.reservations import release, shrink
from warehouses.services.stock import Move, change_reservations, post_movements
from warehouses.services.valuing import locked_pools

WAYS = {
    FOLLOW_LEDGER: gettext_lazy("Set the level to what the ledger says"),
    FOLLOW_LEVEL: gettext_lazy("The level is right: post an adjustment"),
    FOLLOW_RESERVATIONS: gettext_lazy("Set the reserved units to the reservations"),
    RELEASE_CART: gettext_lazy("Release the cart"),
    FOLLOW_LAYERS: gettext_lazy("Bring value and layers in line with what lies there"),
    FOLLOW_VALUE: gettext_lazy("Post a revaluation"),
    TAKE_AGAIN: gettext_lazy("Take the balance sheet again"),
}
"""What each way to repair a drift is called on its button."""

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Repair:
    """What a repair needs to know of its drift, who asked for it, and when."""

    drift: StockDrift
    actor: Any
    now: datetime

    def fact(self, name: str) -> Any:
        return self.drift.facts.get(name)

    @property
    def key(self) -> str:
        """Of the movements it posts."""
        return f"repair:{self.drift.pk}"

    def refuse_when_changed(self) -> None:
        """Under the locks: the same two figures must still differ in the same way. Raises Conflict."""
        found = {(str(d.kind), d.subject): d for d in find_drifts([self.fact("sku_id")])}
        drift: Drift | None = found.get((self.drift.kind, self.drift.subject))
        if drift is None or dict(drift.figures) != self.fact("figures"):
            raise Conflict(_("The figures have changed since this was found. Look again."), code="drift_changed")


@one_transaction
def apply_repair(drift_id: int, *, actor: Any, now: datetime, way: str = "") -> StockDrift:
    """Repair an open drift in one of its ways (the first when none is named); returns it as repaired.

    Locks as the whole house does (documents, lines, levels, pools), then looks again: raises Conflict when the figures
    are no longer those found, when the drift has ended, or when the repair is not possible as things stand; NotFound;
    ValidationFailed for a way that it does not have. Figures before and after stay in its facts.
    """
    lock_drifts()
    drift = StockDrift.objects.select_for_update().filter(pk=drift_id).first()
    if drift is None:
        raise NotFound(_("There is no such drift."))
    if drift.state != StockDrift.State.OPEN:
        raise Conflict(_("This drift has ended already."), code="wrong_state")
    ways = drift.repair.get("ways", [])
    if not ways:
        raise Conflict(_("Nobody can repair this by a button: find out what happened, and post what is missing."))
    way = way or ways[0]
    if way not in ways or way not in _REPAIRS:
        raise ValidationFailed(_("This drift cannot be repaired in that way."), items=[{"field": "way"}])
    repair = _Repair(drift, actor, now)
    try:
        _REPAIRS[way](repair)
    except IntegrityError as exc:  # a constraint: some other figure of the same rows is wrong as well
        raise Conflict(_("Other figures of it drift as well: repair those first.")) from exc
    drift.facts = {**drift.facts, "way": way, "after": _figures_after(repair)}
    drift.state, drift.actor, drift.ended_at = StockDrift.State.REPAIRED, actor, now
    drift.save(update_fields=["facts", "state", "actor", "ended_at"])
    return drift


def _figures_after(repair: _Repair) -> dict[str, str]:
    """What the figures are now. Raises Conflict when they still differ: then nothing is repaired."""
    if repair.drift.kind == StockDrift.Kind.BALANCE:
        return {}
    subject = (repair.drift.kind, repair.drift.subject)
    if any((str(d.kind), d.subject) == subject for d in find_drifts([repair.fact("sku_id")])):
        raise Conflict(_("The figures would still differ afterwards; nothing was changed."))
    if repair.drift.subject.startswith("level:"):
        level = StockLevel.objects.filter(**_level_key(repair)._asdict()).first()
        return {"on_hand": str(level.on_hand), "reserved": str(level.reserved)} if level else {}
    return {}


# --- levels ---


def _follow_ledger(repair: _Repair) -> None:
    """The level takes on the ledger's sum. What is reserved stays, so there must be enough for it."""
    level = _locked_level(repair)
    quantity = Decimal(repair.fact("figures")["ledger_quantity"])
    if quantity < level.reserved:
        raise Conflict(
            _("%(reserved)s are reserved and only %(ledger)s are in the ledger: release orders first.")
            % {"reserved": f"{level.reserved:f}", "ledger": f"{quantity:f}"}
        )
    _set_level(level, on_hand=quantity, reserved=level.reserved)


def _follow_level(repair: _Repair) -> None:
    """What lies there is right: an adjustment through the one writer, with its value, makes up for it."""
    level = _locked_level(repair)
    ledger, on_hand = (Decimal(repair.fact("figures")[name]) for name in ("ledger_quantity", "on_hand"))
    _set_level(level, on_hand=ledger, reserved=min(level.reserved, ledger))
    move = Move(
        kind=StockMovement.Kind.ADJUSTMENT,
        sku_id=level.sku_id,
        location_id=level.location_id,
        lot_id=level.lot_id,
        status=level.status,
        quantity=on_hand - ledger,
        idempotency_key=repair.key,
        reference=f"drift {repair.drift.pk}",
        reason="other: the ledger follows the level",
    )
    try:
        post_movements([move], happened_at=repair.now, actor=repair.actor)
    except ValueError as exc:  # its layers hold fewer units than leave
        raise Conflict(_("Its value drifts as well: repair that first.")) from exc
    _set_level(level, on_hand=on_hand, reserved=level.reserved)


def _level_follows_reservations(repair: _Repair) -> None:
    """The level's reserved units become Σ reservations; more than lie there are let go, the newest first."""
    key = _level_key(repair)
    held = Reservation.objects.filter(**{f"level__{name}": value for name, value in key._asdict().items()})
    orders, transfers = _locked_documents(held)
    level = _locked_level(repair)
    rows = list(held.order_by("-pk").select_related("line", "transfer_line"))
    _refuse_unlocked(rows, orders, transfers)
    too_many = sum((row.quantity for row in rows), _NOTHING) - level.on_hand
    for row in rows:
        part = min(row.quantity, too_many)
        if part <= 0:
            break
        too_many -= part
        _let_go(row, part)
    left = sum((row.quantity for row in Reservation.objects.filter(level=level.pk)), _NOTHING)
    _set_level(level, on_hand=level.on_hand, reserved=left)


# --- lines ---


def _line_follows_reservations(repair: _Repair) -> None:
    """The line's reserved units become Σ reservations; more than it still waits for is let go."""
    if repair.drift.subject.startswith("level:"):
        _level_follows_reservations(repair)
        return
    is_order = repair.drift.subject.startswith("order_line:")
    document: Any = SalesOrder if is_order else Transfer
    locked_document(document, repair.fact("document_id"), missing=_("The document is gone."))
    lines: Any = SalesOrderLine if is_order else TransferLine
    line = lines.objects.select_for_update(of=("self",), no_key=True).get(pk=repair.fact("line_id"))
    held = Reservation.objects.filter(**{"line" if is_order else "transfer_line": line}).order_by("-pk")
    locked_levels(StockLevel.objects.filter(pk__in=held.values("level_id")))
    repair.refuse_when_changed()
    cancelled = line.cancelled_quantity if is_order else _NOTHING
    most = _NOTHING if is_order and line.is_kit else line.quantity - line.shipped_quantity - cancelled
    rows = list(held)
    too_many = sum((row.quantity for row in rows), _NOTHING) - most
    freed: dict[int, Decimal] = {}
    for row in rows:
        part = min(row.quantity, too_many)
        if part <= 0:
            break
        too_many -= part
        freed[row.level_id] = freed.get(row.level_id, _NOTHING) - part
        shrink([(row.pk, row.quantity - part)])
    change_reservations(freed, sku_ids={line.sku_id})
    if not (is_order and line.is_kit):
        _set_line(line, sum((row.quantity for row in held.all()), _NOTHING))


def _release_cart(repair: _Repair) -> None:
    """The cart holds nothing more; its shop hears so when it asks."""
    cart = locked_document(Cart, repair.fact("document_id"), missing=_("The cart is gone."))
    repair.refuse_when_changed()
    if cart.state == Cart.State.HELD:
        release_cart(cart.pk, now=repair.now, actor=repair.actor)
    else:
        release(list(CartLine.objects.filter(cart=cart).order_by("pk")))


def _locked_documents(held: Any) -> tuple[set[int], set[int]]:
    """The orders and transfers behind these reservations, locked before the level is. Raises Conflict for carts."""
    if held.filter(cart_line__isnull=False).exists():
        raise Conflict(_("Carts hold some of it: wait until they are released or expire."))
    orders = {pk for pk in held.values_list("line__order_id", flat=True) if pk}
    transfers = {pk for pk in held.values_list("transfer_line__transfer_id", flat=True) if pk}
    for model, pks in ((SalesOrder, orders), (Transfer, transfers)):
        rows: Any = model.objects.filter(pk__in=pks).order_by("pk")  # type: ignore[attr-defined]
        list(rows.select_for_update(of=("self",), no_key=True))
    return orders, transfers


def _refuse_unlocked(rows: Iterable[Reservation], orders: set[int], transfers: set[int]) -> None:
    for row in rows:
        known = (row.line and row.line.order_id in orders) or (
            row.transfer_line and row.transfer_line.transfer_id in transfers
        )
        if not known:
            raise Conflict(_("The figures have changed since this was found. Look again."), code="drift_changed")


def _let_go(row: Reservation, part: Decimal) -> None:
    line: Any = row.line or row.transfer_line
    shrink([(row.pk, row.quantity - part)])
    line.refresh_from_db()
    _set_line(line, max(line.reserved_quantity - part, _NOTHING))


def _set_line(line: Any, reserved: Decimal) -> None:
    line.reserved_quantity = reserved
    fields = ["reserved_quantity"]
    if isinstance(line, SalesOrderLine) and line.picked_quantity > reserved:
        line.picked_quantity = reserved
        fields.append("picked_quantity")
    line.save(update_fields=fields)


# --- worth ---


def _follow_layers(repair: _Repair) -> None:
    """Pool and layers hold what lies there: layers too many go oldest first, units in none get one at the pool's cost.

    The value is then what the layers hold; a revaluation in the ledger makes up for the difference to it.
    """
    sku_id, warehouse_id = repair.fact("sku_id"), repair.fact("warehouse_id")
    _lock_worth(repair)
    with connection.cursor() as cursor:
        cursor.execute(_LAYERS_FIT, {"sku": sku_id, "warehouse": warehouse_id, "now": repair.now})
        cursor.execute(_POOL_FITS, {"sku": sku_id, "warehouse": warehouse_id})
    _post_revaluation(repair)


def _follow_value(repair: _Repair) -> None:
    """What the stock is worth stays; the ledger takes on the difference."""
    _lock_worth(repair)
    _post_revaluation(repair)


def _take_again(repair: _Repair) -> None:
    """The sheet is what does not agree with the ledger: it is added up anew."""
    retake_balance_sheet(repair.fact("sheet_id"), now=repair.now)
    if audit_sheet(repair.fact("sheet_id"), now=repair.now):
        raise Conflict(_("The figures would still differ afterwards; nothing was changed."))


def _lock_worth(repair: _Repair) -> None:
    """The levels of the SKU in this warehouse, then its pool; then look again."""
    sku_id, warehouse_id = repair.fact("sku_id"), repair.fact("warehouse_id")
    levels = StockLevel.objects.filter(sku=sku_id, location__warehouse=warehouse_id)
    keys = [LevelKey(row.sku_id, row.location_id, row.lot_id, row.status) for row in locked_levels(levels)]
    if not keys:
        raise Conflict(_("There is no level of this SKU in this warehouse."))
    with connection.cursor() as cursor:
        cursor.execute(_POOL_IS_THERE, [sku_id, warehouse_id])
    locked_pools([(sku_id, warehouse_id)])
    repair.refuse_when_changed()


def _post_revaluation(repair: _Repair) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _REVALUE,
            {
                "sku": repair.fact("sku_id"),
                "warehouse": repair.fact("warehouse_id"),
                "key": repair.key,
                "reference": f"drift {repair.drift.pk}",
                "reason": "the ledger follows the value of the layers",
                "actor": getattr(repair.actor, "pk", None),
                "now": repair.now,
            },
        )


_REPAIRS: Mapping[str, Callable[[_Repair], None]] = {
    FOLLOW_LEDGER: _follow_ledger,
    FOLLOW_LEVEL: _follow_level,
    FOLLOW_RESERVATIONS: _line_follows_reservations,
    RELEASE_CART: _release_cart,
    FOLLOW_LAYERS: _follow_layers,
    FOLLOW_VALUE: _follow_value,
    TAKE_AGAIN: _take_again,
}


# --- the pen ---


def _level_key(repair: _Repair) -> LevelKey:
    status = repair.fact("status") or StockStatus.AVAILABLE
    return LevelKey(repair.fact("sku_id"), repair.fact("location_id"), repair.fact("lot_id"), status)


def _locked_level(repair: _Repair) -> LockedLevel:
    """The level, made when it is missing, locked; its figures are still those found."""
    key = _level_key(repair)
    level = locked_levels_by_key([key])[key]
    repair.refuse_when_changed()
    return level


def _set_level(level: LockedLevel, *, on_hand: Decimal, reserved: Decimal) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SET_LEVEL, {"id": level.pk, "on_hand": on_hand, "reserved": reserved, "sku": level.sku_id})


def ways_of(drift: StockDrift) -> Sequence[tuple[str, Any]]:
    """The ways an open drift can be repaired, with their words."""
    ways = drift.repair.get("ways", []) if drift.state == StockDrift.State.OPEN else []
    return [(way, WAYS[way]) for way in ways if way in WAYS]


_SET_LEVEL = f"""
WITH {armed()}, told AS (INSERT INTO warehouses_availabilitychange (sku_id) VALUES (%(sku)s))
UPDATE warehouses_stocklevel level SET on_hand = %(on_hand)s, reserved = %(reserved)s, updated_at = now()
FROM armed WHERE level.id = %(id)s
"""  # noqa: S608 (no values in it, only the text above)

_POOL_IS_THERE = """
INSERT INTO warehouses_stockvalue (sku_id, warehouse_id, quantity, value) VALUES (%s, %s, 0, 0) ON CONFLICT DO NOTHING
"""

# Units in no layer get one at the pool's cost; units too many leave the oldest layers, with their share of the value.
_LAYERS_FIT = f"""
WITH {armed()}, there AS (
    SELECT coalesce(sum(level.on_hand), 0) AS quantity
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.sku_id = %(sku)s AND location.warehouse_id = %(warehouse)s
), layered AS (
    SELECT id, remaining, value, sum(remaining) OVER (ORDER BY received_at, id) - remaining AS before,
           sum(remaining) OVER () AS total
    FROM warehouses_costlayer WHERE sku_id = %(sku)s AND warehouse_id = %(warehouse)s AND remaining > 0
), summed AS (
    SELECT there.quantity - coalesce(sum(layered.remaining), 0) AS missing, coalesce(sum(layered.value), 0) AS value
    FROM there LEFT JOIN layered ON true GROUP BY there.quantity
), kept AS (
    SELECT layered.id, layered.remaining, layered.value,
           layered.remaining - least(greatest(-summed.missing - layered.before, 0), layered.remaining) AS stays
    FROM layered, summed
), lessened AS (
    UPDATE warehouses_costlayer layer
    SET remaining = kept.stays, value = round(kept.value * kept.stays / kept.remaining, 4)
    FROM armed, kept WHERE layer.id = kept.id AND kept.stays <> kept.remaining
)
INSERT INTO warehouses_costlayer (sku_id, warehouse_id, received_at, quantity, remaining, value)
SELECT %(sku)s, %(warehouse)s, %(now)s, summed.missing, summed.missing,
       CASE WHEN pool.value > summed.value THEN pool.value - summed.value
            ELSE round(summed.missing * sku.unit_cost, 4) END
FROM armed, summed, warehouses_stockvalue pool JOIN catalog_sku sku ON sku.id = pool.sku_id
WHERE summed.missing > 0 AND pool.sku_id = %(sku)s AND pool.warehouse_id = %(warehouse)s
"""  # noqa: S608

_POOL_FITS = f"""
WITH {armed()}, layered AS (
    SELECT coalesce(sum(remaining), 0) AS quantity, coalesce(sum(value), 0) AS value
    FROM warehouses_costlayer WHERE sku_id = %(sku)s AND warehouse_id = %(warehouse)s AND remaining > 0
)
UPDATE warehouses_stockvalue pool SET quantity = layered.quantity, value = layered.value
FROM armed, layered WHERE pool.sku_id = %(sku)s AND pool.warehouse_id = %(warehouse)s
"""  # noqa: S608

# A place of the warehouse stands for it: the level that holds most.
_REVALUE = f"""
WITH {armed()}, moved AS (
    SELECT coalesce(sum(movement.value), 0) AS value
    FROM warehouses_stockmovement movement JOIN warehouses_location location ON location.id = movement.location_id
    WHERE movement.sku_id = %(sku)s AND location.warehouse_id = %(warehouse)s
), place AS (
    SELECT level.location_id, level.lot_id, level.status
    FROM warehouses_stocklevel level JOIN warehouses_location location ON location.id = level.location_id
    WHERE level.sku_id = %(sku)s AND location.warehouse_id = %(warehouse)s
    ORDER BY level.on_hand DESC, level.id LIMIT 1
)
INSERT INTO warehouses_stockmovement
    (kind, sku_id, location_id, lot_id, status, quantity, value, reference, reason, idempotency_key, actor_id,
     happened_at, recorded_at)
SELECT 'revaluation', %(sku)s, place.location_id, place.lot_id, place.status, 0, pool.value - moved.value,
       %(reference)s, %(reason)s, %(key)s, %(actor)s, %(now)s, now()
FROM armed, moved, place, warehouses_stockvalue pool
WHERE pool.sku_id = %(sku)s AND pool.warehouse_id = %(warehouse)s AND pool.value <> moved.value
"""  # noqa: S608
