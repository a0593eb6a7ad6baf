"""Before any statistics: negatives, infinities, gaps, stock-outs and one-off bulk orders are dealt with, counted and
named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.types import BoolArray, FloatArray, IntArray, Panel

OUTLIER_SIGMAS = 4.0
OUTLIER_MIN_SALES = 8
MIN_SHARE_IN_STOCK = 0.25
SOLD_OUT_SHARE = 0.5
LARGEST = 1e15


@dataclass(frozen=True)
class Cleaned:
    """What the methods may see: `demand` (n, T) ≥ 0, bulk orders capped; `actual` (n, T) the same uncapped; `exposure`
    (n, T) 0..1,
    the share of the period in which demand could show itself (0 before the start, in gaps and while out of stock)."""

    demand: FloatArray
    actual: FloatArray
    exposure: FloatArray
    live: BoolArray
    starts: IntArray
    gaps: IntArray
    negatives: IntArray
    infinite: IntArray
    huge: IntArray
    censored: IntArray
    outliers: IntArray


def clean(panel: Panel) -> Cleaned:
    """Clean a panel. Every rule is causal: a value is judged by what came before it, so no fold learns from its future.

    Infinite, or beyond ±10¹⁵ (a slip, and its square overflows) → unknown (gap). Negative → 0 (returns must be netted
    against the sale before this engine). Inner NaN → gap: exposure 0, never a zero. Out of stock → exposure is the
    share in stock, so that level = Σ sales / Σ exposure counts no lost day as demand; a sale on a day marked 0 counts
    as half a day. Bulk orders are capped for levels, not for the errors that quantiles learn from.
    """
    raw = np.asarray(panel.values, dtype=float)
    periods = raw.shape[1]
    live = np.arange(periods)[None, :] >= panel.starts[:, None]
    infinite = np.isinf(raw) & live
    huge = (np.abs(raw) > LARGEST) & ~infinite & live
    unknown = (np.isnan(raw) | infinite | huge) & live
    values = np.where(live & ~unknown, raw, 0.0)
    negative = values < 0
    values = np.maximum(values, 0.0)
    exposure = (live & ~unknown).astype(float)
    censored = np.zeros(len(values), dtype=np.int64)
    if panel.in_stock is not None:
        share = np.clip(np.nan_to_num(panel.in_stock, nan=1.0), 0.0, 1.0)
        sold = values > 0
        share = np.where(
            share >= MIN_SHARE_IN_STOCK,
            share,
            np.where(sold, np.where(share > 0, MIN_SHARE_IN_STOCK, SOLD_OUT_SHARE), 0.0),
        )
        censored = ((share < 1) & (exposure > 0)).sum(axis=1)
        exposure = exposure * share
    cap = outlier_caps(values)
    outliers = (values > cap).sum(axis=1)
    return Cleaned(
        demand=np.minimum(values, cap),
        actual=values,
        exposure=exposure,
        live=live,
        starts=panel.starts,
        gaps=(unknown & ~infinite & ~huge).sum(axis=1),
        negatives=negative.sum(axis=1),
        infinite=infinite.sum(axis=1),
        huge=huge.sum(axis=1),
        censored=censored,
        outliers=outliers,
    )


def outlier_caps(values: FloatArray) -> FloatArray:
    """(n, T) caps: exp(mean + 4·max(sd, ½)) of the logarithms of all EARLIER sales, once there are 8 of them; before
    that, none.

    Sales of 10 units, always 10: cap 10·e² = 73.9. Sizes spread as sd(log) = 1.2: 122 times the geometric mean.
    Because earlier sales
    are counted uncapped, a lasting change of level passes the cap within a few periods; a one-off never does.
    """
    sold = values > 0
    logs = np.where(sold, np.log(np.where(sold, values, 1.0)), 0.0)
    count, total, square = (sums_before(x) for x in (sold.astype(float), logs, logs**2))
    safe = np.maximum(count, 1)
    mean = total / safe
    spread = np.sqrt(np.maximum(square / safe - mean**2, 0.0))
    with np.errstate(over="ignore"):
        cap = np.exp(mean + OUTLIER_SIGMAS * np.maximum(spread, 0.5))
    return np.where(count >= OUTLIER_MIN_SALES, cap, np.inf)


def sums_before(values: FloatArray) -> FloatArray:
    """(n, T) sum of all earlier columns; the own column never enters, not even by rounding."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)[:, :-1]], axis=1)[:, : values.shape[1]]
