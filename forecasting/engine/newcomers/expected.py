"""The mean path of a young item: like items and its own sales, the launch curve, and what earlier launches correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.frame import Frame
from forecasting.engine.newcomers.curve import relative_ahead
from forecasting.engine.newcomers.early import Early
from forecasting.engine.newcomers.likeitems import EPS, LikeItems, posterior_rate
from forecasting.engine.types import Covariates, FloatArray

SIZE_STRENGTH = 1.0
SHIFT_CAP = 2.0
LEVEL_SHARE = 0.1


@dataclass(frozen=True)
class Prior:
    """What like items teach: ln of sales per exposure, ln of their size, shape of the rates around the former."""

    rate: LikeItems
    size: LikeItems
    shape: float


@dataclass(frozen=True)
class Young:
    """base, rate (n, O): shrunken demand and sales per unit of exposure; x (n, O, p) what corrects them."""

    base: FloatArray
    rate: FloatArray
    x: FloatArray

    def column(self, origin: int) -> Young:
        """The same at one origin: (n,) and (n, p)."""
        return Young(self.base[:, origin], self.rate[:, origin], self.x[:, origin])


def describe(early: Early, prior: Prior, covariates: Covariates | None) -> Young:
    """base = posterior chance of a sale × size blended with one sale of like items; x: logs of ratios, free of units
    but for the typical size itself."""
    n = len(early.age)
    like = prior.rate.at(covariates, n)[:, None]
    typical = prior.size.at(covariates, n)[:, None]
    rate = posterior_rate(early.events, early.exposure, np.exp(like), prior.shape)
    base = rate * (early.units + SIZE_STRENGTH * np.exp(typical)) / (early.events + SIZE_STRENGTH)
    safe, seen = np.maximum(base, EPS), np.maximum(early.exposure, EPS)
    log_size = (early.logs + SIZE_STRENGTH * typical) / (early.events + SIZE_STRENGTH)
    levels = (
        early.units / seen,
        early.late_units / np.maximum(early.late_exposure, EPS),
        np.maximum(early.units - early.first, 0.0) / seen,
    )
    x = [np.log((v + LEVEL_SHARE * safe) / ((1.0 + LEVEL_SHARE) * safe)) for v in levels]
    x += [log_size + np.log(np.maximum(rate, EPS)) - np.log(safe), like + typical - np.log(safe)]
    x += [np.log1p(early.exposure), np.log1p(early.events), np.log1p(early.silent * np.minimum(rate, 1.0))]
    x += [size_spread(early), np.log(np.maximum(rate, 1e-4)), np.broadcast_to(typical, base.shape)]
    return Young(base, rate, np.clip(np.stack(x, axis=-1), -6.0, 10.0))


def size_spread(early: Early) -> FloatArray:
    """(n, O) standard deviation of ln size; 0 below two sales."""
    count = np.maximum(early.events, 1.0)
    spread: FloatArray = np.sqrt(np.maximum(early.squares / count - (early.logs / count) ** 2, 0.0))
    return spread


def events_ahead(young: Young, expected: FloatArray) -> FloatArray:
    """(…) ln of the sales expected in `expected` units of exposure."""
    ahead: FloatArray = np.log(young.rate * expected + 1e-3)
    return ahead


def design(young: Young, expected: FloatArray) -> FloatArray:
    """(…, p + 2): one, the features, sales expected."""
    events = events_ahead(young, expected)
    return np.concatenate([np.ones_like(events)[..., None], young.x, events[..., None]], axis=-1)


def spread_features(young: Young, expected: FloatArray) -> FloatArray:
    """(…, r) what the uncertainty of a window depends on."""
    events = events_ahead(young, expected)
    parts = [events[..., None], np.minimum(events, 0.0)[..., None], young.x, np.abs(young.x[..., :4])]
    return np.concatenate(parts, axis=-1)


def bare_path(frame: Frame, early: Early, young: Young, curve: FloatArray) -> FloatArray:
    """(n, O, H) level × seasonal factor × launch curve relative to the life so far."""
    ahead = relative_ahead(curve, early.age, frame.horizon, frame.calendar.rhythm.block)
    return young.base[:, :, None] * frame.factor * ahead


def corrected(path: FloatArray, frame: Frame, young: Young, betas: FloatArray) -> FloatArray:
    """(n, O, H) × exp(features · β) of each step block, at most e² either way."""
    out = path.copy()
    for b, (first, last) in enumerate(frame.calendar.blocks):
        x = design(young, frame.factor[:, :, first:last].sum(axis=2))
        out[:, :, first:last] *= np.exp(np.clip(x @ betas[b], -SHIFT_CAP, SHIFT_CAP))[:, :, None]
    return out
