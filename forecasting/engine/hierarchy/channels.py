"""A SKU's demand in a warehouse, shared out to its channels: shares with the caution of little data, parts that add
up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.hierarchy.tree import GRID, to_grid
from forecasting.engine.types import FloatArray

PRIOR_EVENTS = 8.0


def channel_shares(
    sold: FloatArray, events: FloatArray, prior: FloatArray, strength: float = PRIOR_EVENTS
) -> FloatArray:
    """(n, c) shares of c channels in n series, rows adding up to 1.

    sold (n, c) discounted units; events (n,) how many sales they rest on; prior (n, c) the shares in the category or
    the panel. Share = (events × own + strength × prior) / (events + strength): the mean of a Dirichlet posterior whose
    prior weighs as much as `strength` sales. 3 of 4 sales in the shop, prior .5, strength 4 → .625.
    """
    total = sold.sum(axis=1, keepdims=True)
    base = prior / np.maximum(prior.sum(axis=1, keepdims=True), 1e-12)
    own = np.where(total > 0, sold / np.maximum(total, 1e-12), base)
    weight = np.where(total[:, 0] > 0, events, 0.0)[:, None]
    share = (weight * own + strength * base) / (weight + strength)
    return share / share.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Split:
    """mean (n, c, h) on the grid, adding up exactly to the series' mean; quantiles (n, c, h, q)."""

    mean: FloatArray
    quantiles: FloatArray


def split_channels(shares: FloatArray, mean: FloatArray, quantiles: FloatArray) -> Split:
    """Parts of (n, h) means on the grid and (n, h, q) quantiles by shares (n, c).

    Mean: share × mean, rounded to the grid, the last units of the grid to the largest remainders. Quantiles: each unit
    finds its channel by chance, so that a part of a demand of variance V and mean m has variance p²V + p(1 − p)m
    (binomial thinning); Q_p(τ) = max(0, pm + (Q(τ) − m) · sd_p / sd). Half of a demand of mean 4 and variance 4 has the
    standard deviation √2, not 1.
    """
    exact = shares[:, :, None] * mean[:, None, :]
    units = np.floor(exact * GRID)
    missing = np.round(to_grid(mean) * GRID - units.sum(axis=1)).astype(np.int64)
    order = np.argsort(np.argsort(-(exact * GRID - units), axis=1, kind="stable"), axis=1)
    parts = (units + (order < missing[:, None, :])) / GRID
    spread = np.maximum((quantiles[:, :, -1] - quantiles[:, :, 0]) / 2.0, np.sqrt(np.maximum(mean, 1e-9)))
    p = shares[:, :, None]
    thinned = np.sqrt(p**2 * spread[:, None] ** 2 + p * (1.0 - p) * mean[:, None])
    shift = (quantiles - mean[:, :, None])[:, None] * (thinned / spread[:, None])[..., None]
    return Split(parts, np.maximum(parts[..., None] + shift, 0.0))
