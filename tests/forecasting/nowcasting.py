"""Orders and a forecast in force, so that the tests can say how demand stands against it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.monitoring.forecasts import expect, make_run
from warehouses.models import SalesOrder, SalesOrderLine


def make_forecast(world: Any, *, per_day: float = 10.0, **more: Any) -> Any:
    """Mugs in MAIN, `per_day` every day as of yesterday; a window of 20 days with φ = 1 and v₀ = .04."""
    window = per_day * 20
    fields = {
        "quantiles": [[per_day] * 60] * 3,
        "protection_sd": (window + window**2 * 0.04) ** 0.5,
        "protection_quantiles": [window * 0.7, window, window * 1.3],
        **more,
    }
    return expect(make_run(), world.mug, world.main, per_day=per_day, **fields)


def place_order(world: Any, units: float, *, at: datetime, number: str, **more: Any) -> SalesOrderLine:
    """One line of mugs in MAIN from the web shop."""
    order = SalesOrder.objects.create(
        channel=more.pop("channel", world.web), external_id=number, status="reserved", currency="GBP", ordered_at=at
    )
    return SalesOrderLine.objects.create(
        order=order,
        line_number=1,
        sku=more.pop("sku", world.mug),
        warehouse=more.pop("warehouse", world.main),
        quantity=Decimal(str(units)),
        unit_price=9,
        **more,
    )
