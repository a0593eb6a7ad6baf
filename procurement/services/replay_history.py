"""The past a replay runs on: demand as it was wanted, worlds drawn from it, and what was known of it day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from forecasting.models import Forecast, ForecastRun
from forecasting.selectors import demand_panel, in_stock_panel
from procurement.services.aims import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
KNOWN_DAYS = 364  # what a level was learned from, before each of its days
RECENT_DAYS = 56
LEAST_KNOWN = 56
BLOCK_DAYS = 28
DRIFT_WEEKS = 8
_FRESH_DAYS = 28


@dataclass(frozen=True, slots=True)
class Past:
    """`demand` (N, KNOWN_DAYS + T) ends with the last day replayed; 0 before a pair's first. `known` (N,) days it was
    sold before the replay; `filled`: days without stock that were given the demand of the others."""

    demand: "Array"
    known: "NDArray[np.int64]"
    filled: int


def past_of(pairs: Sequence[Pair], *, until: date, days: int) -> Past:
    """Sales are demand only where there was stock: a day without any is taken as an average day of the pair's year, or
    what was sold if that is more."""
    import numpy as np

    length = KNOWN_DAYS + days
    values, starts = demand_panel(pairs, until=until, days=length)
    stock = in_stock_panel(pairs, until=until, days=length)
    dry = (stock < 0.5) & ~np.isnan(values)
    open_days = np.where(dry, np.nan, values)
    counts = np.maximum((~np.isnan(open_days)).sum(axis=1), 1)
    usual = np.nansum(open_days, axis=1) / counts
    wanted = np.where(dry, np.fmax(values, usual[:, None]), np.nan_to_num(values, nan=0.0))
    return Past(np.maximum(wanted, 0.0), np.maximum(KNOWN_DAYS - starts, 0), int(dry.sum()))


def world_places(days: int, scenarios: int, seed: int) -> "NDArray[np.int64]":
    """(M, days): which day of the past stands for each day. The first world is what happened; in the others blocks of
    four weeks come from up to eight weeks around their own place, on the same weekday, so that season and trend stay.
    Source: Paparoditis & Politis (2002), Journal of Statistical Planning and Inference 108, the local block bootstrap.
    """
    import numpy as np

    rng = np.random.Generator(np.random.Philox(key=seed))
    places = np.tile(np.arange(KNOWN_DAYS, KNOWN_DAYS + days), (scenarios, 1))
    for first in range(0, days, BLOCK_DAYS):
        last = min(first + BLOCK_DAYS, days)
        lowest = -min(DRIFT_WEEKS, (KNOWN_DAYS + first) // 7)
        highest = min(DRIFT_WEEKS, (days - last) // 7)
        moved = rng.integers(lowest, highest + 1, scenarios) * 7
        moved[0] = 0
        places[:, first:last] += moved[:, None]
    return places


def expectations(past: Past, protection_days: "NDArray[np.int64]", day: int) -> tuple["Array", "Array", "Array"]:
    """(quantiles (N, K), mean (N,), sd (N,)) of demand over each pair's protection interval, by what was known before
    `day` of the replay: the sums over all intervals of the year before, lifted to the level of the last eight weeks."""
    import numpy as np

    count = len(past.demand)
    quantiles, mean, sd = np.zeros((count, len(LEVELS))), np.zeros(count), np.zeros(count)
    for length in np.unique(protection_days):
        rows = np.flatnonzero(protection_days == length)
        span = int(min(length, KNOWN_DAYS // 2))
        known = past.demand[rows, day : KNOWN_DAYS + day]
        sums = np.concatenate([np.zeros((len(rows), 1)), known.cumsum(axis=1)], axis=1)
        sums = (sums[:, span:] - sums[:, :-span]) * (int(length) / span)
        year, recent = known.mean(axis=1), known[:, -RECENT_DAYS:].mean(axis=1)
        lift = np.clip(np.divide(recent, year, out=np.ones(len(rows)), where=year > 0), 0.5, 2.0)[:, None]
        quantiles[rows] = np.quantile(sums, LEVELS, axis=1).T * lift
        mean[rows], sd[rows] = (sums * lift).mean(axis=1), (sums * lift).std(axis=1)
    return quantiles, mean, sd


def stored_expectations(
    run: ForecastRun, pairs: Sequence[Pair], protection_days: "NDArray[np.int64]"
) -> dict[int, tuple["Array", float, float]]:
    """Place of the pair → the same by a forecast that was made then; over another interval its mean grows with the days
    and its spread with their root."""
    import numpy as np

    rows = Forecast.objects.filter(run=run, sku_id__in={sku for sku, _place in pairs})
    fields = ("sku_id", "warehouse_id", "protection_days", "protection_mean", "protection_sd", "protection_quantiles")
    places = {pair: place for place, pair in enumerate(pairs)}
    found = {}
    for sku, warehouse, days, mean, sd, units in rows.values_list(*fields):
        place = places.get((sku, warehouse))
        if place is None or not units:
            continue
        longer = float(protection_days[place]) / max(days, 1)
        read = np.interp(LEVELS, run.quantile_levels, units)
        found[place] = (np.maximum(mean * longer + (read - mean) * longer**0.5, 0.0), mean * longer, sd * longer**0.5)
    return found


def run_known_on(day: date, runs: Sequence[ForecastRun]) -> ForecastRun | None:
    """The newest run that had read up to the day before, and is no more than four weeks old."""
    known = [run for run in runs if 0 < (day - run.as_of).days <= _FRESH_DAYS]
    return max(known, key=lambda run: (run.as_of, run.pk), default=None)
