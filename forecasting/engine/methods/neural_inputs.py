"""What the recurrent network reads: scaled demand, calendar, covariates and categories, all known at each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.seasonality import RHYTHMS
from forecasting.engine.types import Covariates, FloatArray, IntArray, Panel

CAP = 5.0


@dataclass(frozen=True)
class Inputs:
    """rates (n, T) demand, NaN unknown; scale (n,) its mean, 0 where nothing was sold; features (n, T + H, p) known
    when the step is forecast; codes (n, c) of categories, 0 = unknown; kinds: the largest code of each."""

    rates: FloatArray
    scale: FloatArray
    features: FloatArray
    codes: IntArray
    kinds: tuple[int, ...]


def inputs_of(panel: Panel, rates: FloatArray, horizon: int) -> Inputs:
    """Numbers are standardised over the panel and capped at ±5; an unknown one is 0 beside a flag of its own.

    Nothing here depends on what is forecast: scales are those of the history given.
    """
    n, periods = rates.shape
    known = np.isfinite(rates)
    scale = np.where(known, rates, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    covariates = panel.covariates or Covariates()
    columns = [*calendar(panel, periods + horizon), level(scale, periods + horizon)]
    for name in sorted(covariates.known):
        columns += flagged(reached(covariates.known[name], periods + horizon))
    for name in sorted(covariates.past):
        late = np.concatenate([np.full((n, 1), np.nan), covariates.past[name]], axis=1)
        columns += flagged(reached(late, periods + horizon))
    for name in sorted(covariates.static):
        columns += flagged(np.repeat(covariates.static[name][:, None], periods + horizon, axis=1))
    codes = [covariates.categories[name] + 1 for name in sorted(covariates.categories)]
    stacked = np.stack(codes, axis=1) if codes else np.zeros((n, 0), dtype=np.int64)
    kinds = tuple(int(c.max(initial=0)) for c in codes)
    return Inputs(rates, scale, np.stack(columns, axis=2) if n else np.zeros((0, 1, 1)), stacked, kinds)


def calendar(panel: Panel, length: int) -> list[FloatArray]:
    """Sine and cosine of the season and of the year, and the age of the series."""
    n, step = len(panel.ids), np.arange(length)
    rhythm = RHYTHMS[panel.freq]
    waves = []
    for cycle in sorted({rhythm.season, rhythm.year} - {0, 1}):
        waves += [np.sin(2 * np.pi * step / cycle), np.cos(2 * np.pi * step / cycle)]
    age = np.log1p(np.maximum(step[None, :] - panel.starts[:, None], 0)) / 5.0
    return [np.broadcast_to(w, (n, length)) for w in waves] + [age]


def level(scale: FloatArray, length: int) -> FloatArray:
    """(n, L) ln of the scale, so that fast and slow movers may differ."""
    return np.repeat(np.clip(np.log(np.maximum(scale, 1e-4)), -CAP, CAP)[:, None], length, axis=1)


def reached(values: FloatArray, length: int) -> FloatArray:
    """(n, L) cut, or unknown beyond what is given."""
    missing = np.full((len(values), max(length - values.shape[1], 0)), np.nan)
    return np.concatenate([values[:, :length], missing], axis=1)


def flagged(values: FloatArray) -> list[FloatArray]:
    """Standardised values, 0 where unknown, and whether they are known."""
    known = np.isfinite(values)
    count = max(int(known.sum()), 1)
    centre = float(np.where(known, values, 0.0).sum()) / count
    spread = float(np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum() / count))
    scaled = np.clip((np.where(known, values, centre) - centre) / max(spread, 1e-9), -CAP, CAP)
    return [scaled, known.astype(float)]
