"""Demand that might be: draws from a forecast, made item by item from (seed, item), whatever the chunk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array, as_numbers, per_item, whole_number, within


@dataclass(frozen=True, slots=True)
class QuantileFutures:
    """See `sampled_futures`."""

    scores: Array
    quantiles: Array
    days: int
    scenarios: int
    persistence: Array
    is_whole: bool
    seed: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.scenarios, len(self.quantiles), self.days

    def block(self, start: int, stop: int) -> Array:
        from scipy.signal import lfilter

        from procurement.engine.replay.futures_kernel import units_at

        made = np.empty((self.scenarios, stop - start, self.days))
        for item, rng in enumerate(_generators(self.seed, start, stop)):
            z = rng.standard_normal((self.scenarios, self.days))
            keep = self.persistence[start + item]
            if keep:
                z[:, 1:] *= np.sqrt(1.0 - keep * keep)
                z = lfilter([1.0], [1.0, -keep], z, axis=1)
            units_at(z, self.scores, self.quantiles[start + item], self.is_whole, made[:, item])
        return made


def sampled_futures(
    levels: Any,
    quantiles: Any,
    *,
    days: int | None = None,
    scenarios: int,
    persistence: Any = 0.0,
    is_whole: bool = True,
    seed: int,
) -> QuantileFutures:
    """Paths whose day t has the quantiles (N, T, K) of day t, or (N, K) on all `days`, at the `levels` (K,).

    Between quantiles demand is linear in the normal score, as in `engine/quantiles.py`; scores follow
    z(t) = ρ·z(t − 1) + √(1 − ρ²)·ε with ρ the `persistence` of an item, as errors of one forecast do. `is_whole`
    rounds to units (half up). Quantiles are of single DAYS, not of the sum over the protection interval.
    """
    from scipy.special import ndtri

    shares = as_numbers("levels", levels)
    if shares.ndim != 1 or not ((shares > 0.0) & (shares < 1.0)).all() or (np.diff(shares) <= 0.0).any():
        raise ParameterError("levels", "must rise strictly between 0 and 1")
    units = as_numbers("quantiles", quantiles)
    if units.ndim not in (2, 3) or units.shape[-1] != len(shares) or not units.size:
        raise ParameterError("quantiles", f"must be items × days × {len(shares)} levels, not {units.shape}")
    within("quantiles", units)
    horizon = days if units.ndim == 2 else units.shape[1]
    if horizon is None or (units.ndim == 3 and days not in (None, horizon)):
        raise ParameterError("days", "must be given, and agree with the days of the quantiles")
    whole_number("days", horizon, 1)
    whole_number("scenarios", scenarios, 1)
    whole_number("seed", seed, 0)
    keep = per_item("persistence", persistence, len(units))
    within("persistence", keep, 0.0, 1.0 - 1e-9)
    rising = np.sort(units if units.ndim == 3 else units[:, None, :], axis=-1)
    return QuantileFutures(np.asarray(ndtri(shares)), rising, horizon, scenarios, keep, is_whole, seed)


@dataclass(frozen=True, slots=True)
class MeanFutures:
    """See `mean_futures`."""

    mean: Array
    scenarios: int
    variance_ratio: Array
    level_cv: Array
    seed: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.scenarios, *self.mean.shape  # type: ignore[return-value]

    def block(self, start: int, stop: int) -> Array:
        made = np.empty((self.scenarios, stop - start, self.mean.shape[1]))
        for item, rng in enumerate(_generators(self.seed, start, stop)):
            rate = np.broadcast_to(self.mean[start + item], (self.scenarios, self.mean.shape[1]))
            cv, beyond = self.level_cv[start + item], self.variance_ratio[start + item] - 1.0
            if cv > 0.0:
                rate = rate * rng.gamma(1.0 / cv**2, cv**2, (self.scenarios, 1))
            if beyond > 0.0:
                rate = rng.gamma(rate / beyond, beyond)
            made[:, item] = rng.poisson(rate)
        return made


def mean_futures(
    mean: Any, *, scenarios: int, variance_ratio: Any = 1.0, level_cv: Any = 0.0, seed: int
) -> MeanFutures:
    """Whole units around a forecast mean (N, T): Poisson, or negative binomial with variance = ratio · mean a day.

    `level_cv`: the standard deviation of the forecast's lasting error over its mean; each path's mean is multiplied by
    one gamma factor of mean 1. Mean 2, ratio 3: a day's variance is 6.
    """
    rates = as_numbers("mean", mean)
    if rates.ndim != 2 or not rates.size:
        raise ParameterError("mean", "must be items × days")
    within("mean", rates, 0.0, 1e12)
    whole_number("scenarios", scenarios, 1)
    whole_number("seed", seed, 0)
    ratios, spread = per_item("variance_ratio", variance_ratio, len(rates)), per_item("level_cv", level_cv, len(rates))
    within("variance_ratio", ratios, 1.0, 1e6)
    within("level_cv", spread, 0.0, 10.0)
    return MeanFutures(rates, scenarios, ratios, spread, seed)


def _generators(seed: int, start: int, stop: int) -> Iterator[np.random.Generator]:
    for item in range(start, stop):
        yield np.random.Generator(np.random.Philox(key=np.array([seed, item], dtype=np.uint64)))
