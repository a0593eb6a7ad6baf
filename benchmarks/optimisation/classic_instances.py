"""Seeded instances of the classic models, ordinary and extreme: the same list for ours, stockpyl and brute force."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Inputs = dict[str, Any]


def spread(draw: random.Random, low: float, high: float) -> float:
    """A number between 10^low and 10^high, as likely in every power of ten."""
    return float(10.0 ** draw.uniform(low, high))


def costs(draw: random.Random, extreme: bool) -> Inputs:
    h = spread(draw, -2, 1)
    return {"holding_cost": h, "stockout_cost": h * (spread(draw, -2, 4) if extreme else spread(draw, 0.3, 1.8))}


def eoq(draw: random.Random, extreme: bool) -> Inputs:
    rate = draw.choice([0.002, 0, 1e7]) if extreme else spread(draw, 0, 4)
    return {"fixed_cost": spread(draw, -3, 5), "holding_cost": spread(draw, -3, 3), "demand_rate": rate}


def eoq_backorders(draw: random.Random, extreme: bool) -> Inputs:
    return costs(draw, extreme) | {"fixed_cost": spread(draw, 0, 3), "demand_rate": eoq(draw, extreme)["demand_rate"]}


def epq(draw: random.Random, extreme: bool) -> Inputs:
    made = eoq(draw, extreme)
    return made | {"production_rate": made["demand_rate"] * (1.000001 if extreme else draw.uniform(1.1, 5)) + 1e-9}


def discount(draw: random.Random, extreme: bool) -> Inputs:
    breaks = [0.0, *sorted(draw.sample(range(1, 2000), 3))]
    prices = sorted((draw.uniform(1, 9) for _ in breaks), reverse=True)
    if extreme:
        prices[2] = prices[1]
    rate = spread(draw, -2.7, 7) if extreme else spread(draw, 1, 4)
    made = {"fixed_cost": spread(draw, 0, 3), "holding_cost_rate": draw.uniform(0.05, 0.6), "demand_rate": rate}
    return made | {"breakpoints": breaks, "unit_costs": prices}


def jrp(draw: random.Random, extreme: bool) -> Inputs:
    size = draw.choice([2, 3])
    wide = 3 if extreme else 1
    return {
        "shared_fixed_cost": spread(draw, -1 if extreme else 1, 3),
        "individual_fixed_costs": [spread(draw, 0, wide) for _ in range(size)],
        "holding_costs": [spread(draw, 0, wide) for _ in range(size)],
        "demand_rates": [spread(draw, 0, wide) for _ in range(size)],
    }


def newsvendor_normal(draw: random.Random, extreme: bool) -> Inputs:
    mean = spread(draw, -2.7, 7) if extreme else spread(draw, 0, 4)
    sd = mean * (2.0 if extreme else draw.uniform(0.05, 0.5))
    return costs(draw, extreme) | {"demand_mean": mean, "demand_sd": sd, "lead_time": draw.choice([0, 1, 4])}


def newsvendor_poisson(draw: random.Random, extreme: bool) -> Inputs:
    mean = draw.choice([0.002, 0.01, 1e4, 1e6]) if extreme else spread(draw, 0, 2.5)
    return costs(draw, extreme) | {"demand_mean": mean}


def pmf(draw: random.Random, extreme: bool) -> list[float]:
    weights = [draw.random() for _ in range(draw.choice([2, 5, 12]))]
    if extreme:  # lumpy: mostly nothing, now and then the largest
        weights = [50.0, *([0.0] * 8), 1.0, 1.0]
    return [weight / sum(weights) for weight in weights]


def newsvendor_discrete(draw: random.Random, extreme: bool) -> Inputs:
    return costs(draw, extreme) | {"demand_pmf": {str(k): chance for k, chance in enumerate(pmf(draw, extreme))}}


def rq_normal(draw: random.Random, extreme: bool) -> Inputs:
    made = newsvendor_normal(draw, extreme)
    made |= {"fixed_cost": spread(draw, -1, 4) if extreme else spread(draw, 0.5, 2.5)}
    return made | {"lead_time": draw.choice([0.01, 0.5, 12.0] if extreme else [0.25, 1.0, 2.0])}


def rq_poisson(draw: random.Random, extreme: bool) -> Inputs:
    mean = draw.choice([0.002, 0.05, 60.0]) if extreme else spread(draw, 0, 1.3)
    return costs(draw, extreme) | {
        "demand_mean": mean,
        "fixed_cost": spread(draw, 0, 2),
        "lead_time": draw.choice([0.0, 3.0] if extreme else [0.5, 1.0, 2.0]),
    }


def ss(draw: random.Random, extreme: bool) -> Inputs:
    made = costs(draw, False) | {"fixed_cost": spread(draw, 0, 1.8)}
    if extreme:
        made["stockout_cost"] = made["holding_cost"] * spread(draw, -0.7, 3)
        return made | {"demand": "pmf", "demand_pmf": pmf(draw, draw.random() < 0.5)}
    return made | {"demand": "poisson", "demand_mean": spread(draw, 0.3, 1.5)}


def wagner_whitin(draw: random.Random, extreme: bool) -> Inputs:
    periods = draw.choice([4, 8, 10])
    holding = [draw.uniform(0, 3) for _ in range(periods)] if extreme else draw.uniform(0.2, 2)
    return {
        "num_periods": periods,
        "holding_cost": holding,
        "fixed_cost": spread(draw, 1, 3),
        "demand": [draw.choice([0, 0, 5, 60] if extreme else [20, 40, 90]) for _ in range(periods)],
        "purchase_cost": [draw.uniform(0, 4) for _ in range(periods)] if extreme else 1.0,
    }


def finite_horizon(draw: random.Random, extreme: bool) -> Inputs:
    mean = draw.uniform(8, 14)
    return {
        "num_periods": 3,
        "holding_cost": 1.0,
        "stockout_cost": draw.uniform(3, 30),
        "terminal_holding_cost": draw.choice([0.0, 1.0]),
        "terminal_stockout_cost": draw.uniform(3, 30),
        "purchase_cost": draw.uniform(0, 2),
        "fixed_cost": draw.choice([0.0, 300.0]) if extreme else draw.uniform(5, 40),
        "demand_mean": [mean, mean * 1.5, mean] if extreme else mean,
        "demand_sd": mean * draw.uniform(0.1, 0.25),
        "discount_factor": 0.9 if extreme else 1.0,
        "initial_inventory_level": draw.choice([-8, 0, 5]),
    }


def eoq_disruptions(draw: random.Random, extreme: bool) -> Inputs:
    made = eoq_backorders(draw, False)
    made |= {"disruption_rate": spread(draw, -4, 2) if extreme else draw.uniform(0.5, 3)}
    return made | {"recovery_rate": spread(draw, -2, 3) if extreme else draw.uniform(5, 20)}


def newsvendor_disruptions(draw: random.Random, extreme: bool) -> Inputs:
    low = 1e-3 if extreme else 0.05
    made = {"demand": spread(draw, 0, 3), "disruption_prob": draw.uniform(low, 0.3)}
    return costs(draw, extreme) | made | {"recovery_prob": draw.uniform(0.1, 0.9)}


def additive_yield(draw: random.Random, extreme: bool) -> Inputs:
    made = eoq(draw, False)
    lot = (2.0 * made["fixed_cost"] * made["demand_rate"] / made["holding_cost"]) ** 0.5
    return made | {"yield_mean": -lot * draw.uniform(0, 0.3), "yield_sd": lot * draw.uniform(0, 2 if extreme else 0.3)}


def uncertain_yield(draw: random.Random, extreme: bool) -> Inputs:
    made = eoq(draw, False)
    return made | {"yield_mean": draw.uniform(0.3, 1), "yield_sd": draw.uniform(0, 2 if extreme else 0.3)}


#: model → how its instances are made, and how many of each kind (fewer where stockpyl needs long).
MAKERS: dict[str, tuple[Callable[[random.Random, bool], Inputs], int]] = {
    "eoq": (eoq, 100),
    "eoq_backorders": (eoq_backorders, 100),
    "epq": (epq, 100),
    "eoq_all_units_discount": (discount, 100),
    "eoq_incremental_discount": (discount, 100),
    "jrp": (jrp, 100),
    "newsvendor_normal": (newsvendor_normal, 100),
    "newsvendor_poisson": (newsvendor_poisson, 60),
    "newsvendor_discrete": (newsvendor_discrete, 60),
    "rq_normal": (rq_normal, 60),
    "rq_poisson": (rq_poisson, 12),
    "ss": (ss, 12),
    "wagner_whitin": (wagner_whitin, 60),
    "finite_horizon": (finite_horizon, 6),
    "eoq_disruptions": (eoq_disruptions, 60),
    "newsvendor_disruptions": (newsvendor_disruptions, 60),
    "eoq_with_additive_yield_uncertainty": (additive_yield, 60),
    "eoq_with_multiplicative_yield_uncertainty": (uncertain_yield, 60),
}


def instances(seed: int = 1, share: float = 1.0) -> list[dict[str, Any]]:
    """`{"id", "model", "inputs", "extreme"}` of all models; share < 1 keeps fewer."""
    made = []
    for model, (maker, count) in MAKERS.items():
        for extreme in (False, True):
            draw = random.Random(f"{seed} {model} {extreme}")
            for number in range(max(2, round(count * share))):
                entry = {"id": f"{model}/{extreme:d}/{number}", "model": model, "extreme": extreme}
                made.append(entry | {"inputs": maker(draw, extreme)})
    return made
