"""What the plan of a run gives the engine for every SKU and warehouse, read again chunk by chunk without deciding."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from catalog.models import Sku
from config.kernel.lookups import is_one_of
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_forecasts
from forecasting.selectors.consumption import units_counted_twice
from procurement.models import SupplierItem
from procurement.selectors import draft_quantities, on_order_quantities
from procurement.selectors_optimising import open_transfer_quantities
from procurement.services.aims import Pair, PlannedItem, planned_items, sku_chunks
from procurement.services.inputs import Supply, engine_input, segment_of, service_corrections
from procurement.services.shared_targets import shared_aims
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import stock_positions

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput

ROWS_AT_A_TIME = 1000
Inputs = dict[Pair, "ReplenishmentInput"]


def planned_inputs(run: ForecastRun, *, today: date) -> Iterator[tuple[dict[Pair, PlannedItem], Inputs, int, int]]:
    """(what holds for each, what the engine is given, SKUs done, SKUs in all) of each chunk."""
    supply = supply_of(run, today=today)
    corrections, sharing = service_corrections(), lines_sharing(run)
    shared = shared_aims(run, today=today, counted_twice=supply.counted_twice, sharing=sharing)
    skus = list(Forecast.objects.filter(run=run).order_by("sku_id").values_list("sku_id", flat=True).distinct())
    for place, chunk in enumerate(sku_chunks(skus, ROWS_AT_A_TIME)):
        items = planned_items(chunk, today=today)
        rows = Forecast.objects.filter(is_one_of("sku_id", chunk), run=run).defer("mean", "quantiles", "scores")
        forecasts = adjusted_forecasts(run, rows.order_by("sku_id", "warehouse_id"), on=today, sku_ids=chunk)
        here = replace(supply, positions=stock_positions(chunk, today=today))
        inputs = {
            pair: engine_input(
                items[pair],
                forecast,
                run.quantile_levels,
                here,
                pair,
                lines=sharing[items[pair].item.supplier_id, pair[1]] or 1,
                correction=corrections.get((pair[1], segment_of(forecast)), 1.0),
                shared=shared.get(pair),
            )
            for forecast in forecasts
            if (pair := (forecast.sku_id, forecast.warehouse_id)) in items
        }
        yield items, inputs, place * ROWS_AT_A_TIME, len(skus)


def supply_of(run: ForecastRun, *, today: date) -> Supply:
    """What is coming or promised everywhere; positions are read chunk by chunk."""
    return Supply(
        {},
        backordered_quantities(),
        on_order_quantities(),
        draft_quantities(),
        units_counted_twice(run, today=today),
        open_transfer_quantities(),
    )


def lines_sharing(run: ForecastRun) -> Counter[tuple[int, int]]:
    """(supplier id, warehouse id) → lines that are ordered together and share an order's cost."""
    bought = SupplierItem.objects.filter(
        is_preferred=True, is_active=True, supplier__is_active=True, sku__status__in=Sku.PLANNED
    )
    suppliers = dict(bought.values_list("sku_id", "supplier_id"))
    pairs = Forecast.objects.filter(run=run).values_list("sku_id", "warehouse_id").iterator(chunk_size=10_000)
    return Counter((suppliers[sku], warehouse) for sku, warehouse in pairs if sku in suppliers)
