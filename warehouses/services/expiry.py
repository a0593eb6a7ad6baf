"""Lots that expired are taken out of the stock that can be sold: the units stay where they lie, and are blocked."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone

from config.kernel.errors import DomainError
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_levels
from warehouses.models import Location, StockLevel, StockMovement, StockStatus
from warehouses.services.adjustments import Reason
from warehouses.services.backorders import reserve_backorders
from warehouses.services.pick_tasks import picking_goes_on
from warehouses.services.stock import Move, post_movements
from warehouses.services.unreserving import free_up


@dataclass(slots=True)
class ExpiryOutcome:
    """Levels that were blocked, and those of which some is picked already and so stays reserved."""

    blocked: int = 0
    held_back: int = 0


def expired_levels(today: date) -> QuerySet[StockLevel]:
    """Available stock of lots whose last day is over; what is in transit is looked at when it has arrived."""
    levels = StockLevel.objects.filter(lot__expires_on__lt=today, status=StockStatus.AVAILABLE, on_hand__gt=0).exclude(
        location__kind=Location.Kind.IN_TRANSIT
    )
    return levels.order_by("pk")


def expire_lots(*, now: datetime) -> ExpiryOutcome:
    """Block what has expired, level by level, each in its own transaction; running it again finds nothing to do.

    Reservations of such stock are let go, and their lines are given other stock or wait.
    """
    today, outcome = timezone.localdate(now), ExpiryOutcome()
    for level_id in list(expired_levels(today).values_list("pk", flat=True)):
        try:
            outcome.blocked += bool(_expire(level_id, today=today, now=now))
        except DomainError:  # the next run looks at it again; it must not keep the others from being blocked
            continue
    outcome.held_back = expired_levels(today).count()
    return outcome


@one_transaction
def _expire(level_id: int, *, today: date, now: datetime) -> bool:
    """Block one level's free units, after its reservations have given way. Locks their documents, then the level."""
    level = expired_levels(today).filter(pk=level_id).first()
    if level is None:
        return False
    freed = free_up({level.pk: level.on_hand})
    held = locked_levels(expired_levels(today).filter(pk=level_id))
    free = held[0].on_hand - held[0].reserved if held else Decimal(0)
    if not free:
        picking_goes_on(freed.orders, now=now)
        return False
    run = uuid4().hex
    post_movements(
        [
            Move(
                kind=StockMovement.Kind.MOVE,
                sku_id=level.sku_id,
                location_id=level.location_id,
                lot_id=level.lot_id,
                status=status,
                quantity=quantity,
                reason=Reason.EXPIRED,
                idempotency_key=f"expired:{run}:{status}",
                is_internal=True,
            )
            for status, quantity in ((StockStatus.AVAILABLE, -free), (StockStatus.BLOCKED, free))
        ],
        happened_at=now,
    )
    reserve_backorders({level.sku_id, *freed.skus}, now=now)
    picking_goes_on(freed.orders, now=now)
    return True
