"""Policies for many items: arrays in, levels out, in chunks, so that memory does not grow with the rows."""

from concurrent.futures import ThreadPoolExecutor
from statistics import NormalDist

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procurement.engine.errors import ParameterError
from procurement.engine.policies.rows import ANSWERS, policy_row
from procurement.engine.policies.tables import LEAD_TIME_CVS, lead_time_table, shape_table
from procurement.engine.policies.types import PolicyBatch, PolicyLevels

Array = NDArray[np.float64]

CHUNK = 4096


def solve_policies(batch: PolicyBatch, *, chunk: int = CHUNK, threads: int = 1) -> PolicyLevels:
    """Levels of every row, the same as `plan_item` finds for one. Raises `ParameterError` for the first bad column.

    100,000 rows take seconds; only `chunk` rows are worked on at once by each thread.
    """
    _check(batch)
    out = np.empty((len(batch), ANSWERS))
    starts = range(0, len(batch), chunk)
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda start: _solve_chunk(batch, start, start + chunk, out), starts))
    else:
        for start in starts:
            _solve_chunk(batch, start, start + chunk, out)
    out[:, 1] = np.maximum(out[:, 0], out[:, 1])
    codes = out[:, 6:9].astype(np.int8)
    return PolicyLevels(
        reorder_point=out[:, 0].copy(), order_up_to_level=out[:, 1].copy(), lot=out[:, 2].copy(),
        safety_stock=out[:, 3].copy(), cycle_service_level=out[:, 4].copy(), fill_rate=out[:, 5].copy(),
        model=codes[:, 0].copy(), family=codes[:, 1].copy(), segment=codes[:, 2].copy(),
    )  # fmt: skip


def _solve_chunk(batch: PolicyBatch, start: int, end: int, out: Array) -> None:
    rows = batch.rows(start, end)
    table = shape_table(tuple(float(level) for level in batch.levels))
    weights, means, variances = lead_time_table()
    out[start:end] = _solve_rows(
        rows.levels, table.scores, rows.quantiles, rows.protection_mean, rows.protection_sd, rows.mean_daily_demand,
        rows.lead_time_days, rows.lead_time_sd_days, rows.review_days, rows.target_kind, rows.target,
        scores_of(rows.target), rows.is_lost, rows.unit_cost, rows.holding_rate_per_year, rows.fixed_order_cost,
        rows.stockout_cost, rows.minimum, rows.pack, rows.maximum_stock, rows.maximum_cover_days, rows.model,
        rows.service_correction, rows.lead_times_cross, table.quantiles, table.variances, table.is_lognormal,
        LEAD_TIME_CVS, weights, means, variances,
    )  # fmt: skip


def scores_of(targets: Array) -> Array:
    """Normal scores of the targets, computed once for each different one."""
    different, places = np.unique(targets, return_inverse=True)
    return np.array([NormalDist().inv_cdf(float(p)) if 0.0 < p < 1.0 else 0.0 for p in different])[places]


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_rows(
    levels, scores, quantiles, mean, sd, daily, lead, lead_sd, review, kind, target, score, is_lost, unit_cost,
    holding_rate, fixed, stockout, minimum, pack, maximum, cover, model, correction, crosses, table, variances,
    is_lognormal, cvs, bin_weights, bin_means, bin_variances,
):  # type: ignore[no-untyped-def] # fmt: skip
    out = np.empty((len(mean), ANSWERS))
    for i in range(len(mean)):
        out[i] = policy_row(
            levels, scores, quantiles[i], mean[i], sd[i], daily[i], lead[i], lead_sd[i], review[i], kind[i], target[i],
            score[i], is_lost[i], unit_cost[i], holding_rate[i], fixed[i], stockout[i], minimum[i], pack[i],
            maximum[i], cover[i], model[i], correction[i], crosses[i], -1.0, table, variances, is_lognormal,
            cvs, bin_weights, bin_means, bin_variances,
        )  # fmt: skip
    return out


def _check(batch: PolicyBatch) -> None:
    """Every column usable, or a `ParameterError` naming it and its first bad row."""
    amounts = (
        "protection_mean", "protection_sd", "mean_daily_demand", "lead_time_days", "lead_time_sd_days", "review_days",
        "unit_cost", "holding_rate_per_year", "fixed_order_cost", "minimum", "maximum_cover_days", "service_correction",
    )  # fmt: skip
    for name in amounts:
        _refuse(name, ~(np.isfinite(getattr(batch, name)) & (getattr(batch, name) >= 0.0)), "must be at least 0")
    good = np.isfinite(batch.quantiles) & (batch.quantiles >= 0.0)
    _refuse("quantiles", np.asarray(~good.all(axis=1)), "must be numbers of at least 0")
    _refuse("pack", ~(np.isfinite(batch.pack) & (batch.pack > 0.0)), "must be above 0")
    _refuse("maximum_stock", ~(batch.maximum_stock >= 0.0), "must be at least 0")
    if not (np.all(np.diff(batch.levels) > 0.0) and np.all((batch.levels > 0.0) & (batch.levels < 1.0))):
        raise ParameterError("levels", "must rise, strictly between 0 and 1")
    by_cost = batch.target_kind == 2
    share = (batch.target > 0.0) & (batch.target < 1.0)
    _refuse("target", ~(share | by_cost), "must lie strictly between 0 and 1")
    holding = batch.unit_cost * batch.holding_rate_per_year * batch.review_days
    _refuse("stockout_cost", by_cost & ~(batch.stockout_cost >= 0.0), "is needed for a cost target, at least 0")
    _refuse("holding_rate_per_year", by_cost & ~(holding > 0.0), "and unit_cost must be above 0 for a cost target")
    _refuse("review_days", (batch.target_kind != 0) & (batch.review_days <= 0.0), "must be above 0 for this target")


def _refuse(name: str, bad: NDArray[np.bool_], reason: str) -> None:
    if bad.any():
        raise ParameterError(name, f"{reason} (row {int(np.argmax(bad))})")
