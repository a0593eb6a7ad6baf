"""EOQ, newsvendor, (r, Q) and (s, S) for N rows at once: every argument an array of N numbers, or one for all.

Units, formulas and sources are those of the model of the same name in `models/`. Memory: a few arrays of length N, and
for (s, S) one row's own positions. A row that cannot be solved raises `ParameterError` with its place (from 0).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
LARGEST_MEAN = 1e8


@dataclass(frozen=True, slots=True)
class Lots:
    order_quantity: Array
    cost: Array


@dataclass(frozen=True, slots=True)
class BaseStocks:
    base_stock_level: NDArray[Any]
    cost: Array


@dataclass(frozen=True, slots=True)
class LotPolicies:
    reorder_point: NDArray[Any]
    order_quantity: NDArray[Any]
    cost: Array


@dataclass(frozen=True, slots=True)
class MinMax:
    reorder_point: Ints
    order_up_to_level: Ints
    cost: Array


def _columns(above: dict[str, ArrayLike], at_least: dict[str, ArrayLike], most: float = np.inf) -> list[Array]:
    """The arguments as equally long arrays: those of `above` over 0, those of `at_least` not below 0, all finite."""
    names = [*above, *at_least]
    try:
        columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in (above | at_least).values()))
    except ValueError as error:
        raise ParameterError(names[0], f"and {', '.join(names[1:])} must be numbers, equally many ({error})") from error
    for name, column in zip(names, columns, strict=True):
        top = most if name == "demand_mean" else np.finfo(float).max
        if len(column) and not (column.min() >= 0.0 and column.max() <= top and (name in at_least or column.min() > 0)):
            row = int(np.argmin((column >= 0.0) & (column <= top) & ((name in at_least) | (column > 0.0))))
            bound = "above 0" if name in above else "at least 0"
            raise ParameterError(name, f"must be {bound} and at most {top:g}, not {column[row]:g} (row {row})")
    return [np.ascontiguousarray(column) for column in columns]


def eoq(fixed_cost: ArrayLike, holding_cost: ArrayLike, demand_rate: ArrayLike, *, out: Lots | None = None) -> Lots:
    """Q = √(2Kλ/h). K = 10, h = 730, λ = 3 600 → 9.931, cost 7 249.8.

    `out`: answers of an earlier call with as many rows, written over: whoever solves chunk by chunk is spared fresh
    memory, which takes longer than the arithmetic.
    """
    from procurement.engine.batch import kernels

    h, K, rate = _columns({"holding_cost": holding_cost}, {"fixed_cost": fixed_cost, "demand_rate": demand_rate})
    if out is None:
        out = Lots(np.empty(len(h)), np.empty(len(h)))
    elif len(out.order_quantity) != len(h):
        raise ParameterError("out", f"has {len(out.order_quantity)} rows, not {len(h)}")
    kernels.eoq(h, K, rate, out.order_quantity, out.cost)
    return out


def newsvendor_normal(
    holding_cost: ArrayLike,
    stockout_cost: ArrayLike,
    demand_mean: ArrayLike,
    demand_sd: ArrayLike,
    lead_time: ArrayLike = 0.0,
) -> BaseStocks:
    """S = μ + zσ over lead_time + 1 periods. h = 0.18, p = 0.7, 50 ± 8 → 56.604, cost 1.9976."""
    from procurement.engine.batch import kernels

    h, p, mean, sd, lead = _columns(
        {"holding_cost": holding_cost, "stockout_cost": stockout_cost},
        {"demand_mean": demand_mean, "demand_sd": demand_sd, "lead_time": lead_time},
    )
    stocks, costs = np.empty(len(h)), np.empty(len(h))
    kernels.newsvendor_normal(h, p, mean, sd, lead, stocks, costs)
    return BaseStocks(stocks, costs)


def newsvendor_poisson(holding_cost: ArrayLike, stockout_cost: ArrayLike, demand_mean: ArrayLike) -> BaseStocks:
    """The smallest S with F(S) ≥ p/(p + h). h = 1, p = 4, mean 6 → 8, cost 3.5701."""
    from procurement.engine.batch import kernels

    h, p, mean = _columns(
        {"holding_cost": holding_cost, "stockout_cost": stockout_cost}, {"demand_mean": demand_mean}, LARGEST_MEAN
    )
    stocks, costs = np.empty(len(h), np.int64), np.empty(len(h))
    kernels.newsvendor_poisson(h, p, mean, stocks, costs)
    return BaseStocks(stocks, costs)


def rq_normal(
    holding_cost: ArrayLike,
    stockout_cost: ArrayLike,
    fixed_cost: ArrayLike,
    demand_mean: ArrayLike,
    demand_sd: ArrayLike,
    lead_time: ArrayLike,
) -> LotPolicies:
    """Zheng (1992). h = 0.225, p = 7.5, K = 8, 1 300 ± 150, L = 1/12 → r = 126.867, Q = 328.449, cost 78.0711."""
    from procurement.engine.batch import kernels

    h, p, K, rate, sd, lead = _columns(
        {"holding_cost": holding_cost, "stockout_cost": stockout_cost, "fixed_cost": fixed_cost}
        | {"demand_mean": demand_mean},
        {"demand_sd": demand_sd, "lead_time": lead_time},
    )
    out = np.empty((len(h), 3))
    kernels.rq_normal(h, p, K * rate, rate * lead, sd * np.sqrt(lead), out)
    return LotPolicies(out[:, 0], out[:, 1], out[:, 2])


def rq_poisson(
    holding_cost: ArrayLike,
    stockout_cost: ArrayLike,
    fixed_cost: ArrayLike,
    demand_mean: ArrayLike,
    lead_time: ArrayLike,
) -> LotPolicies:
    """Federgruen & Zheng (1992). h = 20, p = 150, K = 100, λ = 1.5, L = 2 → r = 3, Q = 5, cost 107.9236."""
    from procurement.engine.batch import kernels

    h, p, K, rate, lead = _columns(
        {"holding_cost": holding_cost, "stockout_cost": stockout_cost, "fixed_cost": fixed_cost},
        {"demand_mean": demand_mean, "lead_time": lead_time},
        LARGEST_MEAN,
    )
    whole, costs = np.empty((len(h), 2), np.int64), np.empty(len(h))
    kernels.rq_poisson(h, p, K * rate, rate * lead, whole, costs)
    return LotPolicies(whole[:, 0], whole[:, 1], costs)


def ss_poisson(
    holding_cost: ArrayLike, stockout_cost: ArrayLike, fixed_cost: ArrayLike, demand_mean: ArrayLike
) -> MinMax:
    """Zheng & Federgruen (1991). h = 1, p = 4, K = 5, mean 6 → s = 4, S = 10, cost 8.0341."""
    from procurement.engine.batch import kernels

    h, p, K, mean = _columns(
        {"holding_cost": holding_cost, "stockout_cost": stockout_cost, "fixed_cost": fixed_cost},
        {"demand_mean": demand_mean},
        LARGEST_MEAN,
    )
    whole, costs = np.empty((len(h), 2), np.int64), np.empty(len(h))
    kernels.ss_poisson(h, p, K, mean, whole, costs)
    return MinMax(whole[:, 0], whole[:, 1], costs)
