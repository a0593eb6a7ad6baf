"""What the engine is given for a SKU at a warehouse: forecast, supply, aims, and what the supplier's terms allow."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings

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


@dataclass(frozen=True, slots=True)
class SharedAim:
    """An item's part of one fill rate for many: its cycle service level, its weight among them, and what the spread
    of its forecast is multiplied by."""

    fill_rate: float
    service_level: float
    weight: float
    spread: float = 1.0

    def applied_to(self, item: "ReplenishmentInput") -> "ReplenishmentInput":
        """The item aimed at its part; every quantile at mean + spread·(quantile − mean), not below zero."""
        mean = item.protection_mean
        return replace(
            item,
            target_kind="cycle_service_level",
            service_level=self.service_level,
            protection_sd=item.protection_sd * self.spread,
            protection_quantiles={
                level: max(mean + (units - mean) * self.spread, 0.0)
                for level, units in item.protection_quantiles.items()
            },
            shared_fill_rate=self.fill_rate,
            shared_weight=self.weight,
            shared_spread=self.spread,
        )


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
    shared: "SharedAim | None" = None,
) -> "ReplenishmentInput":
    """Decimals become floats here, on their way into the engine. `shared`: the item's part of its policy's target."""
    from procurement.engine.replenishment_types import ReplenishmentInput

    position = supply.positions.get(pair, Position())
    item, policy = planned.item, planned.policy
    ordered = supply.counted_twice.get(pair, 0.0)
    moving = supply.moving.get(pair, _ZERO)
    found = ReplenishmentInput(
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
        stockout_cost_per_unit=in_supplier_currency(planned, stockout_cost(planned)),
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
    return found if shared is None else shared.applied_to(found)


def in_supplier_currency(planned: PlannedItem, amount: float | None) -> float | None:
    """Money of the company as the supplier's. There are no exchange rates: what a unit costs in both currencies tells.

    Bought at 5.00, which cost 4.00 of ours: 8.00 of ours are 10.00. None where the SKU's cost or the supplier's is 0.
    """
    if amount is None or planned.item.supplier.currency == settings.COMPANY_CURRENCY:
        return amount
    ours, theirs = planned.item.sku.unit_cost, planned.item.unit_cost
    return amount * float(theirs / ours) if ours and theirs else None


def stockout_cost(planned: PlannedItem) -> float | None:
    """The policy's share of the list price, in the company's currency; None where either is unknown, which the aim of
    least cost refuses."""
    share, price = planned.policy.stockout_cost_share, planned.item.sku.unit_price
    return None if share is None or not price else float(share * price)


def _float(value: Decimal | int | None) -> float | None:
    return None if value is None else float(value)
