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
from procurement.engine.errors import ParameterError
from procurement.engine.explanation import Derivation
from procurement.engine.reorder_point import demand_curve, derive_reorder_point
from procurement.engine.replenishment_types import ReplenishmentInput
from procurement.models import PurchaseOrder, PurchaseOrderLine
from procurement.services.aims import planned_items
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
    units; pairs without a forecast or a supplier item hold nothing back. Overrides of planners count. At most eleven
    queries."""
    run = latest_run()
    if run is None:
        return {}
    items = planned_items(sku_ids)
    rows = Forecast.objects.filter(run=run, sku_id__in=list(sku_ids)).order_by("pk")
    rows = rows.only(
        "sku_id", "warehouse_id", "protection_days", "protection_mean", "protection_sd", "protection_quantiles"
    )
    found: dict[Pair, Decimal] = {}
    for forecast in adjusted_forecasts(run, rows, on=timezone.localdate(), sku_ids=sku_ids):
        pair = (forecast.sku_id, forecast.warehouse_id)
        planned = items.get(pair)
        if planned is None:
            continue
        item = ReplenishmentInput(
            sku_key="",
            mean_daily_demand=forecast.protection_mean / forecast.protection_days,
            lead_time_days=float(planned.lead_time_days),
            review_days=float(planned.review_days),
            lead_time_sd_days=float(planned.item.supplier.lead_time_sd_days),
            protection_mean=forecast.protection_mean,
            protection_sd=forecast.protection_sd,
            protection_quantiles=dict(zip(run.quantile_levels, forecast.protection_quantiles, strict=True)),
            service_level=float(planned.policy.service_level),
        )
        derivation = Derivation()
        try:
            derive_reorder_point(derivation, item, demand_curve(item))
        except ParameterError:  # the plan names such items; nothing is held back for them
            continue
        if (units := math.ceil(derivation.values["safety_stock"])) > 0:
            found[pair] = Decimal(units)
    return found
