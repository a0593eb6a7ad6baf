"""The engine's two doors: `fit_pooled` learns from the whole panel, `forecast_panel` forecasts each series (signature stub)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forecasting.engine.types import FloatArray, IntArray, Panel, PanelForecast


@dataclass(frozen=True)
class Pooled:
    """What the whole panel teaches each of its series; picklable."""


def fit_pooled(panel: Panel, *, quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99), max_window: int = 28,
               season: int | tuple[int, ...] | None = None, seed: int = 0) -> Pooled:
    raise NotImplementedError


def forecast_panel(panel: Panel, *, horizon: int, quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
                   windows: Sequence[int] = (), per_series_windows: IntArray | None = None,
                   season: int | tuple[int, ...] | None = None, seed: int = 0, budget_seconds: float | None = None,
                   progress: Callable[[int, int], None] | None = None,
                   known_future: Mapping[str, FloatArray] | None = None, pooled: Pooled | None = None) -> PanelForecast:
    raise NotImplementedError
