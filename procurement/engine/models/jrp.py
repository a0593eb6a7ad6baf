"""Joint replenishment: items that share a fixed cost per order, each ordered every so many base cycles; the optimum."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.cycles import Cycle, best_cycle, cycle_of, lower_bound
from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, numbers, required


@dataclass(frozen=True, slots=True, kw_only=True)
class JrpInputs:
    """K (money per joint order) and, one for each item, k (money when it is in the order), h (unit, time), λ."""

    shared_fixed_cost: float = required(number(at_least=0))
    individual_fixed_costs: tuple[float, ...] = required(numbers(number(at_least=0)))
    holding_costs: tuple[float, ...] = required(numbers(number(above=0)))
    demand_rates: tuple[float, ...] = required(numbers(number(at_least=0)))

    def __post_init__(self) -> None:
        check_items(self.shared_fixed_cost, self.individual_fixed_costs, self.holding_costs, self.demand_rates)


def check_items(
    shared: float, setups: tuple[float, ...], holding: tuple[float, ...], demand: tuple[float, ...]
) -> None:
    """As many of each as there are items, and no item that would be ordered without end."""
    for name, values in (("holding_costs", holding), ("demand_rates", demand)):
        if len(values) != len(setups):
            raise ParameterError(name, f"must hold one number for each of the {len(setups)} items")
    if shared == 0.0 and any(k == 0.0 < rate for k, rate in zip(setups, demand, strict=True)):
        raise ParameterError("individual_fixed_costs", "must be above 0 where nothing else keeps orders apart")


def joint_cycle(
    shared: float, setups: tuple[float, ...], rates: list[float], *, powers: bool
) -> tuple[Cycle, list[int], float]:
    """The best cycle of the items with demand, the multiples of all items (0: never ordered), the lower bound."""
    active = [place for place, rate in enumerate(rates) if rate > 0.0]
    if not active:
        return Cycle(0.0, [], 0.0), [0] * len(rates), 0.0
    k, b = [setups[place] for place in active], [rates[place] for place in active]
    found = Cycle(0.0, [1] * len(k), 0.0)
    if shared > 0.0 or any(k):
        found = best_cycle(shared, k, b, powers=powers) if any(k) else cycle_of(shared, k, b, [1] * len(k))
    multiples = [0] * len(rates)
    for place, times in zip(active, found.multiples, strict=True):
        multiples[place] = times
    return found, multiples, lower_bound(shared, k, b)


def solve_jrp(inputs: JrpInputs) -> dict[str, Any]:
    """Least of (K + Σ k/m)/T + T/2·Σ h·λ·m over T and whole m ≥ 1. Snyder & Shen, section 3.6.

    K = 600, k = 120, 840, 300, h = 160, 20, 50, λ = 1 → T = 3.1032, m = 1, 3, 1, Q = 3.10, 9.31, 3.10, cost 837.85.
    An item without demand is never ordered (multiple 0). Without a shared cost ever shorter cycles come ever closer to
    the lower bound; the answer is then within 10⁻⁶ of it.
    """
    rates = [h * demand / 2.0 for h, demand in zip(inputs.holding_costs, inputs.demand_rates, strict=True)]
    found, multiples, bound = joint_cycle(inputs.shared_fixed_cost, inputs.individual_fixed_costs, rates, powers=False)
    quantities = [found.base * m * demand for m, demand in zip(multiples, inputs.demand_rates, strict=True)]
    return {
        "base_cycle_time": found.base,
        "order_multiples": multiples,
        "order_quantities": quantities,
        "cost": found.cost,
        "lower_bound": min(bound, found.cost),
    }


MODELS = (Model("jrp", JrpInputs, solve_jrp, "Goyal (1974), Management Science 20; Snyder & Shen, section 3.6"),)
