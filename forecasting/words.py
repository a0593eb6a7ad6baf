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
    "weighted_moving_average": _("Weighted moving average"),
    "holt": _("Holt, linear trend"),
    "holt_winters_multiplicative": _("Holt–Winters, multiplicative"),
    "ets": _("ETS"),
    "arima": _("ARIMA"),
    "sarima": _("Seasonal ARIMA"),
    "sarimax": _("SARIMAX"),
    "ridge_regression": _("Regression"),
    "poisson_regression": _("Poisson regression"),
    "zero": _("Zero"),
    "constant": _("Constant"),
    "boosted_trees": _("Boosted trees"),
    "own_mean": _("Own mean"),
    "short_trend": _("Fading trend"),
    "croston": _("Croston"),
    "adida": _("ADIDA"),
    "imapa": _("IMAPA"),
    "poisson": _("Poisson"),
    "negative_binomial": _("Negative binomial"),
    "zero_inflated": _("Zero-inflated Poisson"),
    "hurdle": _("Hurdle"),
    "counts": _("Best count distribution"),
    "bootstrap": _("Bootstrap"),
    "willemain": _("Willemain's bootstrap"),
    "median": _("Median of methods"),
    "weighted": _("Weighted methods"),
    "lstm": _("Neural network (LSTM)"),
    "new_item": _("New item, like others at its age"),
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
    "weighted_moving_average": _("The mean of the recent periods, the newest counting most."),
    "holt": _("A level and a trend, both smoothed."),
    "holt_winters_multiplicative": _("Exponential smoothing with a multiplicative season and a damped trend."),
    "ets": _("The form of exponential smoothing that fits best for its size: error, trend and season by AICc."),
    "arima": _("Past values and past errors carried on, as many of each as AICc supports."),
    "sarima": _("ARIMA with the season before it."),
    "sarimax": _("Seasonal ARIMA around the effects of promotions, price and holidays."),
    "ridge_regression": _("Calendar, trend, promotions and price, with errors that fade."),
    "poisson_regression": _("A rate of sales made of calendar, promotions, price and level."),
    "zero": _("Nothing was sold, so nothing is expected."),
    "constant": _("The same quantity in every period."),
    "boosted_trees": _("Decision trees that learnt from all SKUs what moves demand and how far it strays."),
    "own_mean": _("The mean of a history that is too short to test anything."),
    "short_trend": _("The trend of a short history that rises or falls beyond chance, fading with every period."),
    "croston": _("Intervals between sales and their sizes, smoothed apart."),
    "adida": _("Summed over the mean interval between sales, smoothed, and shared out again."),
    "imapa": _("The mean of smoothing at several levels of aggregation."),
    "poisson": _("A Poisson distribution of counts."),
    "negative_binomial": _("A distribution of counts wider than Poisson, its spread learnt across all SKUs."),
    "zero_inflated": _("Poisson counts with extra periods that sell nothing."),
    "hurdle": _("A chance of a sale and a distribution of its size."),
    "counts": _("The count distribution that fits the history best for its number of parameters."),
    "bootstrap": _("Each period one of the SKU's own past ones, drawn at random."),
    "willemain": _("Sales come in runs as they did before, their sizes redrawn and varied."),
    "median": _("The median of several methods' quantiles."),
    "weighted": _("Several methods weighted by what they achieved on held-out periods."),
    "lstm": _("One recurrent network for all SKUs."),
    "new_item": _("What earlier launches and like items sold at the same age, drawn towards its own few sales."),
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
