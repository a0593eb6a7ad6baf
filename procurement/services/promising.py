"""What buying tells the promises to customers: what suppliers owe us, by day, and the stock held back for safety.

Registered with `warehouses.selectors.inbound` when the app is ready.
"""

import math
from collections.abc import Collection
from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from forecasting.models import Forecast
from forecasting.selectors import latest_run
from forecasting.selectors.adjusted import adjusted_forecasts
from procurement.models import PurchaseOrder, PurchaseOrderLine
from procurement.services.aims import planned_items
from procurement.services.inputs import NO_SUPPLY, engine_input, segment_of, service_corrections
from warehouses.selectors.inbound import Inbound, Pair


def open_orders(sku_ids: Collection[int]) -> list[Inbound]:
    """Lines of orders that the supplier has, as far as they are still to come: by the day promised, else asked for."""
    lines = (
        PurchaseOrderLine.objects.filter(
            sku_id__in=list(sku_ids),
            order__status__in=PurchaseOrder.RECEIVABLE,
            quantity__gt=F("received_quantity"),
        )
        .exclude(status=PurchaseOrderLine.Status.REJECTED)
        .annotate(day=Coalesce("promised_on", "need_by"), left=F("quantity") - F("received_quantity"))
        .order_by("pk")
    )
    rows = lines.values_list("sku_id", "order__warehouse_id", "day", "left", "order__number")
    return [Inbound(*row) for row in rows]


def held_back(sku_ids: Collection[int]) -> dict[Pair, Decimal]:
    """The safety stock of the run in force, as the plan works it out: reorder point less expected demand, in whole
    units; pairs without a forecast or a supplier item hold nothing back. Overrides of planners count. At most thirteen
    queries."""
    from procurement.engine.errors import ParameterError
    from procurement.engine.replenishment import plan_item

    run = latest_run()
    if run is None:
        return {}
    items, corrections = planned_items(sku_ids), service_corrections()
    rows = Forecast.objects.filter(run=run, sku_id__in=list(sku_ids)).order_by("pk")
    rows = rows.only(
        "sku_id",
        "warehouse_id",
        "protection_days",
        "protection_mean",
        "protection_sd",
        "protection_quantiles",
        "value_class",
        "demand_class",
    )
    found: dict[Pair, Decimal] = {}
    for forecast in adjusted_forecasts(run, rows, on=timezone.localdate(), sku_ids=sku_ids):
        pair = (forecast.sku_id, forecast.warehouse_id)
        planned = items.get(pair)
        if planned is None:
            continue
        correction = corrections.get((pair[1], segment_of(forecast)), 1.0)
        item = engine_input(planned, forecast, run.quantile_levels, NO_SUPPLY, pair, lines=1, correction=correction)
        try:
            safety_stock = plan_item(item).safety_stock
        except ParameterError:  # the plan names such items; nothing is held back for them
            continue
        if (units := math.ceil(safety_stock)) > 0:
            found[pair] = Decimal(units)
    return found
