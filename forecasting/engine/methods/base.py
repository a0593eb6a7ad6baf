"""The one interface of all forecasters: a panel in, quantiles per step out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from forecasting.engine.types import FloatArray, Panel


class Forecaster(Protocol):
    """A method under its name. `rank` orders by simplicity (ties go to the lower), `words` says what it does.

    fit_predict learns from the panel alone and answers (n, horizon, q) quantiles in the panel's units: ascending in q,
    never negative, deterministic. It raises ValueError only for arguments that make no sense; a series it cannot
    handle comes back as NaN and is left to others.
    """

    name: str
    rank: int
    words: str

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray: ...
