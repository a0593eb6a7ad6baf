"""The pooled method: a level per series, corrected by what the whole panel shows such levels to be followed by.

mean of step block b = base level × seasonal factor × yearly swing × exp(features · β_b), the β learnt by a
quasi-Poisson regression over
series × past origins. Features are scale-free (ratios of levels of different memory, chance of a sale, time since the
last sale).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.calibration import poisson_regression
from forecasting.engine.frame import Frame
from forecasting.engine.seasonality import EPS
from forecasting.engine.types import BoolArray, FloatArray

SWING_DAMPING = 1.0
RATIO_CAP = 6.0
SHIFT_CAP = 1.5
LEAST_SHARE = 0.1
SUREST, UNLIKELY_SILENCE = 0.999, 1e-4


@dataclass(frozen=True)
class Features:
    """base (n, O) level; chance (n, O) long-run sales per unit of exposure; x (n, O, p) what the mean is corrected by;
    spread (n, O, r)
    what the uncertainty depends on besides."""

    base: FloatArray
    chance: FloatArray
    x: FloatArray
    spread: FloatArray


def features_of(frame: Frame) -> Features:
    """All that is known of each series at each origin."""
    half_lives = frame.calendar.rhythm.half_lives
    sold = (frame.demand > 0).astype(float)
    root = np.sqrt(frame.demand)
    exposure = [np.maximum(frame.discounted(frame.weight, h), EPS) for h in half_lives]
    opened = [np.maximum(frame.discounted(frame.open_share, h), EPS) for h in half_lives]
    level = [frame.discounted(frame.demand, h) / e for h, e in zip(half_lives, exposure, strict=True)]
    chance = [frame.discounted(sold, h) / e for h, e in zip(half_lives, exposure, strict=True)]
    robust = [(frame.discounted(root, half_lives[i]) / opened[i]) ** 2 for i in (1, 3)]
    base = (level[1] + level[2] + level[3]) / 3.0
    safe = np.maximum(base, EPS)
    x = [np.log((v + 0.1 * safe) / (1.1 * safe)) for v in level]
    x += [np.log((v + 0.02 * safe) / (1.02 * safe)) for v in robust]
    often = chance[3]
    x += [np.log((c + 0.05 * often + 1e-3) / (1.05 * often + 1e-3)) for c in chance[:2]]
    x.append(np.log1p(since_last_sale(frame) * np.minimum(often, 1.0)))
    events = np.maximum(frame.discounted(sold, half_lives[3]), EPS)
    size = frame.discounted(frame.demand, half_lives[3]) / events
    square = frame.discounted(frame.demand**2, half_lives[3]) / events
    cv = np.minimum(np.sqrt(np.maximum(square / np.maximum(size, EPS) ** 2 - 1.0, 0.0)), 4.0)
    x.append(cv)
    spread = np.stack([*(np.abs(v) for v in x[:4]), np.log1p(cv**2)], axis=-1)
    return Features(base, often, np.stack(x, axis=-1), spread)


def since_last_sale(frame: Frame) -> FloatArray:
    """(n, O) observed periods since the last sale before each origin (all where there was none): weeks out of stock are
    no sign of dying demand."""
    periods = frame.demand.shape[1]
    index = np.where(frame.demand > 0, np.arange(1, periods + 1)[None, :], 0)
    last = np.maximum.accumulate(index, axis=1)[:, frame.origins - 1]
    seen = np.concatenate([np.zeros((len(frame.demand), 1)), (~frame.unseen()).cumsum(axis=1)], axis=1)
    return seen[:, frame.origins] - np.take_along_axis(seen, np.maximum(last, frame.starts[:, None]), axis=1)


def silent_beyond_chance(frame: Frame, features: Features) -> BoolArray:
    """(n,) whether a series has been silent until the present for longer than chance allows: (1 − p)^d < 1e-4, p its
    long-run chance of a sale in a period, d the observed periods since the last.

    A sale every other day, p = .5: silent from the 14th day on.
    """
    chance = np.clip(features.chance[:, -1], 0.0, SUREST)
    silent: BoolArray = since_last_sale(frame)[:, -1] * np.log1p(-chance) < np.log(UNLIKELY_SILENCE)
    return silent


def log_events(features: Features, expected: FloatArray) -> FloatArray:
    """(…) log of the expected number of sales, `expected` being the exposure ahead in normal periods."""
    return np.log(features.chance * expected + 1e-3)


def base_path(frame: Frame, features: Features) -> FloatArray:
    """(n, O, H) base level × seasonal factor × believed yearly swing, before the regression."""
    swing = np.repeat(frame.swing, [last - first for first, last in frame.calendar.blocks], axis=1)
    return features.base[:, :, None] * frame.factor * np.exp(SWING_DAMPING * swing)[None]


def floored(path: FloatArray, frame: Frame, features: Features) -> FloatArray:
    """(n, O, H) the path of any method, at least a tenth of the base level: a mean of almost nothing has no meaningful
    ratio."""
    return np.maximum(path, LEAST_SHARE * features.base[:, :, None] * frame.factor)


def design(features: Features, frame: Frame, block: int) -> FloatArray:
    """(n, O, p + 2): one, the features, expected sales in the block."""
    first, last = frame.calendar.blocks[block]
    events = log_events(features, frame.factor[:, :, first:last].sum(axis=2))
    return np.concatenate([np.ones_like(events)[..., None], features.x, events[..., None]], axis=-1)


def fit_blocks(frame: Frame, features: Features, actual: list[FloatArray], valid: list[BoolArray]) -> FloatArray:
    """(B, p) coefficients; actual[b], valid[b] (n, O) are the sums of each step block. Too few cases: no correction
    (zeros)."""
    path = base_path(frame, features)
    betas: list[FloatArray] = []
    for b, (first, last) in enumerate(frame.calendar.blocks):
        x = design(features, frame, b)
        mean = path[:, :, first:last].sum(axis=2)
        usable = valid[b] & (mean > EPS)
        if usable.sum() < 20 * x.shape[-1]:
            betas.append(betas[-1] if betas else np.zeros(x.shape[-1]))
            continue
        ratio = np.minimum(actual[b][usable] / mean[usable], RATIO_CAP)
        cases = x[usable]
        betas.append(poisson_regression(cases, ratio, np.minimum(1.0, np.exp(cases[:, -1]))))
    return np.array(betas)


def pooled_path(frame: Frame, features: Features, betas: FloatArray) -> FloatArray:
    """(n, O, H) corrected means; betas (O, B, p) belong to each origin's own past, or (B, p) to all."""
    path = base_path(frame, features)
    if betas.shape[-1] == 0:
        return path
    for b, (first, last) in enumerate(frame.calendar.blocks):
        beta = betas[..., b, :]
        shift = np.clip((design(features, frame, b) * beta).sum(axis=-1), -SHIFT_CAP, SHIFT_CAP)
        path[:, :, first:last] *= np.exp(shift)[:, :, None]
    return path


def key_features(features: Features, events: FloatArray) -> FloatArray:
    """(n, O, r) what the uncertainty of a window depends on; events = log expected number of sales in it."""
    return np.concatenate([events[..., None], np.minimum(events, 0.0)[..., None], features.spread, features.x], axis=-1)
