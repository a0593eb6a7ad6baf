"""Forecasts of young items: the tables of earlier launches around their mean path, blended with their own record."""

from __future__ import annotations

import numpy as np

from forecasting.engine.fallbacks import gamma_spread
from forecasting.engine.frame import Frame
from forecasting.engine.newcomers.early import early_of
from forecasting.engine.newcomers.expected import Young, bare_path, corrected, describe, spread_features
from forecasting.engine.newcomers.learning import Newcomers
from forecasting.engine.newcomers.phaseout import FADE_BLOCKS
from forecasting.engine.types import Covariates, FloatArray, IntArray

OWN_SHARE = 0.25


class NewStart:
    """Young items at the present under what the panel's launches taught. Quantiles stand at `model.levels`.

    Three quarters of every mean and quantile come from like launches at the same age, a quarter from the item's own
    mean with a gamma spread (none before its first sale): averaging quantiles of two honest views beats either
    (Lichtendahl, Grushka-Cockayne & Winkler 2013).
    """

    def __init__(self, model: Newcomers, frame: Frame, dispersion: FloatArray, covariates: Covariates | None) -> None:
        self.model = model
        now = frame.at(np.array([len(frame.origins) - 1]))
        early = early_of(now)
        young = describe(early, model.prior, covariates)
        path = corrected(bare_path(now, early, young, model.curve), now, young, model.betas)
        self.young: Young = young.column(0)
        self.path: FloatArray = path[:, 0]
        self.factor: FloatArray = now.factor[:, 0]
        self.dispersion = dispersion
        self.own = early.units[:, 0] / np.maximum(early.exposure[:, 0], 1e-9)
        self.share = np.where(early.events[:, 0] > 0, OWN_SHARE, 0.0)

    def window(self, windows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Means (r,), quantiles (r, q) and standard deviations (r,) of the sum over the first windows[i] steps."""
        index = (windows - 1)[:, None]
        mean = np.take_along_axis(self.path.cumsum(axis=1), index, axis=1)[:, 0]
        expected = np.take_along_axis(self.factor.cumsum(axis=1), index, axis=1)[:, 0]
        ratios, spread = self.ratios(windows, expected)
        own = self.own * expected
        sd = (1.0 - self.share) * mean * spread + self.share * np.sqrt(own * self.dispersion)
        return *self.blended(mean, ratios, own), sd

    def steps(self, horizon: int) -> tuple[FloatArray, FloatArray]:
        """Means (r, h) and quantiles (r, h, q) of single steps."""
        shape = (len(self.path), horizon, len(self.model.levels))
        means, quantiles = np.zeros(shape[:2]), np.zeros(shape)
        last = max(self.model.steps)
        for h in range(horizon):
            block = min(self.block_of(h), last)
            key = self.model.step_keys[block].key(spread_features(self.young, self.factor[:, h]))
            ratios = self.model.steps[block].at(key)
            means[:, h], quantiles[:, h] = self.blended(self.path[:, h], ratios, self.own * self.factor[:, h])
        return means, quantiles

    def block_of(self, step: int) -> int:
        return next((b for b, (_, end) in enumerate(self.model.blocks) if step < end), len(self.model.blocks) - 1)

    def blended(self, mean: FloatArray, ratios: FloatArray, own: FloatArray) -> tuple[FloatArray, FloatArray]:
        share = self.share
        spread = gamma_spread(own, self.dispersion, self.model.levels)
        quantiles = (1.0 - share)[:, None] * mean[:, None] * ratios + share[:, None] * spread
        return (1.0 - share) * mean + share * own, quantiles

    def ratios(self, windows: IntArray, expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(r, q) ratio quantiles and (r,) relative spreads; between learnt windows linear in ln length."""
        lengths = sorted(self.model.tables)
        position = np.interp(np.log(windows), np.log(lengths), np.arange(len(lengths), dtype=float))
        features = spread_features(self.young, expected)
        ratios, spread = np.zeros((len(windows), len(self.model.levels))), np.zeros(len(windows))
        for index, length in enumerate(lengths):
            part = np.maximum(1.0 - np.abs(position - index), 0.0)
            key = self.model.keys[length].key(features)
            ratios += part[:, None] * self.model.tables[length].at(key)
            spread += part * self.model.tables[length].spread_at(key)
        return ratios, spread


def youth_of(model: Newcomers | None, covariates: Covariates | None) -> tuple[int, bool]:
    """For how many periods an item counts as new (0 where launches teach nothing), and whether attributes are known."""
    described = covariates is not None and bool(covariates.static or covariates.categories)
    return (0 if model is None else model.oldest), described


def fading_of(model: Newcomers | None) -> FloatArray:
    """(B,) how demand fades before an end; all ones where the panel teaches nothing: it goes on until the end, then
    stops."""
    return np.ones(FADE_BLOCKS) if model is None else model.fading
