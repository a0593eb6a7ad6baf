"""Who is below the reorder point? Asked of many at once; only those get the decision with its terms."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from procurement.services.aims import Pair

if TYPE_CHECKING:
    from procurement.engine.policies.types import PolicyBatch
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

FEWEST = 200
"""Fewer are decided one by one: the kernels of a batch take longer to load."""
LARGEST = 1e11
"""Units. What a quantity of the database cannot hold is refused by name, and does not end the plan for the others."""
MARGIN = 1.0
"""Units. A position so little above its reorder point is decided one by one: roundings are not left to the batch."""
SHARE = 0.02
"""Of the reorder point, where that is more than MARGIN."""


@dataclass(slots=True)
class Decided:
    """The decisions that matter: of what is below its reorder point, and of what was asked for whole."""

    below: int = 0
    refused: list[str] = field(default_factory=list)
    inputs: dict[Pair, "ReplenishmentInput"] = field(default_factory=dict)
    results: dict[Pair, "ReplenishmentResult"] = field(default_factory=dict)


def decide(inputs: Mapping[Pair, "ReplenishmentInput"], *, whole: Collection[Pair]) -> Decided:
    """The engine's decision for each pair; what it refuses is told, and never stops the others."""
    from procurement.engine.errors import ParameterError
    from procurement.engine.replenishment import plan_item

    found = Decided()
    needless = _clearly_above(inputs) if len(inputs) >= FEWEST else set()
    for pair, item in inputs.items():
        if pair in needless and pair not in whole:
            continue
        try:
            result = plan_item(item)
            _refuse_oversized(result)
        except ParameterError as exc:
            found.refused.append(f"{item.sku_key}: {exc}")
            continue
        found.below += result.triggered
        if result.triggered or pair in whole:
            found.inputs[pair], found.results[pair] = item, result
    return found


def _refuse_oversized(result: "ReplenishmentResult") -> None:
    from procurement.engine.errors import ParameterError

    for name in ("order_quantity", "order_up_to_level", "inventory_position"):
        if abs(getattr(result, name)) >= LARGEST:
            raise ParameterError(name, f"must stay below {LARGEST:,.0f} units")


def _clearly_above(inputs: Mapping[Pair, "ReplenishmentInput"]) -> set[Pair]:
    """Pairs whose position is above the reorder point the batch finds; none where the batch refuses a column."""
    from procurement.engine.errors import ParameterError
    from procurement.engine.policies.solve import solve_policies

    # Price breaks, shelf lives and limits change the lot, and with it the level: those are decided one by one.
    plain = {
        pair: item
        for pair, item in inputs.items()
        if not item.price_breaks and item.shelf_life_days is None and item.order_maximum is None
    }
    if not plain:
        return set()
    try:
        points = solve_policies(batch_from(list(plain.values()))).reorder_point
    except ParameterError:
        return set()
    return {
        pair
        for (pair, item), point in zip(plain.items(), points, strict=True)
        if _position(item) > point + max(MARGIN, SHARE * point)
    }


def _position(item: "ReplenishmentInput") -> float:
    return item.on_hand - item.reserved - item.backordered + item.on_order + item.in_draft + item.in_transit


def batch_from(items: list["ReplenishmentInput"]) -> "PolicyBatch":
    """The columns of these inputs, which share their quantile levels."""
    import numpy as np

    from procurement.engine.policies.types import POLICY_MODELS, TARGET_KINDS, batch_of

    levels = sorted(items[0].protection_quantiles)
    names = (
        "protection_mean",
        "protection_sd",
        "mean_daily_demand",
        "lead_time_days",
        "lead_time_sd_days",
        "review_days",
        "unit_cost",
        "maximum_cover_days",
        "service_correction",
        "lead_times_cross",
    )
    return batch_of(
        np.array(levels),
        np.array([[item.protection_quantiles[level] for level in levels] for item in items]),
        target_kind=[TARGET_KINDS.index(item.target_kind) for item in items],
        target=[item.fill_rate if item.target_kind == "fill_rate" else item.service_level for item in items],
        is_lost=[item.unmet_demand == "lost" for item in items],
        holding_rate_per_year=[item.holding_cost_rate_per_year for item in items],
        fixed_order_cost=[item.fixed_cost_per_line for item in items],
        stockout_cost=[
            np.nan if item.stockout_cost_per_unit is None else item.stockout_cost_per_unit for item in items
        ],
        minimum=[item.minimum_order_quantity for item in items],
        pack=[item.order_step for item in items],
        maximum_stock=[np.inf if item.maximum_stock is None else item.maximum_stock for item in items],
        model=[POLICY_MODELS.index(item.model) for item in items],
        **{name: [getattr(item, name) for item in items] for name in names},
    )
