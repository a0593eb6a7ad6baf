"""Series no backtest can speak for: never a crash, never silent nonsense, always named in the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.rising import clear_trends
from forecasting.engine.types import FloatArray

NONE, ZERO, CONSTANT, SHORT, UNTESTED, NEW, TREND = range(7)
METHOD = {ZERO: "zero", CONSTANT: "constant", SHORT: "own_mean", NEW: "new_item", TREND: "short_trend"}


@dataclass(frozen=True)
class Fallbacks:
    """code (n,) one of the constants above; reasons: sentence per series, None where the backtest decides."""

    code: np.ndarray
    reasons: list[str | None]


def find_fallbacks(
    cleaned: Cleaned, min_history: int, folds: np.ndarray, youth: int = 0, described: bool = False
) -> Fallbacks:
    """Which series are unknown, never sold, constant, too short (with a trend or without), new, or older but never
    seen whole in a fold.

    folds (n,) valid folds. youth: periods for which an item counts as new where the panel's launches teach how such
    items go on (0 = they do not); one that has not sold yet only counts when it is `described` by attributes.
    """
    seen = (cleaned.exposure > 0).sum(axis=1)
    total = cleaned.demand.sum(axis=1)
    top = np.where(cleaned.exposure > 0, cleaned.actual, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(cleaned.exposure > 0, cleaned.actual, np.inf).min(axis=1, initial=np.inf)
    full = np.where(cleaned.exposure > 0, cleaned.exposure, 1.0).min(axis=1, initial=1.0) >= 1
    code = np.where(folds > 0, NONE, UNTESTED)
    code = np.where(seen < min_history, SHORT, code)
    rising = clear_trends(cleaned.demand, cleaned.exposure > 0, np.flatnonzero(code == SHORT))
    code = np.where(rising, TREND, code)
    age = cleaned.actual.shape[1] - cleaned.starts
    new = (age <= youth) & ((total > 0) | described) if youth else np.zeros(len(age), dtype=bool)
    code = np.where((top == low) & full & (seen >= 2), CONSTANT, code)
    code = np.where(new & ((code != CONSTANT) | (total <= 0)), NEW, code)
    code = np.where((total <= 0) & ~new, ZERO, code)
    return Fallbacks(code, [_sentence(int(c), int(s), min_history) for c, s in zip(code, seen, strict=True)])


def _sentence(code: int, seen: int, min_history: int) -> str | None:
    if code == ZERO:
        return f"all zero: nothing sold in {seen} observed periods" if seen else "no observed period"
    if code == CONSTANT:
        return "constant: the same quantity in every period"
    if code in (SHORT, TREND):
        return f"too short: {seen} periods, {min_history} needed"
    if code == NEW:
        return f"new: {seen} periods on sale"
    if code == UNTESTED:
        return "not backtested: no held-out window fits its history; method of its demand class"
    return None


def cleaning_notes(cleaned: Cleaned, row: int) -> tuple[str, ...]:
    """What cleaning did to one series, in words."""
    named = (
        (cleaned.gaps, "{} unknown periods (NaN) treated as gaps, not as zeros"),
        (cleaned.infinite, "{} infinite values treated as gaps"),
        (cleaned.huge, "{} values beyond 10^15 treated as gaps"),
        (cleaned.negatives, "{} negative values set to 0"),
        (cleaned.censored, "{} periods not fully in stock: sales taken as a lower bound"),
        (cleaned.outliers, "{} one-off bulk sales capped for the level"),
    )
    return tuple(text.format(int(count[row])) for count, text in named if count[row] > 0)


def gamma_spread(mean: FloatArray, dispersion: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """(r, q) gamma quantiles with the given means (r,) and variance = dispersion · mean: the spread where no
    comparable case exists."""
    from scipy.special import gammaincinv

    safe = np.maximum(mean, 1e-12)
    scale = np.maximum(dispersion, 1e-12)
    return gammaincinv((safe / scale)[:, None], np.array(levels)[None, :]) * scale[:, None] * (mean > 0)[:, None]


def dispersion_of(cleaned: Cleaned) -> FloatArray:
    """(n,) variance / mean of the observed periods, at least 1 sale's size or 1 unit when there is too little to
    tell."""
    seen = cleaned.exposure > 0
    count = np.maximum(seen.sum(axis=1), 1)
    mean = cleaned.demand.sum(axis=1) / count
    variance = np.maximum((cleaned.demand**2).sum(axis=1) / count - mean**2, 0.0) * count / np.maximum(count - 1, 1)
    ratio = variance / np.maximum(mean, 1e-12)
    return np.where(ratio > 1e-9, ratio, np.maximum(mean, 1e-6))
