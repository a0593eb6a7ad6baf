"""Codes of the forecast engine in words: methods and classes of demand, as planners call them.

The engine stays in English and knows no Django; the screens say its codes in the reader's language.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

METHODS = {
    "naive": _("Last value"),
    "seasonal_naive": _("Last season"),
    "moving_average": _("Moving average"),
    "ses": _("Simple exponential smoothing"),
    "croston_sba": _("Croston (SBA)"),
    "tsb": _("TSB (Teunter–Syntetos–Babai)"),
    "holt_damped": _("Holt, damped trend"),
    "holt_winters": _("Holt–Winters"),
    "empirical_quantiles": _("Own past quantiles"),
    "pooled_ratio": _("Level × pooled quantiles"),
    "theta": _("Theta"),
    "zero": _("Zero"),
    "constant": _("Constant"),
    "own_mean": _("Own mean"),
}
MEANINGS = {
    "naive": _("The last value is carried on."),
    "seasonal_naive": _("The last season is repeated."),
    "moving_average": _("The mean of the recent periods."),
    "ses": _("A level that follows demand, recent periods counting most."),
    "croston_sba": _("Intervals between sales and their sizes, smoothed apart, Syntetos–Boylan corrected."),
    "tsb": _("The chance of a sale times its size, both smoothed."),
    "holt_damped": _("Exponential smoothing with a damped trend."),
    "holt_winters": _("Exponential smoothing with an additive season and a damped trend."),
    "empirical_quantiles": _("The quantiles of the SKU's own past sums."),
    "pooled_ratio": _("A level learnt across all SKUs, times the quantiles of comparable SKUs."),
    "theta": _("The Theta method: two lines through the series, one of them smoothed."),
    "zero": _("Nothing was sold, so nothing is expected."),
    "constant": _("The same quantity in every period."),
    "own_mean": _("The mean of a history that is too short to test anything."),
}
DEMAND_CLASSES = {
    "smooth": _("Smooth"),
    "erratic": _("Erratic"),
    "intermittent": _("Intermittent"),
    "lumpy": _("Lumpy"),
    "none": _("No demand"),
}


def method_name(code: str) -> Any:
    return METHODS.get(code, code)


def method_meaning(code: str) -> Any:
    return MEANINGS.get(code, "")
