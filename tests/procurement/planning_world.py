"""A history for the planning tests: mugs that sell steadily, straight into the orders that demand is read off."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from catalog.models import Channel, Sku
from warehouses.models import SalesOrder, SalesOrderLine, ShippingRate, Warehouse


def sell_daily(
    sku: Sku, channel: Channel, warehouse: Warehouse, *, quantities: list[int], until: date, name: str = "H"
) -> None:
    """Imported orders, one a day, the last on `until`; a zero is a day without an order."""
    noon = time(12, tzinfo=ZoneInfo(channel.time_zone))
    first = until - timedelta(days=len(quantities) - 1)
    days = [(first + timedelta(days=n), quantity) for n, quantity in enumerate(quantities) if quantity]
    orders = SalesOrder.objects.bulk_create(
        SalesOrder(
            channel=channel,
            external_id=f"{name}-{sku.code}-{warehouse.code}-{day}",
            status=SalesOrder.Status.SHIPPED,
            is_history=True,
            currency=channel.currency,
            ordered_at=datetime.combine(day, noon),
        )
        for day, _quantity in days
    )
    SalesOrderLine.objects.bulk_create(
        SalesOrderLine(
            order=order,
            line_number=1,
            sku=sku,
            warehouse=warehouse,
            quantity=Decimal(quantity),
            shipped_quantity=Decimal(quantity),
            unit_price=sku.unit_price,
        )
        for order, (_day, quantity) in zip(orders, days, strict=True)
    )


def keep_apart(sku: Sku, *warehouses: Warehouse) -> None:
    """Carriage is dearer than the goods: what is short is bought, never moved from these warehouses."""
    Sku.objects.filter(pk=sku.pk).update(weight_kg=1)
    for warehouse in warehouses:
        ShippingRate.objects.create(warehouse=warehouse, base_cost=100_000)
