"""Futures of linear models: a mean path plus past shocks that fade by ψ weights, the shocks drawn from a series' own
one-step errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.types import FloatArray

FEW_ERRORS = 30
LONG = 160


@dataclass(frozen=True)
class LinearForecast:
    """mean (H,); psi (H,) with ψ₀ = 1: y_{t+h} = mean_h + Σ_{j<h} ψ_j e_{t+h−j}; errors (r,) one-step errors seen;
    spent = parameters estimated from them (they make the errors look too small)."""

    mean: FloatArray
    psi: FloatArray
    errors: FloatArray
    spent: int = 1

    def sigma(self) -> float:
        """√(Σe² / (r − spent)). Errors 1, −1, 2 with one parameter: √(6 / 2) = 1.732."""
        count = len(self.errors)
        return float(np.sqrt((self.errors**2).sum() / max(count - self.spent, 1))) if count else 0.0

    def step_sd(self) -> FloatArray:
        """(H,) σ √(ψ₀² + … + ψ²_{h−1}) (Box & Jenkins; fpp3 §9.8). Random walk, σ = 2: 2, 2.83, 3.46."""
        return self.sigma() * np.sqrt(np.cumsum(self.psi**2))

    def window_sd(self, window: int) -> float:
        """Standard deviation of the sum of the first `window` steps: σ √Σ_j (Σ_{i≤w−j} ψ_i)². Random walk, σ = 1,
        w = 3: the shocks count 3, 2 and 1 times: √14 = 3.742, not √3 · σ."""
        return self.sigma() * float(np.sqrt((np.cumsum(self.psi[:window]) ** 2).sum()))

    def draw(self, chances: FloatArray) -> FloatArray:
        """(S, H) paths, negative ones not yet cut."""
        return self.mean + spread(shocks(self.errors, self.sigma(), chances), self.psi)


def shocks(errors: FloatArray, sigma: float, chances: FloatArray) -> FloatArray:
    """(S, H) errors to come: the quantile function of the errors seen, centred and widened to σ; normal below 30."""
    from scipy.special import ndtri

    if len(errors) < FEW_ERRORS or sigma <= 0:
        return sigma * ndtri(chances)
    ordered = np.sort(errors - errors.mean())
    ordered *= sigma / max(float(np.sqrt((ordered**2).mean())), 1e-300)
    middles = (np.arange(len(ordered)) + 0.5) / len(ordered)
    return np.interp(chances, middles, ordered)


def spread(drawn: FloatArray, psi: FloatArray) -> FloatArray:
    """(S, H) Σ_{j<h} ψ_j e_{h−j} for every path."""
    horizon = len(psi)
    if not psi[1:].any():
        return drawn
    if horizon > LONG:
        from scipy.signal import fftconvolve

        return fftconvolve(drawn, psi[None, :], axes=1)[:, :horizon]
    lag = np.arange(horizon)[None, :] - np.arange(horizon)[:, None]
    return drawn @ np.where(lag >= 0, psi[np.maximum(lag, 0)], 0.0)


def alive(rates: FloatArray) -> FloatArray:
    """One series from its first to its last period, leading unknowns dropped; empty if nothing is known."""
    known = np.flatnonzero(np.isfinite(rates))
    return rates[known[0] :] if len(known) else rates[:0]


def filled(rates: FloatArray, season: int) -> FloatArray:
    """(T,) unknown periods take the value one season before (a period where that is unknown too, after before)."""
    out = rates.copy()
    for t in np.flatnonzero(np.isnan(out)):
        if t >= season and np.isfinite(out[t - season]):
            out[t] = out[t - season]
        elif t > 0:
            out[t] = out[t - 1]
    return out
