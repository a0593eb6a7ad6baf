"""Intermittent demand summed over several periods until it is smooth, forecast there, and shared out again."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.methods.base import Forecaster
from forecasting.engine.methods.croston import RateForecaster
from forecasting.engine.types import FloatArray, IntArray

ALPHAS = np.array([0.05, 0.1, 0.2, 0.4, 0.7])
LEAST_BLOCKS = 4
MOST_LEVELS = 24


@kernel
def smoothed_block(rates: FloatArray, width: int, alphas: FloatArray) -> tuple[float, float]:
    """Simple smoothing of the sums of `width` periods, counted back from the last, over the width: a rate, and its α.

    The α of least squared one-step error; the first block is the first level. Blocks partly unknown count as if the
    known part had gone on, blocks wholly unknown are skipped. 0 1 2 0 4 1, width 2: blocks 1 2 5; α = .2:
    1 → 1.2 → 1.96, a rate of .98.
    """
    blocks = len(rates) // width
    begin = len(rates) - blocks * width
    best, found, chosen = np.inf, 0.0, alphas[0]
    for g in range(len(alphas)):
        level, loss, seen = 0.0, 0.0, False
        for b in range(blocks):
            total, known = 0.0, 0.0
            for t in range(begin + b * width, begin + (b + 1) * width):
                if not np.isnan(rates[t]):
                    total += rates[t]
                    known += 1.0
            if known == 0.0:
                continue
            total = total * width / known
            if seen:
                loss += (total - level) ** 2
                level += alphas[g] * (total - level)
            else:
                level, seen = total, True
        if loss < best:
            best, found, chosen = loss, level, alphas[g]
    return found / width, chosen


@kernel
def aggregated(rates: FloatArray, lowest: IntArray, highest: IntArray, alphas: FloatArray) -> FloatArray:
    """(n, 2) mean of the rates found at the levels lowest … highest of each series, and of their variances relative to
    that of one period: α / (2 − α) / width."""
    out = np.zeros((len(rates), 2))
    for i in range(len(rates)):
        for width in range(lowest[i], highest[i] + 1):
            rate, alpha = smoothed_block(rates[i], width, alphas)
            out[i, 0] += rate
            out[i, 1] += alpha / (2.0 - alpha) / width
        out[i] /= highest[i] - lowest[i] + 1
    return out


def mean_interval(rates: FloatArray) -> IntArray:
    """(n,) known periods per sale, rounded, so that a block holds about one sale; at most a quarter of the history."""
    known, sold = np.isfinite(rates).sum(axis=1), (np.nan_to_num(rates) > 0).sum(axis=1)
    width = np.round(known / np.maximum(sold, 1)).astype(np.int64)
    return np.clip(width, 1, np.maximum(known // LEAST_BLOCKS, 1))


def adida_rate(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) aggregate–disaggregate at the mean interval between sales, shared out evenly. Nikolopoulos et al. (2011)."""
    width = mean_interval(rates)
    found = aggregated(np.ascontiguousarray(rates), width, width, ALPHAS)
    return found[:, 0], found[:, 1]


def imapa_rate(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) mean of all levels from 1 to the mean interval (24 at most). Petropoulos & Kourentzes (2015)."""
    width = np.minimum(mean_interval(rates), MOST_LEVELS)
    found = aggregated(np.ascontiguousarray(rates), np.ones_like(width), width, ALPHAS)
    return found[:, 0], found[:, 1]


IMAPA = RateForecaster("imapa", 6, "the mean of smoothing at several levels of aggregation", rate=imapa_rate)

FORECASTERS: tuple[Forecaster, ...] = (
    RateForecaster("adida", 5, "summed over the mean interval between sales, smoothed, shared out", rate=adida_rate),
    IMAPA,
)
