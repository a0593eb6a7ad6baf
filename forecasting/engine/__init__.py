"""How much will be asked for? Pure numerics: a panel of demand in, quantile forecasts with method, reason and error
out.

    panel = Panel(ids=("A@EAST",), values=history, starts=starts, freq="D", origin_ds=date(2026, 1, 1))
    pooled = fit_pooled(panel)                                   # once per run, from the whole panel
    result = forecast_panel(panel, horizon=28, quantiles=(.5, .9, .95), windows=(7, 14),
                            per_series_windows=protection_days, pooled=pooled)
    result.protection_quantiles, result.choices[0].method, result.choices[0].reason

A run split into chunks fits `Pooled` once and passes it to every chunk (`panel.take(slice)`): a series' forecast then
does not
depend on its neighbours in the chunk. No Django, no clock unless a budget is given, no logging; deterministic for a
seed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecasting.engine.forecast import Pooled, fit_pooled, forecast_panel
    from forecasting.engine.types import Backtest, Choice, Panel, PanelForecast, Score
    from forecasting.engine.update import advance_panel, shift_present

_ROOMS = {
    "forecast": ("Pooled", "fit_pooled", "forecast_panel"),
    "types": ("Backtest", "Choice", "Panel", "PanelForecast", "Score"),
    "update": ("advance_panel", "shift_present"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Backtest",
    "Choice",
    "Panel",
    "PanelForecast",
    "Pooled",
    "Score",
    "advance_panel",
    "fit_pooled",
    "forecast_panel",
    "shift_present",
]


def __getattr__(name: str) -> Any:
    """A name is fetched when it is first asked for: the nowcast of a web process needs no compiled kernel."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
