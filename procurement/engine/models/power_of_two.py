"""Power-of-two policies: every item is ordered at a base period times a power of two, so that orders fall together."""

import math
from dataclasses import dataclass
from typing import Any

from procurement.engine.cycles import Cycle, lower_bound, multiple
from procurement.engine.models.jrp import check_items, joint_cycle
from procurement.engine.models.model import Model
from procurement.engine.parameters import Parser, number, numbers, optional, required


def one_or_each(item: Parser) -> Parser:
    """A number for a single item, or a list of one for each."""
    items = numbers(item)
    return lambda name, value: items(name, value) if isinstance(value, list | tuple) else (item(name, value),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOfTwoInputs:
    """k (money per order), h (money per unit and time), λ (units per time): numbers, or lists of one for each item.

    `shared_fixed_cost`: paid once an order, whoever is in it. `base_period`: time, else the best one is found.
    """

    fixed_cost: tuple[float, ...] = required(one_or_each(number(at_least=0)))
    holding_cost: tuple[float, ...] = required(one_or_each(number(above=0)))
    demand_rate: tuple[float, ...] = required(one_or_each(number(at_least=0)))
    shared_fixed_cost: float = optional(number(at_least=0), 0.0)
    base_period: float | None = optional(number(above=0))

    def __post_init__(self) -> None:
        check_items(self.shared_fixed_cost, self.fixed_cost, self.holding_cost, self.demand_rate)


def solve_power_of_two(inputs: PowerOfTwoInputs) -> dict[str, Any]:
    """Intervals T = base·2^j of least cost Σ (k/T + h·λ·T/2), the shared cost paid at the shortest of them.

    Never above 1.061 times the lower bound for a given base period, 1.021 for the best one: Roundy (1985), Snyder &
    Shen §3.3 and §3.5. K = 8, h = 0.225, λ = 1 300 (own T = 0.2339), base 1 → T = 0.25, Q = 325, cost 68.5625
    (best 68.4105). Without a base period that item alone keeps its own T. An item without demand has interval 0.
    """
    rates = [h * demand / 2.0 for h, demand in zip(inputs.holding_cost, inputs.demand_rate, strict=True)]
    if inputs.base_period is None:
        found, multiples, bound = joint_cycle(inputs.shared_fixed_cost, inputs.fixed_cost, rates, powers=True)
    else:
        found, multiples, bound = _on_base(inputs, rates, inputs.base_period)
    intervals = [found.base * m for m in multiples]
    return {
        "base_period": found.base if inputs.base_period is None else inputs.base_period,
        "reorder_intervals": intervals,
        "order_quantities": [time * demand for time, demand in zip(intervals, inputs.demand_rate, strict=True)],
        "cost": found.cost,
        "lower_bound": min(bound, found.cost),
    }


def _on_base(inputs: PowerOfTwoInputs, rates: list[float], base: float) -> tuple[Cycle, list[int], float]:
    """The shortest interval runs through all base·2^j that can be best; each item then takes its best multiple."""
    active = [place for place, rate in enumerate(rates) if rate > 0.0]
    k, b = [inputs.fixed_cost[place] for place in active], [rates[place] for place in active]
    shared, multiples = inputs.shared_fixed_cost, [0] * len(rates)
    if shared == 0.0 and not any(k):
        return Cycle(0.0, [], 0.0), multiples, 0.0
    own = [math.sqrt(setup / rate) for setup, rate in zip(k, b, strict=True)]
    longest = math.sqrt((shared + sum(k)) / min(b))
    shortest = min(own) if shared == 0.0 else min([longest, *(time for time in own if time > 0.0)])
    if shared > 0.0:  # a cost too small to be divided still has the shortest interval there is
        shortest = min(shortest, math.sqrt(shared / sum(b) or math.ulp(0.0)))
    best = Cycle(0.0, [], math.inf)
    for power in range(math.ceil(math.log2(longest / base)) + 1, math.floor(math.log2(shortest / base)) - 2, -1):
        time = math.ldexp(base, power)
        times = [multiple(cycle / time, powers=True) for cycle in own]
        each = zip(k, b, times, strict=True)
        cost = math.fsum([shared / time, *(part for setup, rate, m in each for part in _parts(setup, rate, m * time))])
        if cost <= best.cost:  # on ties the shorter interval, that is the smaller stock
            best = Cycle(time, times, cost)
    for place, times_ordered in zip(active, best.multiples, strict=True):
        multiples[place] = times_ordered
    return best, multiples, lower_bound(shared, k, b)


def _parts(setup: float, rate: float, time: float) -> tuple[float, float]:
    return setup / time, rate * time


MODELS = (
    Model(
        "power_of_two",
        PowerOfTwoInputs,
        solve_power_of_two,
        "Roundy (1985), Management Science 31; Snyder & Shen, sections 3.3 and 3.5",
    ),
)
