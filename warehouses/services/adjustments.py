"""Stock put right by hand: what was found, lost or broken, each with its reason."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import StockMovement, StockStatus
from warehouses.services.backorders import reserve_backorders
from warehouses.services.stock import Move, is_storable, post_movements

_Kind = StockMovement.Kind
KINDS = (_Kind.ADJUSTMENT, _Kind.SCRAP, _Kind.OPENING)
MAX_KEY = 255
MAX_REASON = 200


class Reason(models.TextChoices):
    """The codes that forms and the API offer; a movement's reason is a code, or a code and a note after a colon."""

    COUNT = "count", gettext_lazy("Counted otherwise")
    FOUND = "found", gettext_lazy("Found")
    LOST = "lost", gettext_lazy("Lost")
    DAMAGED = "damaged", gettext_lazy("Damaged")
    EXPIRED = "expired", gettext_lazy("Expired")
    CORRECTION = "correction", gettext_lazy("Booked wrongly before")
    OTHER = "other", gettext_lazy("Other")


@one_transaction
def adjust_stock(
    *,
    sku_id: int,
    location_id: int,
    quantity: Decimal,
    reason: str,
    key: str,
    now: datetime,
    actor: Any = None,
    kind: str = _Kind.ADJUSTMENT,
    unit_cost: Decimal | None = None,
    lot_id: int | None = None,
    status: str = StockStatus.AVAILABLE,
) -> StockMovement:
    """Add the signed quantity to one level; the same key again returns the first movement.

    Locks the level; stock that comes in serves who waits. Raises ValidationFailed with every fault, InsufficientStock
    when less than what is reserved would be left, Conflict when the key was used for another movement.
    """
    if items := _faults(quantity=quantity, reason=reason, key=key, kind=kind, unit_cost=unit_cost, status=status):
        raise ValidationFailed(_("The stock cannot be adjusted."), items=items)
    move = Move(
        kind=kind,
        sku_id=sku_id,
        location_id=location_id,
        lot_id=lot_id,
        status=status,
        quantity=quantity,
        unit_cost=unit_cost,
        reason=reason,
        idempotency_key=_ledger_key(key),
    )
    [movement] = post_movements([move], happened_at=now, actor=actor)
    if quantity > 0:
        reserve_backorders([sku_id], now=now)
    return movement


def _ledger_key(key: str) -> str:
    """The caller's key in the ledger's 120 characters: a long one as its digest."""
    return f"adjustment:{key}" if len(key) <= 100 else f"adjustment:{hashlib.sha256(key.encode()).hexdigest()}"


def _faults(
    *, quantity: Decimal, reason: str, key: str, kind: str, unit_cost: Decimal | None, status: str
) -> list[dict[str, Any]]:
    def fault(field: str, message: str) -> dict[str, Any]:
        return {"field": field, "message": message}

    items = []
    if not is_storable(quantity):
        items.append(fault("quantity", _("At most eleven digits before the point and three after it.")))
    elif not quantity:
        items.append(fault("quantity", _("The quantity must not be zero.")))
    elif kind == _Kind.SCRAP and quantity > 0:
        items.append(fault("quantity", _("What is scrapped leaves the stock: the quantity must be below zero.")))
    elif kind == _Kind.OPENING and quantity < 0:
        items.append(fault("quantity", _("Opening stock must be above zero.")))
    if kind not in KINDS:
        items.append(fault("kind", _("Only adjustments, scrap and opening stock are booked by hand.")))
    if status not in StockStatus.values:
        items.append(fault("status", _("There is no status %s.") % status))
    if not reason.strip() or len(reason) > MAX_REASON:
        items.append(fault("reason", _("Give a reason of at most %d characters.") % MAX_REASON))
    if not key or len(key) > MAX_KEY:
        items.append(fault("key", _("The key has 1 to %d characters.") % MAX_KEY))
    if unit_cost is not None and (not unit_cost.is_finite() or unit_cost < 0):
        items.append(fault("unit_cost", _("The unit cost must not be negative.")))
    return items
