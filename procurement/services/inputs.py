"""What the engine is given for a SKU at a warehouse: forecast, supply, aims, and what the supplier's terms allow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from forecasting.models import Forecast
from procurement.models import ServiceCorrection, SupplierItem
from procurement.services.aims import Pair, PlannedItem
from warehouses.selectors.stock import Position

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Supply:
    """What is there and what is coming, per SKU and warehouse; `counted_twice` is both promised and still forecast.

    `moving`: units that open transfer proposals bring (or take away, below zero), before anything is bought.
    """

    positions: Mapping[Pair, Position]
    backordered: Mapping[Pair, Decimal]
    on_order: Mapping[Pair, Decimal]
    in_draft: Mapping[Pair, Decimal]
    counted_twice: Mapping[Pair, float]
    moving: Mapping[Pair, Decimal] = field(default_factory=dict)


NO_SUPPLY = Supply({}, {}, {}, {}, {})


def service_corrections() -> dict[tuple[int, str], float]:
    """(warehouse id, segment) → what measuring taught to multiply the safety stock by."""
    rows = ServiceCorrection.objects.values_list("warehouse_id", "segment", "factor")
    return {(warehouse, segment): factor for warehouse, segment, factor in rows}


def segment_of(forecast: Forecast) -> str:
    """Value and demand class, as service is measured by: "A lumpy"."""
    return f"{forecast.value_class} {forecast.demand_class}".strip()


def engine_input(
    planned: PlannedItem,
    forecast: Forecast,
    levels: list[float],
    supply: Supply,
    pair: Pair,
    *,
    lines: int,
    correction: float = 1.0,
) -> "ReplenishmentInput":
    """Decimals become floats here, on their way into the engine."""
    from procurement.engine.replenishment_types import ReplenishmentInput

    position = supply.positions.get(pair, Position())
    item, policy = planned.item, planned.policy
    ordered = supply.counted_twice.get(pair, 0.0)
    moving = supply.moving.get(pair, _ZERO)
    return ReplenishmentInput(
        sku_key=item.sku.code,
        mean_daily_demand=forecast.protection_mean / forecast.protection_days,
        lead_time_days=float(planned.lead_time_days),
        review_days=float(planned.review_days),
        lead_time_sd_days=float(planned.lead_time_sd_days),
        protection_mean=max(forecast.protection_mean - ordered, 0.0),
        protection_sd=forecast.protection_sd,
        protection_quantiles={
            level: max(units - ordered, 0.0) for level, units in zip(levels, forecast.protection_quantiles, strict=True)
        },
        service_level=float(policy.service_level),
        fill_rate=float(policy.fill_rate),
        target_kind=policy.target,
        unmet_demand=policy.unmet_demand,
        model=policy.model,
        service_correction=correction,
        stockout_cost_per_unit=stockout_cost(planned),
        on_hand=float(position.usable + min(moving, _ZERO)),
        reserved=float(position.reserved),
        on_order=float(supply.on_order.get(pair, _ZERO)),
        in_draft=float(supply.in_draft.get(pair, _ZERO)),
        in_transit=float(position.in_transit + max(moving, _ZERO)),
        backordered=float(supply.backordered.get(pair, _ZERO)),
        unit_cost=float(item.unit_cost),
        price_breaks=tuple((float(quantity), float(cost)) for quantity, cost in planned.price_breaks),
        incremental=item.discount == SupplierItem.Discount.INCREMENTAL,
        holding_cost_rate_per_year=float(policy.holding_cost_rate),
        fixed_order_cost=float(item.supplier.fixed_order_cost),
        lines_sharing_order=float(lines),
        minimum_order_quantity=float(item.minimum_order_quantity),
        pack_size=float(item.pack_size),
        pallet_size=_float(item.pallet_size),
        order_maximum=_float(item.maximum_order_quantity),
        maximum_stock=_float(policy.maximum_stock),
        maximum_cover_days=float(policy.maximum_cover_days),
        shelf_life_days=_float(item.sku.shelf_life_days),
    )


def stockout_cost(planned: PlannedItem) -> float | None:
    """The policy's share of the list price; None where either is unknown, which the aim of least cost refuses."""
    share, price = planned.policy.stockout_cost_share, planned.item.sku.unit_price
    return None if share is None or not price else float(share * price)


def _float(value: Decimal | int | None) -> float | None:
    return None if value is None else float(value)
