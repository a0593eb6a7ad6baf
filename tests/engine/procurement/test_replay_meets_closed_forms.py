"""Where a formula exists, the replay's interval holds it, or the replay gives it to the last digit."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from procurement.engine.renewal import CountedDemand
from procurement.engine.replay.estimates import Estimate
from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput


def poisson_demand(mean, scenarios, days, seed):
    return np.random.default_rng(seed).poisson(mean, (scenarios, 1, days)).astype(float)


def close(estimate: Estimate, exact: float, within: float) -> bool:
    """The 95 % interval, widened by half of itself (one draw in 20 misses by chance), holds; and it is narrow."""
    half = (estimate.high - estimate.low) / 2.0
    return abs(estimate.value - exact) <= 1.5 * half and half <= within


@pytest.mark.parametrize(("review", "lead", "level"), [(7, 5, 32), (1, 10, 25), (14, 0, 30)])
def test_backordered_order_up_to_of_poisson_demand(review, lead, level):
    """Before each receipt net stock is S − D(L + R); days into the interval S − D(L + 1 … L + R)."""
    rate = 2.0
    owed = ReplayInput(demand=poisson_demand(rate, 40, 4000, 1), order_up_to_level=level, lead_time_days=lead,
                       review_days=review, is_lost=False, warm_up_days=56)  # fmt: skip
    spans = [lead + k for k in range(1, review + 1)]
    on_hand = np.mean([sum(poisson.pmf(d, rate * n) * (level - d) for d in range(level)) for n in spans])
    shortage = [sum(poisson.pmf(d, rate * n) * (d - level) for d in range(level, 200)) for n in (lead, lead + review)]

    totals = simulate(owed).totals()

    assert close(totals["interval_service"], poisson.cdf(level, rate * (lead + review)), 0.01)
    assert close(totals["mean_stock"], on_hand, 0.15)
    assert close(totals["fill_rate"], 1.0 - (shortage[1] - shortage[0]) / (rate * review), 0.01)


@pytest.mark.parametrize(("s", "S"), [(4, 10), (1, 14), (7, 8)])
def test_reorder_point_and_level_of_poisson_demand_cost_what_renewal_theory_says(s, S):
    """h = 1 and p = 4 a unit and period, K = 5, Poisson 6; delivered at once. c(4, 10) = 8.0341."""
    exact = CountedDemand(poisson.pmf(np.arange(60), 6.0), 1.0, 4.0).policy_cost(s, S, 5.0)
    policy = ReplayInput(demand=poisson_demand(6.0, 30, 2000, 2), reorder_point=s, order_up_to_level=S,
                         order_at_reorder_point=True, lead_time_days=0, is_lost=False, unit_cost=1.0,
                         holding_rate_per_year=365.0, backorder_cost_per_day=4.0, fixed_order_cost=5.0)  # fmt: skip

    total = simulate(policy).totals()["cost_total"]

    per_day = Estimate(total.value / 2000, total.low / 2000, total.high / 2000)
    assert close(per_day, exact, 0.1)


def test_lost_sales_under_base_stock_are_those_of_erlang():
    """Hours as days: orders of one unit at Poisson 0.05 an hour, S = 4, L = 60: B(4, 3) of the demand is lost."""
    load, servers = 3.0, 4
    blocked = (load**servers / math.factorial(servers)) / sum(load**k / math.factorial(k) for k in range(servers + 1))
    arrivals = (np.random.default_rng(3).random((40, 1, 20000)) < 0.05).astype(float)
    draws = np.random.default_rng(4).exponential(60.0, 4000)
    fixed, random = (
        simulate(ReplayInput(demand=arrivals, order_up_to_level=servers, review_days=1, warm_up_days=600, **lead))
        for lead in ({"lead_time_days": 60}, {"lead_time_draws": draws[None, :]})
    )

    found = [1.0 - policy.totals()["fill_rate"].value for policy in (fixed, random)]

    assert blocked == pytest.approx(0.2061, abs=1e-4)
    assert found == pytest.approx([blocked, blocked], abs=0.012)  # a grid of hours, not continuous time


def test_planned_backorders_of_even_demand_cost_the_economic_order_quantity():
    """D = 10 a day, K = 900, h = 1, p = 2 a unit and day: Q = √(2·K·D·(h + p)/(h·p)) ≈ 164.3 → 160, a third owed."""
    demand, K, h, p, Q = 10.0, 900.0, 1.0, 2.0, 160.0
    most = Q * p / (h + p) // demand * demand
    policy = ReplayInput(demand=np.full((1, 1760), demand), warm_up_days=160,
                         reorder_point=most - Q, order_up_to_level=most, order_at_reorder_point=True,
                         lead_time_days=0, is_lost=False, unit_cost=1.0, holding_rate_per_year=365.0 * h,
                         backorder_cost_per_day=p, fixed_order_cost=K)  # fmt: skip
    steps = np.arange(most - demand, most - Q - 1, -demand)  # counted at the end of the days of one cycle
    exact = (K + h * steps.clip(0).sum() + p * (-steps).clip(0).sum()) / len(steps)

    found = simulate(policy).costs()["total"][0, 0] / 1600

    assert found == pytest.approx(exact, rel=1e-12)
    assert found == pytest.approx(math.sqrt(2 * K * demand * h * p / (h + p)), rel=0.02)


def test_goods_that_keep_one_day_are_the_newsvendors():
    """S units every morning: E[(S − D)⁺] is thrown away, E[(D − S)⁺] is lost."""
    level, rate = 8, 6.0
    policy = ReplayInput(demand=poisson_demand(rate, 20, 1000, 5), order_up_to_level=level, lead_time_days=0,
                         shelf_life_days=1, opening_stock=0)  # fmt: skip

    totals = simulate(policy).totals()

    wasted = sum(poisson.pmf(d, rate) * (level - d) for d in range(level))
    short = rate - level + wasted
    each = totals["wasted"]
    assert close(Estimate(each.value / 1000, each.low / 1000, each.high / 1000), wasted, 0.1)
    assert close(totals["fill_rate"], 1.0 - short / rate, 0.005)
    assert totals["mean_stock"].value == 0.0


def test_even_demand_is_counted_by_hand():
    """10 a day, L = 2, R = 7, S = 90: 70 ordered each week but the first, received as the last unit goes."""
    found = simulate(ReplayInput(demand=np.full((1, 70), 10.0), order_up_to_level=90, lead_time_days=2, review_days=7))

    assert found.orders[0, 0] == 9
    assert found.units_ordered[0, 0] == 630
    assert found.cycles[0, 0] == 8
    assert found.intervals[0, 0] == 9
    first, week, last = sum(range(0, 90, 10)), sum(range(0, 70, 10)), 60 + 50 + 40 + 30 + 20
    assert found.stock_days[0, 0] == first + 8 * week + last == 2240
