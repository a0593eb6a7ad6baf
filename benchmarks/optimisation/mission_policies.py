"""The contestants: order-up-to levels a week, from one knob (a safety factor, a target, or the panel's caution).

Everybody knows the same: demand up to the forecast, the learned half of the lead times, prices. Levels (26, items) hold
from each Monday's review on. Forecasts are made every `half.step` days; what is recomputed between them is said below.

- `seasonal_naive`: last week repeated; σ = root mean square of the errors that rule made on sums over L + R.
- `auto_ets`: statsforecast's mean; σ² = sum of the steps' variances (its own intervals).
  Both: S = mean + z·√(σ² + d²·σ_L²), the same z for all, or z from the normal loss function at a fill rate, n(S) ≤
  (1 − β)·d·R (Silver, Pyke & Thomas, ch. 7).
- `ours`: forecast of `manage.py forecast`, levels of `procurement.engine.policies.aggregate_target`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from benchmarks.optimisation.mission_data import DAYS, REVIEW, Array, Half, LeadTimes
from benchmarks.optimisation.mission_forecasts import LEVELS, WINDOWS, Windows
from procurement.engine.policies.aggregate_target import SharedTarget, levels_at
from procurement.engine.policies.demand_scale import (
    crossing_lead_time_sd,
    demand_scale,
    mean_since,
    shrunk_to_panel,
)

WEEKS = DAYS // REVIEW
NINETY_FIVE = LEVELS.index(0.95)
Z95 = 1.6448536269514722
Levels = Callable[[float], Array]


def at_window(values: Array, days: Array) -> Array:
    """`values` (items, windows, …) read at each item's own window, linear between the windows forecast."""
    grid = np.array(WINDOWS, float)
    days = np.clip(days, grid[0], grid[-1])
    place = np.clip(np.searchsorted(grid, days, side="right") - 1, 0, len(grid) - 2)
    share = (days - grid[place]) / (grid[place + 1] - grid[place])
    share = share.reshape((-1,) + (1,) * (values.ndim - 2))
    rows = np.arange(len(values))
    found: Array = values[rows, place] * (1.0 - share) + values[rows, place + 1] * share
    return found


