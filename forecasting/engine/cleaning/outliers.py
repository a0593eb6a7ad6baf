"""One-off bulk sales, told by the median and the spread of the sales before them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from forecasting.engine.types import BoolArray, FloatArray, Panel

SIGMAS = 5.0
LEAST_SPREAD = 0.5
LEAST_SALES = 8
FEW_SALES = 3
SLIP = 30.0
MEMORY = 64
NORMAL_MAD = 1.4826
LASTING = 2
PROTECTING = ("promotion", "holiday", "event")
READ_BY_CLEANING = (*PROTECTING, "closed")


def outlier_caps(
    values: FloatArray, protected: BoolArray | None = None, after_closed: FloatArray | None = None
) -> FloatArray:
    """(n, T) caps of the sales above them, inf elsewhere: exp(median + 5·max(1.4826·MAD, ½)) of the logarithms of the
    last 64 EARLIER sales, once there are 8; from the 4th sale on 30 times the largest before it.

    Sales of 10 units, always 10: cap 10·e²·⁵ = 122. Sizes spread as 1.4826·MAD = 1: 148 times the median. A third sale
    in a row above the cap is a new level, not an outlier, and so is what follows it. protected (n, T): never capped.
    after_closed (n, T): closed periods just before, whose demand a period may hold too: cap × (1 + that many).
    """
    shape = values.shape
    guard = np.zeros(shape, dtype=np.bool_) if protected is None else protected
    caps = _caps(np.ascontiguousarray(values, dtype=np.float64), guard)
    return caps if after_closed is None else caps * (1.0 + after_closed)


def guards(panel: Panel) -> tuple[BoolArray, FloatArray | None]:
    """(n, T) periods that are never capped (promotions, holidays, events, kept by a person), and closed periods just
    before each one (None: no `closed` covariate)."""
    n, periods = panel.values.shape
    protected = np.zeros((n, periods), dtype=np.bool_)
    if panel.decisions is not None:
        protected |= panel.decisions == 1
    if panel.covariates is None:
        return protected, None
    known = {**panel.covariates.past, **panel.covariates.known}
    for name in PROTECTING:
        if name in known:
            protected |= np.nan_to_num(known[name][:, :periods]) > 0
    if "closed" not in known:
        return protected, None
    closed = np.nan_to_num(known["closed"][:, :periods]) > 0
    return protected, _run_before(closed)


def _run_before(flags: BoolArray) -> FloatArray:
    """(n, T) length of the run of flagged periods that ends just before each one."""
    column = np.arange(flags.shape[1])[None, :]
    last_open = np.maximum.accumulate(np.where(flags, -1, column), axis=1)
    run = np.where(flags, column - last_open, 0)
    return np.concatenate([np.zeros((len(flags), 1)), run[:, :-1]], axis=1)[:, : flags.shape[1]].astype(float)


@njit(cache=True)
def _replace(ordered: FloatArray, count: int, old: float, new: float, full: bool) -> None:
    """Keep the first `count` places sorted: `old` out where full, `new` in."""
    if full:
        at = int(np.searchsorted(ordered[:count], old))
        for k in range(at, count - 1):
            ordered[k] = ordered[k + 1]
        count -= 1
    at = count
    while at > 0 and ordered[at - 1] > new:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = new


@njit(cache=True)
def _middle(ordered: FloatArray, count: int) -> float:
    half = count // 2
    return float(ordered[half]) if count % 2 else 0.5 * float(ordered[half - 1] + ordered[half])


@njit(cache=True)
def _cap(ordered: FloatArray, count: int) -> float:
    median = _middle(ordered, count)
    spread = _middle(np.sort(np.abs(ordered[:count] - median)), count)
    return math.exp(min(median + SIGMAS * max(NORMAL_MAD * spread, LEAST_SPREAD), 700.0))


@njit(cache=True)
def _caps(values: FloatArray, protected: BoolArray) -> FloatArray:
    n, periods = values.shape
    caps = np.full((n, periods), np.inf)
    ordered, ring = np.empty(MEMORY), np.empty(MEMORY)
    for i in range(n):
        count, at, high = 0, 0, 0
        for t in range(periods):
            value = values[i, t]
            if not value > 0:
                continue
            log = math.log(value)
            # Only a sale far above the median can be an outlier: the spread is worked out for those alone.
            if count >= FEW_SALES and log > _middle(ordered, count) + SIGMAS * LEAST_SPREAD:
                cap = _cap(ordered, count) if count >= LEAST_SALES else SLIP * math.exp(ordered[count - 1])
                high = high + 1 if value > cap else 0
                if 0 < high <= LASTING and not protected[i, t]:
                    caps[i, t] = cap
            else:
                high = 0
            full = count == MEMORY
            _replace(ordered, count, ring[at] if full else 0.0, log, full)
            ring[at] = log
            at, count = (at + 1) % MEMORY, min(count + 1, MEMORY)
    return caps
