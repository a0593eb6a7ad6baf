"""Stock as numbers: what is on hand, usable, reserved and available. The proof of it: `warehouses.selectors.drift`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from config.kernel.lookups import is_one_of
from warehouses.models import Location, StockLevel, StockStatus
from warehouses.selectors.drift import drifting_levels, drifting_lines

__all__ = ["Position", "drifting_levels", "drifting_lines", "stock_positions", "usable"]


@dataclass(frozen=True, slots=True)
class Position:
    """Units of one SKU in one warehouse. available = usable − reserved; what is in transit to it is not on hand yet."""

    on_hand: Decimal = Decimal(0)
    usable: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    in_transit: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        return self.usable - self.reserved


def usable(today: date | None = None) -> Q:
    """The levels whose stock can be promised and shipped: available, in an active, usable bin, not expired `today`."""
    places = Q(status=StockStatus.AVAILABLE, location__kind__in=Location.USABLE, location__is_active=True)
    if today is None:
        return places
    return places & (Q(lot=None) | Q(lot__expires_on=None) | Q(lot__expires_on__gte=today))


def stock_positions(
    sku_ids: Iterable[int] | None = None, *, today: date | None = None
) -> dict[tuple[int, int], Position]:
    """(sku id, warehouse id) → Position, in one query; all SKUs with a level when none are named.

    With `today`, lots that expired before it are on hand but not usable.
    """
    in_transit = Q(location__kind=Location.Kind.IN_TRANSIT)
    levels = StockLevel.objects.all() if sku_ids is None else StockLevel.objects.filter(is_one_of("sku_id", sku_ids))
    rows = (
        levels.order_by()
        .values("sku_id", "location__warehouse_id")
        .annotate(
            total=Sum("on_hand", filter=~in_transit, default=Decimal(0)),
            usable_total=Sum("on_hand", filter=usable(today), default=Decimal(0)),
            # What is picked lies in packing: reserved, and no more among the usable units.
            reserved_total=Sum("reserved", filter=usable(today), default=Decimal(0)),
            transit_total=Sum("on_hand", filter=in_transit, default=Decimal(0)),
        )
        .values_list("sku_id", "location__warehouse_id", "total", "usable_total", "reserved_total", "transit_total")
    )
    return {(sku, warehouse): Position(*figures) for sku, warehouse, *figures in rows}
