"""The Theta method by statsmodels, for the few smooth fast series where it may pay; chosen only when it clearly beats
the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.types import FloatArray

if TYPE_CHECKING:
    from forecasting.engine.methods.pooled import Features
    from forecasting.engine.predict import Pooled
    from forecasting.engine.selection import Losses, Verdict

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def theta_path(values: FloatArray, season: int, horizon: int) -> FloatArray:
    """(H,) Theta forecast (Assimakopoulos & Nikolopoulos 2000) of one series, never negative."""
    from statsmodels.tsa.forecasting.theta import ThetaModel

    seasonal = season > 1 and len(values) >= 2 * season
    model = ThetaModel(
        values, period=season if seasonal else 1, deseasonalize=seasonal, use_test=False, method="additive"
    )
    return np.maximum(np.asarray(model.fit(disp=False).forecast(horizon), dtype=float), 0.0)


def try_theta(
    frame: Frame,
    cleaned: Cleaned,
    pooled: Pooled,
    features: Features,
    losses: Losses,
    verdict: Verdict,
    classes: list[str],
    most: int,
    paths: dict[str, FloatArray],
) -> list[int]:
    """Rows for which Theta replaces the choice; adds its means to `paths`. At most `most` smooth series, the fastest
    first.

    Judged on the same folds with the ratio tables of simple smoothing; must win by more than one standard error of the
    paired
    differences and by 2 %.
    """
    from forecasting.engine.predict import take_rows, window_ratios

    if most <= 0 or not pooled.plan.folds:
        return []
    smooth = [i for i, c in enumerate(classes) if c == "smooth" and verdict.folds[i] == len(pooled.plan.folds)]
    rows = np.array(sorted(smooth, key=lambda i: -cleaned.demand[i].sum())[:most], dtype=np.int64)
    paths["theta"] = np.zeros_like(paths["naive"])
    won: list[int] = []
    pick = [pooled.levels.index(t) for t in LEVELS if t in pooled.levels]
    taus = np.array([pooled.levels[i] for i in pick])
    for row in rows:
        seen, rates, start = frame.open_share[row] > 0, frame.rates()[row], int(frame.starts[row])
        for j, origin in enumerate(frame.origins):
            known, past = seen[start:origin], rates[start:origin]
            filled = np.where(known, past, past[known].mean() if known.any() else 0.0)
            paths["theta"][row, j] = theta_path(filled, frame.season, frame.horizon)
        gaps = []
        for f in range(len(pooled.plan.folds)):
            for k, window in enumerate(pooled.plan.scored):
                found = window_ratios(
                    "ses",
                    pooled.fits[f],
                    np.array([window]),
                    take_rows(features, np.array([row]), f),
                    frame.factor[[row], f, :window].sum(axis=1),
                )
                if found is None:
                    continue
                quantiles = paths["theta"][row, f, :window].sum() * found[0][0, pick]
                miss = losses.actual[row, f, k] - quantiles
                loss = np.maximum(taus * miss, (taus - 1) * miss).mean() / (losses.scale[row] * np.sqrt(window))
                gaps.append(losses.pinball[row, f, k, verdict.chosen[row]] - loss)
        gain = np.array(gaps)
        noise = gain.std(ddof=1) / np.sqrt(len(pooled.plan.folds)) if len(gain) > 1 else np.inf
        if len(gain) and gain.mean() > max(noise, 0.02 * losses.loss()[row, verdict.chosen[row]]):
            won.append(int(row))
    return won
