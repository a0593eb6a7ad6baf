"""Lots as numbers: what has expired and still lies in the house."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from warehouses.models import Location, StockLevel


@dataclass(frozen=True, slots=True)
class ExpiredStock:
    """Units of an expired lot in one warehouse, whatever their status."""

    lot_id: int
    lot: str
    sku: str
    warehouse_id: int
    warehouse: str
    expires_on: date
    units: Decimal


def expired_stock(today: date) -> list[ExpiredStock]:
    """What should be thrown away or sent back, by lot and warehouse; what is in transit is not there yet."""
    rows = (
        StockLevel.objects.filter(lot__expires_on__lt=today, on_hand__gt=0)
        .exclude(location__kind=Location.Kind.IN_TRANSIT)
        .order_by("lot_id", "location__warehouse_id")
        .values_list(
            "lot_id",
            "lot__code",
            "sku__code",
            "location__warehouse_id",
            "location__warehouse__name",
            "lot__expires_on",
        )
        .annotate(units=Sum("on_hand"))
    )
    return [ExpiredStock(*row) for row in rows]
