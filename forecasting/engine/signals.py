"""Does interest (page views, cart adds, wishes, recommendations shown) foretell demand? Decided on held-out windows.

Two Poisson regressions pooled over all series look ahead from the same days in the past:

    without    log E[Y] = log(b W) + γ₀ + γ₁ z           Y demand of the next W days, b daily mean of the last 56,
    with       log E[Y] = … + Σ_k γ_k x_k                z and x_k log ratio of the last 7 days to the last 56,
                                                         of demand itself and of signal k (`spans.log_ratio`)

So a signal is credited only with what recent orders do not say already. Each evaluation day is forecast by weights
learnt from windows that had ended by then; quantiles are those of a negative binomial with variance μ + κ μ². The
signals help where the pinball loss falls by more than one standard error of the difference, taken over series or over
days, whichever is larger. Source: Cameron & Trivedi, Regression Analysis of Count Data (2nd ed. 2013), ch. 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecasting.engine.features.spans import Spans, log_ratio
from forecasting.engine.metrics import pinball
from forecasting.engine.totals import total_quantile
from forecasting.engine.types import BoolArray, FloatArray, IntArray

LATELY, USUALLY = 7, 56
LEVELS = (0.5, 0.8, 0.9, 0.95)
LEAST_SERIES, LEAST_ORIGINS = 10, 4
_RIDGE, _ROUNDS, _CLIP = 1.0, 25, 2.0


@dataclass(frozen=True, slots=True)
class SignalVerdict:
    """`gain` = loss without − loss with, both pinball of the window over its demand; it must exceed the error."""

    helps: bool
    reason: str
    series: int = 0
    origins: int = 0
    window_days: int = 0
    loss_without: float | None = None
    loss_with: float | None = None
    gain: float | None = None
    standard_error: float | None = None
    weights: dict[str, float] = field(default_factory=dict)


def weigh_signals(
    demand: FloatArray, signals: Mapping[str, FloatArray], *, window: int = 14, step: int = 7, origins: int = 8
) -> SignalVerdict:
    """demand (n, T) and each signal (n, T): units and counts a day, NaN unknown; column T − 1 is the last day.

    Looks ahead from the last `origins` days that lie `step` apart and whose window has ended. Deterministic; columns
    at or after a day never reach its forecast.
    """
    names = sorted(signals)
    cases = _cases(demand, [signals[name] for name in names], window, step)
    evaluated = np.unique(cases.origin)[-origins:]
    tried = [one for one in (_held_out(cases, origin, window) for origin in evaluated) if one is not None]
    series = len(np.unique(np.concatenate([one.series for one in tried]))) if tried else 0
    if series < LEAST_SERIES or len(tried) < LEAST_ORIGINS:
        return SignalVerdict(False, "too_little_history", series, len(tried), window)
    without, with_, error = _compared(tried)
    gain = without - with_
    return SignalVerdict(
        helps=bool(gain > error),
        reason="better_by_more_than_one_standard_error" if gain > error else "not_better_than_noise",
        series=series,
        origins=len(tried),
        window_days=window,
        loss_without=round(without, 6),
        loss_with=round(with_, 6),
        gain=round(gain, 6),
        standard_error=round(error, 6),
        weights={name: round(float(w), 4) for name, w in zip(names, tried[-1].weights[2:], strict=True)},
    )


@dataclass(frozen=True, slots=True)
class _Cases:
    """One row a series and day: x (m, 2 + k) columns 1, z, x_k; base (m,) b W; y (m,) demand of the window."""

    x: FloatArray
    base: FloatArray
    y: FloatArray
    series: IntArray
    origin: IntArray

    def take(self, rows: BoolArray) -> _Cases:
        return _Cases(self.x[rows], self.base[rows], self.y[rows], self.series[rows], self.origin[rows])


@dataclass(frozen=True, slots=True)
class _Tried:
    series: IntArray
    y: FloatArray
    without: FloatArray
    with_: FloatArray
    weights: FloatArray


def _cases(demand: FloatArray, signals: Sequence[FloatArray], window: int, step: int) -> _Cases:
    total = demand.shape[1]
    days = np.arange(total - window, USUALLY - 1, -step)[::-1].astype(np.int64)
    own = Spans(demand)
    base = own.mean(days - USUALLY, days)
    columns = [np.ones_like(base)]
    for spans in (own, *(Spans(one) for one in signals)):
        columns.append(log_ratio(spans.mean(days - LATELY, days), spans.mean(days - USUALLY, days)))
    whole = np.stack([demand[:, day : day + window].sum(axis=1) for day in days], axis=1) if len(days) else base
    x = np.stack(columns, axis=-1)
    good = np.isfinite(x).all(axis=-1) & np.isfinite(whole) & (base > 0)
    series, at = np.nonzero(good)
    return _Cases(np.clip(x[good], -_CLIP, _CLIP), base[good] * window, whole[good], series, days[at])


def _held_out(cases: _Cases, origin: int, window: int) -> _Tried | None:
    """Both models on one day, learnt from windows that had ended by it; None while there are too few of them."""
    learn, test = cases.take(cases.origin + window <= origin), cases.take(cases.origin == origin)
    if len(learn.y) < 5 * LEAST_SERIES or not len(test.y):
        return None
    losses, weights = [], np.zeros(0)
    for columns in (2, cases.x.shape[1]):
        weights = poisson_weights(learn.x[:, :columns], learn.base, learn.y)
        kappa = _overdispersion(learn.y, learn.base * np.exp(learn.x[:, :columns] @ weights))
        mean = test.base * np.exp(test.x[:, :columns] @ weights)
        tau = np.array(LEVELS)[None, :]
        found = total_quantile(tau, mean[:, None], (mean + kappa * mean**2)[:, None])
        losses.append(pinball(test.y[:, None], found, tau).mean(axis=1))
    return _Tried(test.series, test.y, losses[0], losses[1], weights)


def poisson_weights(x: FloatArray, base: FloatArray, y: FloatArray) -> FloatArray:
    """γ that maximise Σ y log μ − μ − ½ Σ_{j>0} γ_j², μ = base · exp(x γ); Newton's steps (IRLS), column 0 is 1.

    Only the constant, bases 10 and 10, demands 12 and 18: γ₀ = log(30 / 20) = .405.
    """
    weights, penalty = np.zeros(x.shape[1]), np.full(x.shape[1], _RIDGE)
    penalty[0] = 1e-9
    for _round in range(_ROUNDS):
        mean = base * np.exp(np.clip(x @ weights, -5.0, 5.0))
        slope = x.T @ (y - mean) - penalty * weights
        step = np.linalg.solve((x * mean[:, None]).T @ x + np.diag(penalty), slope)
        weights = weights + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _overdispersion(y: FloatArray, mean: FloatArray) -> float:
    """κ of the variance μ + κ μ², by moments, at least 0: Σ ((y − μ)² − μ) / Σ μ²."""
    return max(float((((y - mean) ** 2 - mean).sum()) / max((mean**2).sum(), 1e-12)), 0.0)


def _compared(tried: Sequence[_Tried]) -> tuple[float, float, float]:
    """(loss without, loss with, standard error of their difference), all over the demand of the windows."""
    demand = max(sum(float(one.y.sum()) for one in tried), 1e-12)
    without = sum(float(one.without.sum()) for one in tried) / demand
    with_ = sum(float(one.with_.sum()) for one in tried) / demand
    difference = np.concatenate([one.without - one.with_ for one in tried])
    _ids, series = np.unique(np.concatenate([one.series for one in tried]), return_inverse=True)
    by_series = np.bincount(series, weights=difference).astype(float)
    by_day = np.array([float((one.without - one.with_).sum()) for one in tried])
    return without, with_, max(_error_of_sum(by_series), _error_of_sum(by_day)) / demand


def _error_of_sum(parts: FloatArray) -> float:
    return float(np.std(parts, ddof=1) * np.sqrt(len(parts)))
