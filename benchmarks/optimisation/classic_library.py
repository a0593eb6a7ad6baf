"""The same instances solved by stockpyl, to be compared with ours; run by classic.py with another environment's Python.

Standard input: a list of `{"id", "model", "inputs", "outputs"}`, outputs being ours. Standard output: a list of
`{"id", "cost", "again", "seconds"}` or `{"id", "error"}`; `again` is what stockpyl says OUR policy costs.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import stockpyl.eoq as lots
import stockpyl.newsvendor as stocks
import stockpyl.supply_uncertainty as supply
from stockpyl.finite_horizon import finite_horizon_dp
from stockpyl.rq import r_q_cost, r_q_cost_poisson, r_q_loss_function_approximation, r_q_poisson_exact
from stockpyl.ss import s_s_cost_discrete, s_s_discrete_exact
from stockpyl.wagner_whitin import wagner_whitin


def keys(i: dict[str, Any], *names: str) -> list[Any]:
    return [i[name] for name in names]


RQ = ("holding_cost", "stockout_cost", "fixed_cost", "demand_mean", "demand_sd", "lead_time")
HPK = ("holding_cost", "stockout_cost", "fixed_cost")
EOQ = ("fixed_cost", "holding_cost", "demand_rate")
FAILING = ("fixed_cost", "holding_cost", "stockout_cost", "demand_rate", "disruption_rate", "recovery_rate")
DISCOUNT = ("fixed_cost", "holding_cost_rate", "demand_rate", "breakpoints", "unit_costs")
JOINT = ("shared_fixed_cost", "individual_fixed_costs", "holding_costs", "demand_rates")
PLAN = ("num_periods", "holding_cost", "fixed_cost", "demand", "purchase_cost")
DOWN = ("holding_cost", "stockout_cost", "demand", "disruption_prob", "recovery_prob")
YIELD = (*EOQ, "yield_mean", "yield_sd")


def rq_normal(i: dict[str, Any]) -> float:
    r, q = r_q_loss_function_approximation(*keys(i, *RQ))[:2]
    return r_q_cost(r, q, *keys(i, *RQ))


def ss_demand(i: dict[str, Any]) -> list[Any]:
    return (
        [True, i["demand_mean"]]
        if i["demand"] == "poisson"
        else [False, None, len(i["demand_pmf"]) - 1, i["demand_pmf"]]
    )


def values(i: dict[str, Any]) -> dict[int, float]:
    return {int(k): chance for k, chance in i["demand_pmf"].items()}


def plan(i: dict[str, Any]) -> float:
    """What the plan it makes truly costs: a unit pays the holding cost of each period over whose end it is held."""
    orders, said = wagner_whitin(*keys(i, *PLAN))[:2]
    if not isinstance(i["holding_cost"], list):
        return said
    left = spent = 0.0
    for t, ordered in enumerate(orders[1:]):
        spent += (i["fixed_cost"] if ordered > 0 else 0.0) + i["purchase_cost"][t] * ordered
        left += ordered - i["demand"][t]
        spent += i["holding_cost"][t] * left
    return spent


def additive(i: dict[str, Any]) -> float:
    quantity, cost = supply.eoq_with_additive_yield_uncertainty(*keys(i, *YIELD))
    if quantity < 0:
        raise ValueError(f"the order quantity is {quantity}")
    return cost


#: model → its cost by stockpyl.
SOLVERS = {
    "eoq": lambda i: lots.economic_order_quantity(*keys(i, *EOQ))[1],
    "eoq_backorders": lambda i: lots.economic_order_quantity_with_backorders(
        *keys(i, "fixed_cost", "holding_cost", "stockout_cost", "demand_rate"))[2],
    "epq": lambda i: lots.economic_production_quantity(*keys(i, *EOQ, "production_rate"))[1],
    "eoq_all_units_discount": lambda i: lots.economic_order_quantity_with_all_units_discounts(*keys(i, *DISCOUNT))[2],
    "eoq_incremental_discount": lambda i: lots.economic_order_quantity_with_incremental_discounts(
        *keys(i, *DISCOUNT))[2],
    "jrp": lambda i: lots.joint_replenishment_problem_silver_heuristic(*keys(i, *JOINT))[3],
    "newsvendor_normal": lambda i: stocks.newsvendor_normal(
        *keys(i, "holding_cost", "stockout_cost", "demand_mean", "demand_sd", "lead_time"))[1],
    "newsvendor_poisson": lambda i: stocks.newsvendor_poisson(
        *keys(i, "holding_cost", "stockout_cost", "demand_mean"))[1],
    "newsvendor_discrete": lambda i: stocks.newsvendor_discrete(
        i["holding_cost"], i["stockout_cost"], demand_pmf=values(i))[1],
    "rq_normal": rq_normal,
    "rq_poisson": lambda i: r_q_poisson_exact(*keys(i, *HPK, "demand_mean", "lead_time"))[2],
    "ss": lambda i: s_s_discrete_exact(*keys(i, *HPK), *ss_demand(i))[2],
    "wagner_whitin": plan,
    "finite_horizon": lambda i: finite_horizon_dp(**i)[2],
    "eoq_disruptions": lambda i: supply.eoq_with_disruptions(*keys(i, *FAILING))[1],
    "newsvendor_disruptions": lambda i: supply.newsvendor_with_disruptions(*keys(i, *DOWN))[1],
    "eoq_with_additive_yield_uncertainty": additive,
    "eoq_with_multiplicative_yield_uncertainty": lambda i: supply.eoq_with_multiplicative_yield_uncertainty(
        *keys(i, *YIELD))[1],
}  # fmt: skip

#: model → what stockpyl says our policy costs.
AGAIN = {
    "rq_normal": lambda i, o: r_q_cost(o["reorder_point"], o["order_quantity"], *keys(i, *RQ)),
    "rq_poisson": lambda i, o: r_q_cost_poisson(
        o["reorder_point"], o["order_quantity"], *keys(i, *HPK, "demand_mean", "lead_time")),
    "ss": lambda i, o: s_s_cost_discrete(o["reorder_point"], o["order_up_to_level"], *keys(i, *HPK), *ss_demand(i)),
}  # fmt: skip


def answer(entry: dict[str, Any]) -> dict[str, Any]:
    model, inputs = entry["model"], entry["inputs"]
    begin = time.perf_counter()
    try:
        cost = float(SOLVERS[model](inputs))
    except Exception as error:  # whatever it fails with is a result here
        return {"id": entry["id"], "error": repr(error)[:200]}
    found = {"id": entry["id"], "cost": cost, "seconds": time.perf_counter() - begin}
    if model in AGAIN and entry.get("outputs"):
        try:
            found["again"] = float(AGAIN[model](inputs, entry["outputs"]))
        except Exception as error:
            found["again_error"] = repr(error)[:200]
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps([answer(entry) for entry in json.load(sys.stdin)]))
