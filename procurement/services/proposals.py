"""Step 8 of the story: each SKU's position against its policy; what is below its reorder point becomes a proposal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Sku
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_forecasts
from forecasting.selectors.consumption import units_counted_twice
from procurement.models import Proposal
from procurement.selectors import draft_quantities, on_order_quantities
from procurement.services.aims import Pair, PlannedItem
from procurement.services.standing import locked_open_proposals, quiet_pairs, reconcile
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import Position, stock_positions

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

_PROPOSING_LOCK = 7_203_114  # advisory lock: one planner of proposals at a time
_ZERO = Decimal(0)
_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class ProposalCounts:
    below_reorder_point: int
    without_supplier: int
    new: int = 0
    withdrawn: int = 0
    refreshed: int = 0
    open: int = 0
    unplannable: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        return self.new + self.withdrawn + self.refreshed


@dataclass(frozen=True, slots=True)
class _Supply:
    """What is there and what is coming, per SKU and warehouse; `counted_twice` is both promised and still forecast."""

    positions: Mapping[Pair, Position]
    backordered: Mapping[Pair, Decimal]
    on_order: Mapping[Pair, Decimal]
    in_draft: Mapping[Pair, Decimal]
    counted_twice: Mapping[Pair, float]


def propose_reorders(
    run: ForecastRun, *, items: Mapping[Pair, PlannedItem], now: datetime, is_look_back: bool = False
) -> ProposalCounts:
    """Bring the open proposals in line with this run; planning twice changes nothing.

    Drafts and open orders count as supply. An open proposal that still says the same stays, with its dates and its
    explanation brought up to date; one that says something else is superseded by a new one; one no longer needed is
    withdrawn; a dismissed one keeps quiet until the next review. A look back proposes nothing: stock is today's. One
    transaction, one planner at a time (advisory lock), so that no SKU and warehouse ever has two open proposals.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PROPOSING_LOCK])
        # Before supply is read: an acceptance in between would be neither an open proposal nor a draft that was seen.
        open_now = locked_open_proposals()
        today = timezone.localdate(now)
        adjusted = adjusted_forecasts(run, _protection_forecasts(run), on=today)
        forecasts = {(f.sku_id, f.warehouse_id): f for f in adjusted}
        pairs = [pair for pair in forecasts if pair in items]
        results, unplannable = _decide(_inputs(run, items, forecasts, pairs, today))
        counts = ProposalCounts(
            below_reorder_point=sum(result.triggered for result in results.values()),
            without_supplier=_without_supplier(forecasts.keys() - set(pairs)),
            unplannable=tuple(unplannable),
        )
        if not is_look_back:
            quiet = quiet_pairs(items, now=now)
            wanted = {pair: p for pair, p in _proposals(run, results, items, today) if pair not in quiet}
            new, withdrawn, refreshed = reconcile(open_now, wanted)
            counts = replace(counts, new=new, withdrawn=withdrawn, refreshed=refreshed)
        return replace(counts, open=Proposal.objects.filter(status=Proposal.Status.OPEN).count())


def _inputs(
    run: ForecastRun,
    items: Mapping[Pair, PlannedItem],
    forecasts: Mapping[Pair, Forecast],
    pairs: list[Pair],
    today: date,
) -> dict[Pair, "ReplenishmentInput"]:
    supply = _Supply(
        stock_positions(today=today),
        backordered_quantities(),
        on_order_quantities(),
        draft_quantities(),
        units_counted_twice(run, today=today),
    )
    lines = Counter(_order_key(items[pair], pair) for pair in pairs)
    return {
        pair: _input(
            items[pair], forecasts[pair], run.quantile_levels, supply, pair, lines[_order_key(items[pair], pair)]
        )
        for pair in pairs
    }


def _without_supplier(pairs: Iterable[Pair]) -> int:
    """How many of these pairs should be bought but have nobody to buy from; what is phasing out is not bought."""
    pairs = list(pairs)
    bought = set(
        Sku.objects.filter(pk__in={sku for sku, _warehouse in pairs}, status__in=Sku.PLANNED).values_list(
            "pk", flat=True
        )
    )
    return sum(sku in bought for sku, _warehouse in pairs)


