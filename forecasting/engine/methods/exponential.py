"""The exponential smoothings by name: simple, double and triple, damped, additive and multiplicative (Brown, Holt,
Winters).

Each is one ETS model with parameters estimated for the series: on one core 2.4 ms (simple) to 6.6 ms (multiplicative
season) for two years of days, 0.9 to 1.4 for two years of weeks, paths included. Instead of a multiplicative season
(series with a zero) the additive one is taken, instead of a season (less than two of them) the same model without.
"""

from __future__ import annotations

from forecasting.engine.methods.ets import Ets

FORECASTERS = (
    Ets("ses", 3, "simple exponential smoothing", labels=("ANN",), instead="ANN"),
    Ets("holt", 6, "Holt's linear trend (double exponential smoothing)", labels=("AAN",), instead="AAN"),
    Ets("holt_damped", 6, "exponential smoothing with a damped trend", labels=("AAdN",), instead="AAdN"),
    Ets("holt_winters", 7, "Holt–Winters, additive season, damped trend", labels=("AAdA",), instead="AAdN"),
    Ets(
        "holt_winters_multiplicative",
        7,
        "Holt–Winters, multiplicative season, damped trend",
        labels=("MAdM",),
        instead="AAdA",
    ),
)
