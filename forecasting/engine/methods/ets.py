"""ETS: exponential smoothing in state-space form, error × trend × season chosen by AICc (Hyndman et al. 2008; fpp3
§8.6).

Smoothing parameters and the first level and slope are estimated by maximum likelihood; the first season comes from a
regression (on the first 5, 20 or all seasons, whichever the likelihood prefers) and is counted as estimated. On one
core two years of days (m = 7) take 1–3 ms a model, 40 a series with selection and paths (weeks: 4); statsmodels'
ETSModel takes 5–90 a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.engine.methods.base import PathForecaster
from forecasting.engine.methods.linear import alive, shocks
from forecasting.engine.seasonality import season_length
from forecasting.engine.types import FloatArray, IntArray, Panel

LEAST = 4
ADDITIVE: tuple[str, ...] = ("ANN", "AAN", "AAdN", "ANA", "AAA", "AAdA")
MULTIPLICATIVE: tuple[str, ...] = ("MNN", "MAN", "MAdN", "MNA", "MAA", "MAdA", "MNM", "MAM", "MAdM")
EVALUATIONS = 60
STARTS = ((0.4, 0.05), (0.05, 0.05), (0.4, 0.001), (0.05, 0.001))


@dataclass(frozen=True)
class EtsFit:
    """One fitted model: theta = α, β, γ, φ; the state after the last period; errors (T,) NaN where unknown."""

    label: str
    spec: IntArray
    theta: FloatArray
    level: float
    slope: float
    cycle: FloatArray
    errors: FloatArray
    log_likelihood: float
    parameters: int
    seen: int

    @property
    def aicc(self) -> float:
        return aicc(self.log_likelihood, self.parameters, self.seen)

    def draw(self, chances: FloatArray) -> FloatArray:
        """(S, H) paths; a relative error never takes more than the whole of the demand."""
        from forecasting.engine.methods.ets_kernel import ets_futures

        errors = self.errors[np.isfinite(self.errors)]
        spent = min(self.parameters - 1, len(errors) // 2)
        sigma = float(np.sqrt((errors**2).sum() / max(len(errors) - spent, 1)))
        drawn = shocks(errors, sigma, chances)
        if self.spec[0]:
            drawn = np.maximum(drawn, -1.0)
        return ets_futures(
            self.spec, self.theta, self.level, self.slope, self.cycle, len(self.errors), np.ascontiguousarray(drawn)
        )

    def mean(self, horizon: int) -> FloatArray:
        """(H,) point forecasts: the path on which no error strikes."""
        from forecasting.engine.methods.ets_kernel import ets_futures

        state = (self.theta, self.level, self.slope, self.cycle, len(self.errors))
        return ets_futures(self.spec, *state, np.zeros((1, horizon)))[0]


def aicc(log_likelihood: float, parameters: int, seen: int) -> float:
    """−2 log L + 2k + 2k(k + 1) / (n − k − 1); ∞ where n ≤ k + 1 (Hurvich & Tsai 1989). log L = −10, k = 2, n = 10:
    20 + 4 + 12/7 = 25.71."""
    room = seen - parameters - 1
    return -2 * log_likelihood + 2 * parameters * (1 + (parameters + 1) / room) if room > 0 else float("inf")


def spec_of(label: str, season: int) -> IntArray:
    """ "AAdM", 12 → (0, 2, 2, 12)."""
    trend = {"N": 0, "A": 1, "Ad": 2}[label[1:-1]]
    return np.array([label[0] == "M", trend, "NAM".index(label[-1]), season if label[-1] != "N" else 1], dtype=np.int64)


def first_state(y: FloatArray, spec: IntArray, seasons: int = 5) -> tuple[float, float, FloatArray]:
    """ℓ₀, b₀ and the first season (m,) by least squares on the first `seasons` seasons (10 periods without): a line and
    phases; a multiplicative season is the ratio to the mean, mean 1."""
    m = int(spec[3])
    count = min(len(y), max(10, seasons * m if m > 1 else 10))
    t, known = np.arange(count), np.isfinite(y[:count])
    columns = [np.ones(count), t - (count - 1) / 2]
    if m > 1:
        columns += [(t % m == p).astype(float) - (t % m == m - 1) for p in range(m - 1)]
    design = np.stack(columns, axis=1)[known]
    beta = np.linalg.lstsq(design, y[:count][known], rcond=None)[0]
    level, slope = beta[0], beta[1] if spec[1] else 0.0
    cycle = np.append(beta[2:], -beta[2:].sum()) if m > 1 else np.zeros(1)
    if spec[2] == 2:
        cycle = np.maximum(1 + cycle / max(level, 1e-8), 0.02)
        cycle /= cycle.mean()
    start = level - slope * (count + 1) / 2 if spec[1] else level
    if spec[0] or spec[2] == 2:
        start = max(start, 0.1 * level, 1e-6)
    return float(start), float(slope), cycle


def fit_ets(y: FloatArray, label: str, season: int, evaluations: int = EVALUATIONS) -> EtsFit | None:
    """One model by maximum likelihood; None when it cannot be computed. y (T,) begins with a known period."""
    from forecasting.engine.methods.ets_kernel import ets_loss, ets_unpack
    from forecasting.engine.methods.optimise import ETS, nelder_mead

    spec = spec_of(label, season)
    trials = []
    for seasons in (5, 20, len(y)) if spec[2] else (5,):
        level, slope, cycle = first_state(y, spec, seasons)
        for alpha, gamma in STARTS if spec[2] else STARTS[:2]:
            x, moves = starting_point(y, spec, level, slope, alpha, gamma)
            trials.append((ets_loss(x, y, spec, cycle), x, moves, cycle))
    _, x, moves, cycle = min(trials, key=lambda trial: trial[0])
    for _ in range(2):
        x, loss, _ = nelder_mead(ETS, x, moves, y, spec, cycle, evaluations * len(x))
        moves = moves / 3
    if not np.isfinite(loss):
        return None
    theta, level, slope = ets_unpack(x, spec)
    return run_ets(y, label, spec, theta, level, slope, cycle)


def starting_point(
    y: FloatArray, spec: IntArray, level: float, slope: float, alpha: float, gamma: float
) -> tuple[FloatArray, FloatArray]:
    """Where the search for α, [β], [γ], [φ], ℓ₀, [b₀] begins, and its first moves."""
    unit = max(float(np.nanstd(y)), 1e-6 * max(abs(level), 1.0))
    start = [alpha]
    step = [0.3 if alpha > 0.1 else 0.1]
    for wanted, value, move in (
        (spec[1], 0.2 * alpha, 0.1 * alpha),
        (spec[2], gamma, 0.05),
        (spec[1] == 2, 0.95, -0.05),
    ):
        if wanted:
            start.append(value)
            step.append(move)
    start += [level, slope] if spec[1] else [level]
    step += [0.3 * unit, 0.05 * unit] if spec[1] else [0.3 * unit]
    return np.array(start), np.array(step)


def run_ets(
    y: FloatArray, label: str, spec: IntArray, theta: FloatArray, level: float, slope: float, cycle: FloatArray
) -> EtsFit:
    """The model with given parameters and first state, run over the series.

    log L = −n/2 (log(2π Σe²/n) + 1) − Σ log|μ|, the last term only for multiplicative errors.
    """
    from forecasting.engine.methods.ets_kernel import ets_smooth

    errors, ring = np.empty(len(y)), np.ascontiguousarray(cycle, dtype=float).copy()
    trend = slope if spec[1] else 0.0
    level, slope, total, logs, seen = ets_smooth(y, spec, theta, level, trend, ring, errors)
    spread = max(total / max(seen, 1), 1e-300)
    log_likelihood = -0.5 * seen * (np.log(2 * np.pi * spread) + 1) - logs
    states = 1 + int(spec[1] > 0) + (int(spec[3]) if spec[2] else 0)
    smoothing = 1 + int(spec[1] > 0) + int(spec[2] > 0) + int(spec[1] == 2)
    return EtsFit(
        label, spec, theta, level, slope, ring, errors, float(log_likelihood), smoothing + states + 1, int(seen)
    )


def candidates_of(y: FloatArray, season: int) -> tuple[str, ...]:
    """Multiplicative models need demand above 0 throughout, seasonal ones two seasons."""
    labels = ADDITIVE + (MULTIPLICATIVE if np.nanmin(y) > 0 else ())
    return labels if season > 1 and len(y) >= 2 * season else tuple(x for x in labels if x.endswith("N"))


def select_ets(y: FloatArray, season: int, labels: Sequence[str] | None = None) -> EtsFit | None:
    """The model of least AICc; simple smoothing where no AICc is finite (fewer than 6 periods); None if none fits."""
    fits = [fit_ets(y, x, season) for x in labels or candidates_of(y, season)]
    found = [f for f in fits if f is not None]
    best = min(found, key=lambda f: f.aicc, default=None)
    return best if best is None or np.isfinite(best.aicc) else next((f for f in found if f.label == "ANN"), best)


@dataclass(frozen=True)
class Ets(PathForecaster):
    """labels: the models compared, in words of the literature ("AAdN"); None = all that suit the series. A series that
    a model does not suit (a multiplicative season with a zero, less than two seasons) takes `instead`."""

    labels: tuple[str, ...] | None = None
    instead: str = "AAdN"

    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        out = np.full((len(rates), *chances.shape), np.nan)
        for i, row in enumerate(rates):
            y = alive(row)
            if np.isfinite(y).sum() < LEAST:
                continue
            fit = self.fit(y, season_length(panel.freq, None, len(y)))
            self.count("unfitted" if fit is None else "fitted")
            if fit is not None:
                out[i] = fit.draw(chances)
        return out

    def fit(self, y: FloatArray, season: int) -> EtsFit | None:
        """The model of one series that begins with a known period."""
        possible = candidates_of(y, season)
        labels = possible if self.labels is None else tuple(x for x in self.labels if x in possible)
        if not labels:
            labels = (self.instead if self.instead in possible else self.instead[:-1] + "N",)
            self.count("instead")
        return select_ets(y, season, labels)


FORECASTERS = (Ets("ets", 10, "ETS: error, trend and season chosen by AICc"),)