@dataclass(frozen=True)
class Setting:
    """One half year under one set of lead times; `protection` = mean lead time + review, in days."""

    half: Half
    lead: LeadTimes
    sums: Array = field(init=False)

    def __post_init__(self) -> None:
        zero = np.zeros((len(self.half.ids), 1))
        object.__setattr__(self, "sums", np.concatenate([zero, self.half.sales.cumsum(axis=1)], axis=1))

    @cached_property
    def protection(self) -> Array:
        return self.lead.learned.mean(axis=1) + REVIEW

    @cached_property
    def lead_sd(self) -> Array:
        return self.lead.learned.std(axis=1)

    def known(self, week: int, fresh: bool = False) -> int:
        """Days known when the forecast in force was made, or (fresh) on the review day itself."""
        day = week * REVIEW
        return self.half.start + (day if fresh else day // self.half.step * self.half.step)

    def weekly(self, of_forecast: Callable[[int], Array]) -> Array:
        """(26, items) from a value per forecast."""
        made = [of_forecast(place) for place in range(len(self.half.cutoffs))]
        return np.array([made[week * REVIEW // self.half.step] for week in range(WEEKS)])


def normal_levels(setting: Setting, mean: Array, sd: Array) -> tuple[Levels, Levels]:
    """(levels by z, levels by fill rate) of a normal safety stock with lead-time variance; mean, sd (26, items)."""
    daily = mean / setting.protection
    sigma = np.sqrt(sd**2 + (daily * setting.lead_sd) ** 2)

    def by_z(z: float) -> Array:
        return np.maximum(mean + z * sigma, 0.0)

    def by_fill(share: float) -> Array:
        wanted = (1.0 - share) * daily * REVIEW / np.maximum(sigma, 1e-9)
        low, high = np.full(wanted.shape, -8.0), np.full(wanted.shape, 8.0)
        for _ in range(50):
            middle = (low + high) / 2.0
            enough = np.exp(-0.5 * middle**2) / np.sqrt(2 * np.pi) - middle * ndtr(-middle) <= wanted
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.maximum(mean + high * sigma, 0.0)

    return by_z, by_fill


def seasonal_naive(setting: Setting) -> tuple[Levels, Levels]:
    window = np.round(setting.protection).astype(int)

    def parts(place: int) -> tuple[Array, Array]:
        known, sums = setting.half.cutoffs[place] + 1, setting.sums
        mean, sd = np.zeros(len(window)), np.zeros(len(window))
        for item, days in enumerate(window):
            made = np.arange(max(setting.half.first[item], 0) + 7, known - days + 1)
            last = (sums[item, made] - sums[item, made - 7]) * days / 7.0
            error = sums[item, made + days] - sums[item, made] - last
            mean[item] = (sums[item, known] - sums[item, known - 7]) * setting.protection[item] / 7.0
            sd[item] = np.sqrt(np.mean(error**2)) if len(made) else 0.0
        return mean, sd

    made = [parts(place) for place in range(len(setting.half.cutoffs))]
    return normal_levels(setting, *(setting.weekly(lambda place, k=k: made[place][k]) for k in (0, 1)))


def auto_ets(setting: Setting, forecast: Windows, *, update: bool = False) -> tuple[Levels, Levels]:
    """`update`: its mean follows the sales between two forecasts as ours does (not part of the baseline)."""
    mean = setting.weekly(lambda place: at_window(forecast.mean[place], setting.protection))
    high = setting.weekly(lambda place: at_window(forecast.quantiles[place], setting.protection)[:, NINETY_FIVE])
    sd = np.maximum(high - mean, 0.0) / Z95
    if update:
        mean = np.array([updated(setting, mean[week], week) for week in range(WEEKS)])
    return normal_levels(setting, mean, sd)


def updated(setting: Setting, mean: Array, week: int) -> Array:
    """The mean over L + R after the sales since the forecast in force."""
    known, now, days = setting.known(week), setting.known(week, fresh=True), setting.protection
    sold = setting.sums[:, now] - setting.sums[:, known]
    return mean_since(mean / days, sold, now - known) * days


def daily_sd(setting: Setting, known: int) -> Array:
    """Standard deviation of a day's demand over the last year, from the first sale on."""
    first = np.maximum(setting.half.first, known - 365)
    counted = np.arange(known)[None, :] >= first[:, None]
    sales, days = setting.half.sales[:, :known], counted.sum(axis=1)
    mean = (sales * counted).sum(axis=1) / days
    return np.sqrt((((sales - mean[:, None]) ** 2) * counted).sum(axis=1) / days)


def ours(setting: Setting, forecast: Windows, *, units: bool = False, update: bool = True) -> list[SharedTarget]:
    """What the engine is asked, week by week. `units`: a unit fill rate (worth 1), else a value fill rate (price).

    `update`: each week the mean follows what was sold since the forecast and σ counts the days since.
    """
    half, days = setting.half, setting.protection
    lead_sd = crossing_lead_time_sd(setting.lead.learned, REVIEW)
    asked = []
    for week in range(WEEKS):
        place = week * REVIEW // half.step
        known, now = setting.known(week), setting.known(week, fresh=True)
        forecast_mean = at_window(forecast.mean[place], days)
        high = at_window(forecast.quantiles[place], days)[:, NINETY_FIVE]
        scale = demand_scale(forecast_mean, high, 0.95, daily_sd(setting, now if update else known), days)
        mean = updated(setting, forecast_mean, week) if update else forecast_mean
        scale = shrunk_to_panel(scale, mean, half.price)
        scale = np.sqrt(scale**2 + (mean / days * lead_sd) ** 2)
        worth = np.ones(len(mean)) if units else half.price
        review = np.full(len(mean), float(REVIEW))
        asked.append(
            SharedTarget(
                mean=mean,
                scale=scale,
                protection_days=days,
                review_days=review,
                unit_cost=half.cost,
                worth=worth,
            )
        )
    return asked


def levels_of(asked: list[SharedTarget], caution: float | Array) -> Array:
    """(26, items), rounded to the nearest whole unit; one caution for all weeks or one a week."""
    each = np.broadcast_to(caution, (len(asked),))
    return np.array([np.floor(levels_at(target, float(x)) + 0.5) for target, x in zip(asked, each, strict=True)])
