"""The history as features: lags, rolling means and spreads, share of days out of stock, age; all free of scale."""

from __future__ import annotations

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.features.spans import Spans, log_ratio
from forecasting.engine.types import FloatArray, IntArray

ROLLING = (7, 28, 84)
USUAL = 182
LAGS = (1, 2, 3, 7)


def history_features(
    cleaned: Cleaned,
    origins: IntArray,
    *,
    rolling: tuple[int, ...] = ROLLING,
    usual: int = USUAL,
    lags: tuple[int, ...] = LAGS,
) -> tuple[list[str], FloatArray]:
    """(names, x (n, O, p)), all from columns before the origin:

    lag_k        log_ratio of the demand k periods before the first step ahead to the usual mean (`usual` periods)
    mean_k       log_ratio of the mean of the last k periods
    sold_k       share of the last k periods with a sale
    spread_k     standard deviation / mean of the last k periods
    stockout_k   share of the last k periods that could not show demand (out of stock or unknown)
    age          log(1 + periods since the start)
    """
    demand = np.where(cleaned.exposure > 0, cleaned.demand, np.nan) / np.where(
        cleaned.exposure > 0, cleaned.exposure, 1.0
    )
    level, square = Spans(demand), Spans(demand**2)
    sold = Spans(np.where(np.isnan(demand), np.nan, demand > 0))
    dry = Spans(np.where(cleaned.live, 1.0 - cleaned.exposure, np.nan))
    base = level.mean(origins - usual, origins)
    found: list[tuple[str, FloatArray]] = []
    for k in lags:
        found.append((f"lag_{k}", log_ratio(level.mean(origins - k, origins - k + 1), base)))
    for k in rolling:
        mean = level.mean(origins - k, origins)
        variance = np.maximum(square.mean(origins - k, origins) - mean**2, 0.0)
        found.append((f"mean_{k}", log_ratio(mean, base)))
        found.append((f"sold_{k}", sold.mean(origins - k, origins)))
        found.append((f"spread_{k}", np.sqrt(variance) / np.where(mean > 0, mean, np.nan)))
        found.append((f"stockout_{k}", dry.mean(origins - k, origins)))
    age = np.maximum(np.asarray(origins)[None, :] - cleaned.starts[:, None], 0)
    found.append(("age", np.log1p(age)))
    return [name for name, _ in found], np.stack([values for _, values in found], axis=-1)
