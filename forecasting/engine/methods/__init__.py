"""One small file per family of methods; each method maps a frame to mean paths (n, O, H), using only what precedes
each origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forecasting.engine.frame import Frame
from forecasting.engine.methods.intermittent import croston_sba, tsb
from forecasting.engine.methods.naive import moving_average, naive, seasonal_naive
from forecasting.engine.methods.smoothing import holt_damped, holt_winters, simple_smoothing
from forecasting.engine.types import FloatArray

POOLED = "pooled_ratio"
EMPIRICAL = "empirical_quantiles"
THETA = "theta"


@dataclass(frozen=True)
class Method:
    """A candidate: its name in results, its rank in simplicity (ties go to the lower), what it is in words, and its
    mean path."""

    name: str
    rank: int
    words: str
    path: Callable[[Frame], FloatArray]


PATH_METHODS: tuple[Method, ...] = (
    Method("naive", 0, "last value carried on", naive),
    Method("seasonal_naive", 1, "last season repeated", seasonal_naive),
    Method("moving_average", 2, "mean of the recent periods", moving_average),
    Method("ses", 3, "simple exponential smoothing", simple_smoothing),
    Method("croston_sba", 4, "Croston's intervals and sizes, Syntetos–Boylan corrected", croston_sba),
    Method("tsb", 5, "Teunter–Syntetos–Babai: chance of a sale × size", tsb),
    Method("holt_damped", 6, "exponential smoothing with a damped trend", holt_damped),
    Method("holt_winters", 7, "Holt–Winters, additive season, damped trend", holt_winters),
)
RANKS = {m.name: m.rank for m in PATH_METHODS} | {EMPIRICAL: 2, POOLED: 8, THETA: 9}
WORDS = {m.name: m.words for m in PATH_METHODS} | {
    EMPIRICAL: "quantiles of the SKU's own past sums",
    POOLED: "level learnt across the panel × quantiles of comparable SKUs",
    THETA: "Theta method (statsmodels)",
}
