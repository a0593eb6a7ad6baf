"""What goes into a batch of policies and what comes out: arrays, one row an item (SKU × warehouse).

Shapes: N rows, K quantile levels. Times in days, money in one currency, quantities in units; float64 unless said.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int8]

#: Codes of `target_kind`, `model` and `family`; `POLICY_MODELS[code]` is the word used by services and screens.
TARGET_KINDS = ("cycle_service_level", "fill_rate", "cost")
POLICY_MODELS = ("automatic", "order_up_to", "min_max", "fixed_lot")
FAMILIES = ("normal", "gamma", "negative_binomial", "empirical")
SEGMENTS = ("smooth", "erratic", "intermittent", "lumpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBatch:
    """Inputs of N rows that share the quantile `levels`; see `batch_of` for one with defaults.

    `quantiles` (N, K) and `protection_*` describe the SUM of demand over L + R at the MEAN lead time. `target` is a
    share (ignored for cost, where the critical ratio p/(p + h) is aimed at). `stockout_cost` per unit, nan unknown.
    `service_correction` multiplies the safety stock; `lead_times_cross` says that orders may overtake each other.
    """

    levels: Array
    quantiles: Array
    protection_mean: Array
    protection_sd: Array
    mean_daily_demand: Array
    lead_time_days: Array
    lead_time_sd_days: Array
    review_days: Array
    target_kind: Codes
    target: Array
    is_lost: NDArray[np.bool_]
    unit_cost: Array
    holding_rate_per_year: Array
    fixed_order_cost: Array
    stockout_cost: Array
    minimum: Array
    pack: Array
    maximum_stock: Array
    maximum_cover_days: Array
    model: Codes
    service_correction: Array
    lead_times_cross: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.protection_mean)

    def rows(self, start: int, end: int) -> "PolicyBatch":
        """The rows from `start` up to `end`, as views."""
        return PolicyBatch(
            levels=self.levels,
            **{name: getattr(self, name)[start:end] for name in ROW_FIELDS},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLevels:
    """The levels of N rows. `cycle_service_level` and `fill_rate` are what is expected of them; `lot` is nQ's Q."""

    reorder_point: Array
    order_up_to_level: Array
    lot: Array
    safety_stock: Array
    cycle_service_level: Array
    fill_rate: Array
    model: Codes
    family: Codes
    segment: Codes


ROW_FIELDS = tuple(field.name for field in fields(PolicyBatch) if field.name != "levels")
_DEFAULTS: dict[str, tuple[float, type]] = {
    "protection_sd": (0.0, np.float64),
    "lead_time_sd_days": (0.0, np.float64),
    "target_kind": (0, np.int8),
    "target": (0.95, np.float64),
    "is_lost": (False, np.bool_),
    "unit_cost": (0.0, np.float64),
    "holding_rate_per_year": (0.0, np.float64),
    "fixed_order_cost": (0.0, np.float64),
    "stockout_cost": (np.nan, np.float64),
    "minimum": (0.0, np.float64),
    "pack": (1.0, np.float64),
    "maximum_stock": (np.inf, np.float64),
    "maximum_cover_days": (365.0, np.float64),
    "model": (0, np.int8),
    "service_correction": (1.0, np.float64),
    "lead_times_cross": (False, np.bool_),
}


def batch_of(levels: Array, quantiles: Array, **columns: object) -> PolicyBatch:
    """A `PolicyBatch` from columns that may be numbers, which then hold for every row, or be left out where usual."""
    rows = len(quantiles)
    values: dict[str, NDArray[np.generic]] = {}
    for name in ROW_FIELDS:
        if name == "quantiles":
            continue
        default, kind = _DEFAULTS.get(name, (None, np.float64))
        value = columns.get(name, default)
        if value is None:
            raise TypeError(f"{name} is missing")
        values[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=kind), (rows,)))
    unknown = set(columns) - set(values)
    if unknown:
        raise TypeError(f"unknown columns: {', '.join(sorted(unknown))}")
    return PolicyBatch(
        levels=np.ascontiguousarray(levels, dtype=np.float64),
        quantiles=np.ascontiguousarray(quantiles, dtype=np.float64),
        **values,  # type: ignore[arg-type]
    )
