"""One small file per family of methods; each method maps a frame to mean paths (n, O, H), using only what precedes
each origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forecasting.engine.frame import Frame
from forecasting.engine.lines import Line
from forecasting.engine.methods.intermittent import croston_sba_line, tsb_line
from forecasting.engine.methods.naive import moving_average_line, naive_line, seasonal_naive_line
from forecasting.engine.methods.smoothing import holt_damped_line, holt_winters_line, simple_smoothing_line
from forecasting.engine.types import FloatArray

POOLED = "pooled_ratio"
EMPIRICAL = "empirical_quantiles"
BOOSTED = "boosted_trees"
COSTLY = {
    "theta": "Theta method",
    "ets": "ETS, form chosen by AICc",
    "sarima": "ARIMA, orders chosen by AICc",
    "sarimax": "ARIMA around promotions, price and holidays",
}
"""Methods tried only where they may pay (`engine/costly.py`), the simplest first."""
RELATIVES = dict.fromkeys(COSTLY, "ses")
"""Whose ratio tables stand around the means of a costly method."""


@dataclass(frozen=True)
class Method:
    """A candidate: its name in results, its rank in simplicity (ties go to the lower), what it is in words, and its
    mean path as the few states it is made of."""

    name: str
    rank: int
    words: str
    line: Callable[[Frame], Line]

    def path(self, frame: Frame) -> FloatArray:
        """(n, O, H) the mean path unrolled."""
        return self.line(frame).path(frame)


PATH_METHODS: tuple[Method, ...] = (
    Method("naive", 0, "last value carried on", naive_line),
    Method("seasonal_naive", 1, "last season repeated", seasonal_naive_line),
    Method("moving_average", 2, "mean of the recent periods", moving_average_line),
    Method("ses", 3, "simple exponential smoothing", simple_smoothing_line),
    Method("croston_sba", 4, "Croston's intervals and sizes, Syntetos–Boylan corrected", croston_sba_line),
    Method("tsb", 5, "Teunter–Syntetos–Babai: chance of a sale × size", tsb_line),
    Method("holt_damped", 6, "exponential smoothing with a damped trend", holt_damped_line),
    Method("holt_winters", 7, "Holt–Winters, additive season, damped trend", holt_winters_line),
)
RANKS = (
    {m.name: m.rank for m in PATH_METHODS}
    | {EMPIRICAL: 2, POOLED: 8, BOOSTED: 9}
    | {name: 10 + i for i, name in enumerate(COSTLY)}
)
WORDS = {m.name: m.words for m in PATH_METHODS} | {
    EMPIRICAL: "quantiles of the SKU's own past sums",
    POOLED: "level learnt across the panel × quantiles of comparable SKUs",
    BOOSTED: "gradient-boosted trees over the panel, steps and window sums each learnt directly",
    **COSTLY,
}
