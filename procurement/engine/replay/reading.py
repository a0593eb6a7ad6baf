"""How the fields of `ReplayInput` are read: `put` holds them by name, each function replaces what it has checked."""

from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import (
    LARGEST,
    as_numbers,
    only_whole,
    per_item,
    per_item_and_time,
    per_item_rows,
    whole_days,
    within,
)

LONGEST_DAYS = 1e6

#: name → (lowest, highest, what else may stand there, must it lie above the lowest?)
PER_ITEM: dict[str, tuple[float, float, str, bool]] = {
    "review_days": (1.0, LONGEST_DAYS, "", False),
    "review_offset": (0.0, LONGEST_DAYS, "", False),
    "orders_cross": (0.0, 1.0, "", False),
    "is_lost": (0.0, 1.0, "", False),
    "minimum": (0.0, LARGEST, "", False),
    "pack": (0.0, LARGEST, "", False),
    "maximum_stock": (0.0, LARGEST, "inf", False),
    "shelf_life_days": (0.0, LONGEST_DAYS, "", False),
    "unit_cost": (0.0, LARGEST, "", False),
    "holding_rate_per_year": (0.0, LARGEST, "", False),
    "fixed_order_cost": (0.0, LARGEST, "", False),
    "stockout_cost": (0.0, LARGEST, "nan", False),
    "backorder_cost_per_day": (0.0, LARGEST, "", False),
}


def check_counts(put: dict[str, Any], days: int) -> None:
    for name, lowest, highest in (("warm_up_days", 0, days - 1), ("seed", 0, 2**63 - 1)):
        value = put[name]
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not lowest <= value <= highest:
            raise ParameterError(name, f"must be a whole number from {lowest} to {highest}")
    counted, batches = days - put["warm_up_days"], put["batches"]
    if isinstance(batches, bool) or not isinstance(batches, int | np.integer) or not 1 <= batches <= counted:
        raise ParameterError("batches", f"must be a whole number from 1 to the {counted} days that count")


def check_levels(put: dict[str, Any], items: int) -> None:
    changes = as_numbers("level_days", put["level_days"])
    if changes.ndim != 1 or not len(changes) or changes[0] != 0 or (np.diff(changes) <= 0).any():
        raise ParameterError("level_days", "must begin with day 0 and rise")
    within("level_days", changes, 0.0, LONGEST_DAYS)
    put["level_days"] = only_whole("level_days", changes)
    lots = put["lot"] = per_item_and_time("lot", put["lot"], items, len(changes))
    within("lot", lots)
    if put["order_up_to_level"] is None:
        if not lots.all() or put["reorder_point"] is None:
            raise ParameterError("order_up_to_level", "is missing: give S, or a reorder point with a lot above 0")
        put["order_up_to_level"] = lots + per_item_and_time("reorder_point", put["reorder_point"], items, len(changes))
    S = put["order_up_to_level"] = per_item_and_time("order_up_to_level", put["order_up_to_level"], items, len(changes))
    within("order_up_to_level", S, -LARGEST)
    s = (
        S
        if put["reorder_point"] is None
        else per_item_and_time("reorder_point", put["reorder_point"], items, len(changes))
    )
    within("reorder_point", s, -LARGEST)
    if ((s > S) & (lots == 0.0)).any():
        raise ParameterError("reorder_point", "must not be above the order-up-to level")
    put["reorder_point"] = s


def check_lead_times(put: dict[str, Any], items: int) -> None:
    days, draws = put["lead_time_days"], put["lead_time_draws"]
    if (days is None) == (draws is None):
        raise ParameterError("lead_time_days", "or lead_time_draws must be given, one of the two")
    if draws is None:
        put["lead_time_days"] = per_item("lead_time_days", days, items)
        within("lead_time_days", put["lead_time_days"], 0.0, LONGEST_DAYS)
        put["lead_times"] = whole_days("lead_time_days", put["lead_time_days"])[:, None]
        return
    put["lead_time_draws"] = per_item_rows("lead_time_draws", draws, items)
    within("lead_time_draws", put["lead_time_draws"], 0.0, LONGEST_DAYS)
    put["lead_times"] = whole_days("lead_time_draws", put["lead_time_draws"])


def check_opening(put: dict[str, Any], items: int) -> None:
    first = np.where(
        put["lot"][:, 0] > 0.0, put["reorder_point"][:, 0] + put["lot"][:, 0], put["order_up_to_level"][:, 0]
    )
    stock = np.maximum(first, 0.0) if put["opening_stock"] is None else put["opening_stock"]
    put["opening_stock"] = per_item("opening_stock", stock, items)
    within("opening_stock", put["opening_stock"])
    pipeline = np.zeros((items, 1)) if put["opening_pipeline"] is None else put["opening_pipeline"]
    put["opening_pipeline"] = per_item_rows("opening_pipeline", pipeline, items)
    within("opening_pipeline", put["opening_pipeline"])
