"""Stateless prediction: histories in, quantile forecasts out; nothing is read from or written to the database."""

from collections.abc import Mapping, Sequence
from typing import Any


def predict(
    series: Sequence[Mapping[str, Any]],
    *,
    freq: str,
    horizon: int,
    quantiles: Sequence[float],
    windows: Sequence[int],
    season: int | None,
) -> list[dict[str, Any]]:
    """One answer per series, in order. A series is `{unique_id, y, start?, in_stock?}`; y may hold None (unknown).

    Each series is forecast from its own history alone, so that an answer does not depend on its neighbours.
    """
    return [_predict_one(one, freq, horizon, quantiles, windows, season) for one in series]


def _predict_one(
    one: Mapping[str, Any],
    freq: str,
    horizon: int,
    quantiles: Sequence[float],
    windows: Sequence[int],
    season: int | None,
) -> dict[str, Any]:
    import numpy as np

    from forecasting.engine import Panel, forecast_panel

    panel = Panel(
        ids=(one["unique_id"],),
        values=np.array([[np.nan if y is None else y for y in one["y"]]], dtype=float),
        starts=np.zeros(1, dtype=np.int64),
        in_stock=np.array([one["in_stock"]], dtype=float) if one.get("in_stock") else None,
        freq=freq,
        origin_ds=one.get("start"),
    )
    result = forecast_panel(panel, horizon=horizon, quantiles=quantiles, windows=windows, season=season)
    choice, names = result.choices[0], [f"{level:g}" for level in quantiles]
    return {
        "unique_id": one["unique_id"],
        "method": choice.method,
        "reason": choice.reason,
        "fallback": choice.fallback,
        "demand_class": choice.demand_class,
        "notes": list(choice.notes),
        "mean": result.mean[0].tolist(),
        "quantiles": {name: result.quantiles[0, :, q].tolist() for q, name in enumerate(names)},
        "windows": [
            {
                "window": window,
                "mean": float(result.window_mean[0, w]),
                "quantiles": {name: float(result.window_quantiles[0, w, q]) for q, name in enumerate(names)},
            }
            for w, window in enumerate(result.windows)
        ],
    }
