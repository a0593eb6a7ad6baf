"""The rules of cleaning, in order: what is no number, what a person took out, what was censored, what is one-off."""

from __future__ import annotations

import numpy as np

from forecasting.engine.cleaning.censoring import uncensored
from forecasting.engine.cleaning.cleaned import KINDS, Changes, Cleaned
from forecasting.engine.cleaning.outliers import guards, outlier_caps
from forecasting.engine.types import BoolArray, FloatArray, Panel

LARGEST = 1e15
BULK = 3.0


def clean(panel: Panel) -> Cleaned:
    """Clean a panel. Every rule is causal: a value is judged by what came before it, so no fold learns from its future.

    Infinite, or beyond ±10¹⁵ (a slip, and its square overflows) → unknown (gap). Negative → 0 (returns must be netted
    against the sale before this engine). Inner NaN → gap: exposure 0, never a zero; so is what a person took out. Out
    of stock → the demand that the sale is a lower bound of (`uncensored`). Bulk orders are capped for levels; the
    errors that quantiles learn from see them up to three times the cap, or a slip of nine zeros in one series would be
    the .99 quantile of all others.
    """
    raw = np.asarray(panel.values, dtype=float)
    live = np.arange(raw.shape[1])[None, :] >= panel.starts[:, None]
    infinite = np.isinf(raw) & live
    huge = (np.abs(raw) > LARGEST) & ~infinite & live
    unknown = (np.isnan(raw) | infinite | huge) & live
    observed = np.where(live & ~unknown, raw, 0.0)
    negative = observed < 0
    observed = np.maximum(observed, 0.0)
    dropped = _dropped(panel, live & ~unknown)
    values = np.where(dropped, 0.0, observed)
    exposure = (live & ~unknown & ~dropped).astype(float)
    actual, censored = values, np.zeros(raw.shape, dtype=np.bool_)
    if panel.in_stock is not None:
        actual, exposure, censored = uncensored(values, exposure, panel.in_stock, panel.starts)
    cap = outlier_caps(values, *guards(panel))
    outlier = values > cap
    most = np.where(outlier, cap, 0.0) * exposure
    demand = np.where(outlier, np.minimum(most, actual), actual)
    actual = np.where(outlier, np.minimum(BULK * most, actual), actual)
    return Cleaned(
        demand=demand,
        actual=actual,
        exposure=exposure,
        live=live,
        starts=panel.starts,
        gaps=(unknown & ~infinite & ~huge).sum(axis=1),
        negatives=negative.sum(axis=1),
        infinite=infinite.sum(axis=1),
        huge=huge.sum(axis=1),
        censored=censored.sum(axis=1),
        outliers=outlier.sum(axis=1),
        changes=changes_of(observed, demand, exposure, (outlier, dropped, censored & ~outlier)),
    )


def outliers_in(panel: Panel) -> Changes:
    """The outliers alone that `clean` caps, at a quarter of its time: what is used of each is its cap."""
    raw = np.asarray(panel.values, dtype=float)
    live = np.arange(raw.shape[1])[None, :] >= panel.starts[:, None]
    seen = live & np.isfinite(raw) & (np.abs(raw) <= LARGEST)
    values = np.where(seen & ~_dropped(panel, seen), np.maximum(raw, 0.0), 0.0)
    cap = outlier_caps(values, *guards(panel))
    row, period = np.nonzero(values > cap)
    kind = np.full(len(row), KINDS.index("outlier"), dtype=np.int64)
    return Changes(row, period, values[row, period], cap[row, period], kind)


def _dropped(panel: Panel, seen: BoolArray) -> BoolArray:
    """(n, T) periods whose demand a person took out."""
    if panel.decisions is None:
        return np.zeros(panel.values.shape, dtype=np.bool_)
    return (panel.decisions == 2) & seen


def changes_of(observed: FloatArray, demand: FloatArray, exposure: FloatArray, kinds: tuple[BoolArray, ...]) -> Changes:
    """The changed cells in order of series and period; `used` is the rate, NaN where the period now counts for
    nothing."""
    code = np.full(observed.shape, -1, dtype=np.int64)
    for kind in range(len(KINDS) - 1, -1, -1):
        code[kinds[kind]] = kind
    row, period = np.nonzero(code >= 0)
    weight = exposure[row, period]
    used = np.where(weight > 0, demand[row, period] / np.where(weight > 0, weight, 1.0), np.nan)
    return Changes(row, period, observed[row, period], used, code[row, period])


def sums_before(values: FloatArray) -> FloatArray:
    """(n, T) sum of all earlier columns; the own column never enters, not even by rounding."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)[:, :-1]], axis=1)[:, : values.shape[1]]
