"""The kernel's answer for one item, in words: what `plan_item` explains is what a batch would have found."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from procurement.engine.policies.rows import policy_row
from procurement.engine.policies.tables import LEAD_TIME_CVS, lead_time_table, shape_table
from procurement.engine.policies.types import POLICY_MODELS, SEGMENTS, TARGET_KINDS
from procurement.engine.replenishment_types import ReplenishmentInput

_LAWS = ("normal", "gamma", "negative binomial", "empirical", "lognormal")
_REASONS = {
    "order_up_to": "an order costs no more than a review's demand saves",
    "min_max": "an order's fixed cost is shared by a larger lot",
    "fixed_lot": "packs make the lot",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Level and what is expected of it. `cover` is the demand to be covered before `corrected_cover` and rounding.

    `is_read_off`: the cover is the forecast's own quantile. `reason` names law and segment, for the source of a term.
    """

    level: float
    cover: float
    corrected_cover: float
    step: float
    lot: float
    cycle_service_level: float
    fill_rate: float
    model: str
    model_reason: str
    family: str
    segment: str
    sd: float
    is_read_off: bool
    reason: str


def solve_one(item: ReplenishmentInput, economic_lot: float) -> Answer:
    """The kernel on one item whose economic lot is known (price breaks may have decided it)."""
    levels = tuple(sorted(item.protection_quantiles))
    table = shape_table(levels)
    target = {"cycle_service_level": item.service_level, "fill_rate": item.fill_rate}.get(item.target_kind) or 0.95
    lead_sd = 0.0 if item.quantiles_include_lead_time else item.lead_time_sd_days
    row = policy_row(
        table.levels, table.scores, np.array([float(item.protection_quantiles[level]) for level in levels]),
        float(item.protection_mean), float(item.protection_sd), float(item.mean_daily_demand),
        float(item.lead_time_days), float(lead_sd), float(item.review_days),
        int(TARGET_KINDS.index(item.target_kind)), float(target), NormalDist().inv_cdf(target),
        bool(item.unmet_demand == "lost"), float(item.unit_cost), float(item.holding_cost_rate_per_year),
        float(item.fixed_cost_per_line),
        float("nan") if item.stockout_cost_per_unit is None else float(item.stockout_cost_per_unit),
        float(item.minimum_order_quantity), float(item.order_step),
        float("inf") if item.maximum_stock is None else float(item.maximum_stock), float(item.maximum_cover_days),
        int(POLICY_MODELS.index(item.model)), float(item.service_correction), bool(item.lead_times_cross),
        float(economic_lot), table.quantiles, table.variances, table.is_lognormal,
        LEAD_TIME_CVS, *lead_time_table(),
    )  # fmt: skip
    model, family, segment = POLICY_MODELS[int(row[6])], _LAWS[int(row[7])], SEGMENTS[int(row[8])]
    return Answer(
        level=row[0], cover=row[9], corrected_cover=row[11], step=row[12], lot=row[2],
        cycle_service_level=row[4], fill_rate=row[5], model=model, model_reason=_REASONS[model], family=family,
        segment=segment, sd=row[10], is_read_off=row[13] > 0.0,
        reason=f"{family} law, {segment} demand",
    )  # fmt: skip
