"""What the trees see of one series at one origin, and of the span of periods ahead that is to be forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecasting.engine.boosted.past import LastYear, own_quantiles, running
from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.methods.pooled import Features, log_events
from forecasting.engine.seasonality import EPS
from forecasting.engine.types import Covariates, FloatArray, IntArray

LAGS = (1, 2, 4, 8, 13, 26)
SHARES = (4, 13, 52)
RECENT = 8


@dataclass(frozen=True)
class Cases:
    """history (n, O, p) what is known at each origin; events (n, O) sales per normal period; ahead (n, O, H + 1) normal
    periods up to each step; mean (n, O, H + 1) pooled mean of the sum up to each step; scale (n, O) mean |step| of the
    series so far; covariates over time, see `Signals`."""

    history: FloatArray
    features: Features
    ahead: FloatArray
    mean: FloatArray
    scale: FloatArray
    origins: IntArray
    signals: Signals
    year: LastYear | None

    def expected(self, rows: IntArray, columns: IntArray, first: IntArray, last: IntArray) -> FloatArray:
        """(r,) pooled mean of the sum over steps first+1 … last after the origin."""
        return self.mean[rows, columns, last] - self.mean[rows, columns, first]

    def under(self, path: FloatArray) -> Cases:
        """The same cases under other pooled means, those of another moment."""
        return replace(self, mean=np.concatenate([np.zeros((*path.shape[:2], 1)), path.cumsum(axis=2)], axis=2))

    def table(self, rows: IntArray, columns: IntArray, first: IntArray, last: IntArray) -> FloatArray:
        """(r, p + 5 + 2 + c) one row for each (series, origin, span); the 2 of last year only where there is a year."""
        ahead = self.ahead[rows, columns, last] - self.ahead[rows, columns, first]
        events = np.log(self.features.chance[rows, columns] * ahead + 1e-3)
        span = np.stack(
            [
                events,
                np.log(np.maximum(self.expected(rows, columns, first, last), 1e-6)),
                np.log((last - first).astype(float)),
                first.astype(float),
                np.log(ahead / (last - first) + 1e-3),
            ],
            axis=1,
        )
        known = self.signals.over(rows, self.origins[columns], first, last)
        last_year = [] if self.year is None else [self.year.over(rows, columns, self.origins[columns], first, last)]
        return np.concatenate([self.history[rows, columns], span, *last_year, known], axis=1, dtype=np.float32)


def build_cases(
    frame: Frame, features: Features, cleaned: Cleaned, covariates: Covariates | None, path: FloatArray
) -> Cases:
    """Cases of some series at the frame's origins; path (n, O, H) the pooled means. Nothing after an origin is read
    but what `covariates.known` says ahead."""
    zero = np.zeros((*frame.factor.shape[:2], 1))
    signals = Signals(covariates, frame.calendar.rhythm.block)
    return Cases(
        history=np.concatenate(
            [history_features(frame, features), signals.so_far(frame.origins, len(frame.demand))], axis=2
        ).astype(np.float32),
        features=features,
        ahead=np.concatenate([zero, frame.factor.cumsum(axis=2)], axis=2),
        mean=np.concatenate([zero, path.cumsum(axis=2)], axis=2),
        scale=scales_so_far(cleaned.actual, frame.origins),
        origins=frame.origins,
        signals=signals,
        year=LastYear(frame, features) if frame.calendar.rhythm.year else None,
    )


def history_features(frame: Frame, features: Features) -> FloatArray:
    """(n, O, p) scale-free: levels of different memory, sums of the last blocks against the level, shares of periods
    with a sale, sizes, age."""
    origins, block = frame.origins, frame.calendar.rhythm.block
    base = np.maximum(features.base, EPS)
    sold, weight = running(frame.demand), running(frame.weight)
    events, square = running((frame.demand > 0).astype(float)), running(frame.demand**2)
    columns = [features.x[..., i] for i in range(features.x.shape[-1])]
    for blocks in LAGS:
        low = np.maximum(origins - blocks * block, 0)
        seen = weight[:, origins] - weight[:, low]
        rate = (sold[:, origins] - sold[:, low]) / np.maximum(seen, EPS)
        columns.append(np.where(seen > 0.15 * block, np.log((rate + 0.1 * base) / (1.1 * base)), np.nan))
    for blocks in SHARES:
        low = np.maximum(origins - blocks * block, 0)
        columns.append((events[:, origins] - events[:, low]) / np.maximum(origins - low, 1))
    count = np.maximum(events[:, origins], 1)
    size = sold[:, origins] / count
    varied = square[:, origins] / count / np.maximum(size, EPS) ** 2 - 1.0
    columns += [
        np.log(features.chance + 1e-4),
        np.log(size + 1e-3),
        np.log(base / np.maximum(size, EPS) + 1e-4),
        np.log1p(np.clip(varied, 0.0, 1e6)),
        np.log1p(np.maximum(origins[None, :] - frame.starts[:, None], 0)),
    ]
    columns += own_quantiles(frame, base, 1)
    if block > 1:
        columns += own_quantiles(frame, base, block)
    return np.stack(columns, axis=-1)


def scales_so_far(actual: FloatArray, origins: IntArray) -> FloatArray:
    """(n, O) mean |y_t − y_{t−1}| from the first sale up to each origin: the unit of scaled losses (tiny where
    flat)."""
    since = (np.cumsum(actual, axis=1) > 0)[:, :-1]
    top, count = running(np.abs(np.diff(actual, axis=1)) * since), running(since.astype(float))
    last = np.maximum(origins - 1, 0)
    return np.maximum(top[:, last] / np.maximum(count[:, last], 1), 1e-6)


class Signals:
    """Covariates as features: recent mean against the longer one for all; for those known ahead also the mean over the
    span. Unknown stays NaN, which trees take as a value of its own."""

    def __init__(self, covariates: Covariates | None, block: int) -> None:
        some = covariates or Covariates()
        self.block = block
        self.known = [running_known(some.known[k]) for k in sorted(some.known)]
        self.past = [running_known(some.past[k]) for k in sorted(some.past)]
        self.static = [some.static[k].astype(float) for k in sorted(some.static)]
        self.categories = [
            np.where(some.categories[k] < 0, np.nan, some.categories[k]) for k in sorted(some.categories)
        ]

    def so_far(self, origins: IntArray, n: int) -> FloatArray:
        """(n, O, c) of what had happened by each origin."""
        out = []
        for pair in (*self.known, *self.past):
            for blocks in (1, RECENT):
                low = np.maximum(origins - blocks * self.block, 0)
                out.append(mean_between(pair, np.arange(n)[:, None], low[None, :], origins[None, :]))
        out += [np.repeat(v[:, None], len(origins), axis=1) for v in (*self.static, *self.categories)]
        return np.stack(out, axis=-1) if out else np.zeros((n, len(origins), 0))

    def over(self, rows: IntArray, origins: IntArray, first: IntArray, last: IntArray) -> FloatArray:
        """(r, k) mean of each covariate known ahead over steps first+1 … last after the origin."""
        out = [mean_between(pair, rows, origins + first, origins + last) for pair in self.known]
        return np.stack(out, axis=1) if out else np.zeros((len(rows), 0))


def running_known(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Running sums of the known values and of their count."""
    there = np.isfinite(values)
    return running(np.where(there, values, 0.0)), running(there.astype(float))


def mean_between(pair: tuple[FloatArray, FloatArray], rows: IntArray, low: IntArray, high: IntArray) -> FloatArray:
    """Mean of the known values in columns low … high − 1; NaN where none is known."""
    total, count = pair
    end = total.shape[1] - 1
    low, high = np.minimum(low, end), np.minimum(high, end)
    seen = count[rows, high] - count[rows, low]
    return np.where(seen > 0, (total[rows, high] - total[rows, low]) / np.maximum(seen, 1), np.nan)


__all__ = ["Cases", "build_cases", "log_events"]
