"""Before any statistics: negatives, infinities, gaps, stock-outs and one-off bulk orders are dealt with, counted and
named. Causal throughout: a value is judged and estimated from what came before it."""

from forecasting.engine.cleaning.cleaned import KINDS, Changes, Cleaned
from forecasting.engine.cleaning.outliers import READ_BY_CLEANING, outlier_caps
from forecasting.engine.cleaning.rules import LARGEST, clean, outliers_in, sums_before

__all__ = [
    "KINDS",
    "LARGEST",
    "READ_BY_CLEANING",
    "Changes",
    "Cleaned",
    "clean",
    "outlier_caps",
    "outliers_in",
    "sums_before",
]
