"""One fill rate for many rows of a batch, shared out so that it costs least: every row's own cycle service level.

    minimise Σ c·S  subject to  Σ v·d·β(S) ≥ β·Σ v·d          v = worth of a unit served, d = demand a day

With lost sales a row loses n(S)/(L + R) a day (lost once, an order stands in (L + R)/R protection intervals), so at the
optimum P(D > S) = λ·c/v·(L + R); with backorders P(D > S) ≈ λ·c/v·R. λ is the multiplier: what a unit of worth is paid
for. The least cautious λ is found whose expected fill rates, those of the kernel that also decides, reach the target;
so lots, packs, limits and varying lead times count as they will. Snyder & Shen, section 4.3 for one item; Lagrange.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from procurement.engine.errors import ParameterError
from procurement.engine.policies.demand_scale import demand_scale, shrunk_to_panel
from procurement.engine.policies.solve import solve_policies
from procurement.engine.policies.types import ROW_FIELDS, PolicyBatch, PolicyLevels

Array = NDArray[np.float64]

#: Cycle service levels that are handed out: half of all intervals may run short at most, one in 10,000 at least.
LEAST, MOST = 0.5, 0.9999
_CAUTIONS, _STEPS = (-4.0, 16.0), 14
_SAMPLE, _SECANTS, _CLOSE = 1024, 4, 2e-4
_SCALE_AT, _LEAST_SPREAD, _MOST_SPREAD = 0.95, 0.25, 4.0


@dataclass(frozen=True, slots=True)
class SharedAims:
    """`service_level` (N,) to aim at, `weight` (N,) of the row in the common fill rate (adds up to 1), `multiplier` λ,
    the `levels` these aims give, and the `fill_rate` expected of all rows together."""

    service_level: Array
    weight: Array
    multiplier: float
    levels: PolicyLevels
    fill_rate: float


def share_fill_rate(batch: PolicyBatch, worth: Array, unit_cost: Array, fill_rate: float) -> SharedAims:
    """Aims of all rows for one `fill_rate`; `worth` and `unit_cost` (N,) in one currency. Learned corrections are left
    out: they are to come on top. Where nothing reaches the target the most cautious aims are the answer.

    Worked: two rows alike, one twice as dear at the same worth → its chance of running short is twice the other's.
    """
    if not 0.0 < fill_rate < 1.0:
        raise ParameterError("fill_rate", "must lie strictly between 0 and 1")
    batch = replace(batch, target_kind=np.zeros(len(batch), dtype=np.int8), service_correction=np.ones(len(batch)))
    price, weight = _price_of_safety(batch, worth, unit_cost), _weights(batch, worth)
    caution, found = _search(batch, price, weight, fill_rate)
    scale = _typical(price)
    multiplier = float(np.exp(-caution)) / scale
    return SharedAims(_aims(price, caution, scale), weight, multiplier, found, float(weight @ found.fill_rate))


def _search(batch: PolicyBatch, price: Array, weight: Array, fill_rate: float) -> tuple[float, PolicyLevels]:
    """The least caution that reaches the target, with its levels; of many rows by a sample first, then by secants."""
    if len(batch) <= _SAMPLE:
        return _bisected(batch, price, weight, fill_rate, _typical(price))
    rows = np.unique(np.linspace(0, len(batch) - 1, _SAMPLE).astype(np.int64))
    few = replace(batch, **{name: getattr(batch, name)[rows] for name in ROW_FIELDS})
    caution, _levels = _bisected(few, price[rows], weight[rows] / weight[rows].sum(), fill_rate, _typical(price))
    steepness, before = 1.0, None
    for _ in range(_SECANTS):
        found = _solved(batch, price, caution, _typical(price))
        excess = np.log(max(1.0 - float(weight @ found.fill_rate), 1e-9)) - np.log(1.0 - fill_rate)
        if abs(excess) * (1.0 - fill_rate) <= _CLOSE:
            break
        if before is not None and before[0] != caution:
            steepness = float(np.clip((before[1] - excess) / (caution - before[0]), 0.2, 2.0))
        before = caution, excess
        caution = float(np.clip(caution + excess / steepness, *_CAUTIONS))
    return (before[0] if before is not None and abs(excess) * (1.0 - fill_rate) > _CLOSE else caution), found


def _bisected(
    batch: PolicyBatch, price: Array, weight: Array, fill_rate: float, scale: float
) -> tuple[float, PolicyLevels]:
    low, high = _CAUTIONS
    found = _solved(batch, price, high, scale)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        tried = _solved(batch, price, middle, scale)
        if float(weight @ tried.fill_rate) >= fill_rate:
            high, found = middle, tried
        else:
            low = middle
    return high, found


def spread_factors(batch: PolicyBatch, daily_sd: Array, price: Array) -> Array:
    """(N,) what to multiply each row's distances from its mean by, so that its .95 quantile knows the bulk days of a
    year as well (`demand_scale`); 1 where the sd of a day is nan or the forecast has no spread.

    Worked: mean 100, .95 quantile 149.35 (s = 30), daily sd 10 over 16 days → 35/30 = 1.1667.
    """
    if not batch.quantiles.shape[1]:
        return np.ones(len(batch))
    place = int(np.argmin(np.abs(batch.levels - _SCALE_AT)))
    probability = float(batch.levels[place])
    if probability <= 0.5:
        return np.ones(len(batch))
    mean, quantile = batch.protection_mean, np.sort(batch.quantiles, axis=1)[:, place]
    days = batch.lead_time_days + batch.review_days
    own = demand_scale(mean, quantile, probability, np.zeros(len(batch)), days) * 2.0
    factors = np.ones(len(batch))
    rows = np.flatnonzero(np.isfinite(daily_sd) & (own > 0.0) & (mean > 0.0))
    if len(rows):
        both = demand_scale(mean[rows], quantile[rows], probability, daily_sd[rows], days[rows])
        both = shrunk_to_panel(both, mean[rows], price[rows])
        factors[rows] = np.clip(both / own[rows], _LEAST_SPREAD, _MOST_SPREAD)
    return factors


def spread_out(batch: PolicyBatch, factors: Array) -> PolicyBatch:
    """The batch with every quantile at mean + factor·(quantile − mean), not below zero."""
    mean = batch.protection_mean[:, None]
    quantiles = np.maximum(mean + (batch.quantiles - mean) * factors[:, None], 0.0)
    return replace(batch, quantiles=quantiles, protection_sd=batch.protection_sd * factors)


def _price_of_safety(batch: PolicyBatch, worth: Array, unit_cost: Array) -> Array:
    """c/v·(L + R), with backorders c/v·R; 0 where a unit costs nothing."""
    for name, values in (("worth", worth), ("unit_cost", unit_cost)):
        if not np.all(np.isfinite(values) & (values >= 0.0)):
            raise ParameterError(name, "must be numbers of at least 0")
    days = np.where(batch.is_lost, batch.lead_time_days + batch.review_days, batch.review_days)
    least = np.maximum(worth, 1e-9)
    price: Array = unit_cost / least * np.maximum(days, 1e-9)
    return price


def _weights(batch: PolicyBatch, worth: Array) -> Array:
    value = worth * batch.mean_daily_demand
    total = float(value.sum())
    weights: Array = value / total if total > 0.0 else np.full(len(value), 1.0 / max(len(value), 1))
    return weights


def _typical(price: Array) -> float:
    """The median: an anchor, so that a caution of 0 is about one even chance whatever the currency."""
    return float(np.median(price)) if len(price) and np.median(price) > 0.0 else 1.0


def _aims(price: Array, caution: float, scale: float) -> Array:
    return np.clip(1.0 - np.exp(-caution) * price / scale, LEAST, MOST)


def _solved(batch: PolicyBatch, price: Array, caution: float, scale: float) -> PolicyLevels:
    return solve_policies(replace(batch, target=_aims(price, caution, scale)))