def _decide(inputs: Mapping[Pair, "ReplenishmentInput"]) -> tuple[dict[Pair, "ReplenishmentResult"], list[str]]:
    """The engine's decision for each pair; what it refuses is told, and never stops the others."""
    from procurement.engine.errors import ParameterError
    from procurement.engine.replenishment import plan_item

    results, refused = {}, []
    for pair, item in inputs.items():
        try:
            results[pair] = plan_item(item)
        except ParameterError as exc:
            refused.append(f"{item.sku_key}: {exc}")
    return results, refused


def _order_key(planned: PlannedItem, pair: Pair) -> tuple[int, int]:
    """(supplier id, warehouse id): what is ordered together, and shares the fixed cost of an order."""
    return planned.item.supplier_id, pair[1]


def _protection_forecasts(run: ForecastRun) -> Iterator[Forecast]:
    rows = Forecast.objects.filter(run=run).only(
        "sku_id", "warehouse_id", "protection_days", "protection_mean", "protection_sd", "protection_quantiles"
    )
    return rows.order_by("sku_id", "warehouse_id").iterator(chunk_size=5000)


def _input(
    planned: PlannedItem, forecast: Forecast, levels: list[float], supply: _Supply, pair: Pair, lines: int
) -> "ReplenishmentInput":
    """Decimals become floats here, on their way into the engine."""
    from procurement.engine.replenishment_types import ReplenishmentInput

    position = supply.positions.get(pair, Position())
    item, supplier, policy = planned.item, planned.item.supplier, planned.policy
    ordered = supply.counted_twice.get(pair, 0.0)
    return ReplenishmentInput(
        sku_key=item.sku.code,
        mean_daily_demand=forecast.protection_mean / forecast.protection_days,
        lead_time_days=float(planned.lead_time_days),
        review_days=float(planned.review_days),
        lead_time_sd_days=float(supplier.lead_time_sd_days),
        protection_mean=max(forecast.protection_mean - ordered, 0.0),
        protection_sd=forecast.protection_sd,
        protection_quantiles={
            level: max(units - ordered, 0.0) for level, units in zip(levels, forecast.protection_quantiles, strict=True)
        },
        service_level=float(policy.service_level),
        on_hand=float(position.usable),
        reserved=float(position.reserved),
        on_order=float(supply.on_order.get(pair, _ZERO)),
        in_draft=float(supply.in_draft.get(pair, _ZERO)),
        in_transit=float(position.in_transit),
        backordered=float(supply.backordered.get(pair, _ZERO)),
        unit_cost=float(item.unit_cost),
        price_breaks=tuple((float(quantity), float(cost)) for quantity, cost in planned.price_breaks),
        holding_cost_rate_per_year=float(policy.holding_cost_rate),
        fixed_order_cost=float(supplier.fixed_order_cost),
        lines_sharing_order=float(lines),
        minimum_order_quantity=float(item.minimum_order_quantity),
        pack_size=float(item.pack_size),
        maximum_stock=None if policy.maximum_stock is None else float(policy.maximum_stock),
    )


def _proposals(
    run: ForecastRun,
    results: Mapping[Pair, "ReplenishmentResult"],
    items: Mapping[Pair, PlannedItem],
    today: date,
) -> Iterator[tuple[Pair, Proposal]]:
    from procurement.engine.explanation import to_records

    for pair, result in results.items():
        if result.order_quantity <= 0:
            continue
        planned = items[pair]
        yield (
            pair,
            Proposal(
                run=run,
                sku_id=pair[0],
                warehouse_id=pair[1],
                supplier_id=planned.item.supplier_id,
                quantity=_units(result.order_quantity),
                unit_cost=Decimal(repr(result.unit_cost)).quantize(Decimal("0.0001")),
                currency=planned.item.supplier.currency,
                safety_stock=_units(result.safety_stock),
                reorder_point=_units(result.reorder_point),
                order_up_to_level=_units(result.order_up_to_level),
                inventory_position=_units(result.inventory_position),
                need_by=today + timedelta(days=planned.lead_time_days),
                days_of_cover=result.days_of_cover,
                explanation=to_records(result.explanation),
                warnings=list(result.warnings),
            ),
        )


def _units(value: float) -> Decimal:
    """Floats become Decimals here, on their way out of the engine: three decimals, as quantities are stored."""
    return Decimal(repr(value)).quantize(_THOUSANDTH)
