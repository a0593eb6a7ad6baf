"""Slow plain loops that know nothing of the formulas must find the same optimum."""

import itertools
import math
import random

import pytest
from scipy.integrate import quad

from procurement.engine.optimize import solve_instances


def outputs(model, **inputs):
    (answer,) = solve_instances([{"id": 1, "model": model, "inputs": inputs}])
    assert "error" not in answer, answer
    return answer["outputs"]


def poisson_pmf(mean):
    probabilities, k = [math.exp(-mean)], 0
    while k < mean + 12 * math.sqrt(mean) + 40:
        k += 1
        probabilities.append(probabilities[-1] * mean / k)
    return probabilities


def position_cost(y, pmf, h, p):
    return sum(q * (h * max(y - d, 0) + p * max(d - y, 0)) for d, q in enumerate(pmf))


@pytest.mark.parametrize(("mean", "h", "p"), [(0.01, 1, 19), (0.002, 5, 1), (3, 1, 9), (25, 2, 1), (60, 1, 999)])
def test_the_poisson_newsvendor_is_the_cheapest_whole_stock(mean, h, p):
    pmf = poisson_pmf(mean)
    costs = [position_cost(y, pmf, h, p) for y in range(len(pmf))]

    found = outputs("newsvendor_poisson", holding_cost=h, stockout_cost=p, demand_mean=mean)

    assert found["base_stock_level"] == costs.index(min(costs))
    assert found["cost"] == pytest.approx(min(costs), rel=1e-9)


def test_on_a_tie_the_smallest_stock_wins():
    coin = outputs("newsvendor_discrete", holding_cost=1, stockout_cost=1, demand_pmf={"0": 0.5, "1": 0.5})
    tenths = outputs("newsvendor_discrete", holding_cost=4, stockout_cost=6,
                     demand_pmf={"1": 0.1, "2": 0.2, "3": 0.3, "4": 0.4})  # fmt: skip

    assert coin == {"base_stock_level": 0, "cost": 0.5}
    assert tenths["base_stock_level"] == 3  # 0.1 + 0.2 + 0.3 reaches 0.6, whatever binary fractions say


@pytest.mark.parametrize("seed", range(12))
def test_the_poisson_lot_and_reorder_point_are_the_cheapest_pair(seed):
    draw = random.Random(seed)
    h, p, K, rate = draw.uniform(0.5, 9), draw.uniform(0.5, 90), draw.uniform(1, 60), draw.uniform(0.2, 4)
    pmf = poisson_pmf(rate * 2)
    costs = {y: position_cost(y, pmf, h, p) for y in range(-40, 60)}
    best = min(
        ((K * rate + sum(costs[y] for y in range(r + 1, r + Q + 1))) / Q, Q, r)
        for r in range(-40, 20)
        for Q in range(1, 40)
    )

    found = outputs("rq_poisson", holding_cost=h, stockout_cost=p, fixed_cost=K, demand_mean=rate, lead_time=2)

    assert (found["order_quantity"], found["reorder_point"]) == best[1:]
    assert found["cost"] == pytest.approx(best[0], rel=1e-9)


def cycle_cost(s, S, pmf, h, p, K):
    """Long-run cost of an (s, S) policy from its Markov chain of positions, by walking it until it is steady."""
    chances = {S: 1.0}
    for _ in range(400):
        following: dict[int, float] = {}
        for y, chance in chances.items():
            for d, q in enumerate(pmf):
                left = y - d
                state = S if left <= s else left
                following[state] = following.get(state, 0.0) + chance * q / 2
            following[y] = following.get(y, 0.0) + chance / 2  # half a step: no chain is periodic
        chances = following
    ordering = sum(chance * sum(q for d, q in enumerate(pmf) if y - d <= s) for y, chance in chances.items())
    return K * ordering + sum(chance * position_cost(y, pmf, h, p) for y, chance in chances.items())


@pytest.mark.parametrize(
    ("pmf", "h", "p", "K"),
    [
        ([0.2, 0, 0, 0.5, 0.3], 1, 4, 5),
        ([0.7, 0.1, 0.1, 0.1], 2, 9, 3),
        ([0.1, 0.9], 3, 1, 2),
        ([0, 0.5, 0.5], 1, 1, 0.1),
    ],
)
def test_the_periodic_policy_is_the_cheapest_of_all(pmf, h, p, K):
    best = min(cycle_cost(s, S, pmf, h, p, K) for S in range(-2, 12) for s in range(S - 10, S))

    found = outputs("ss", holding_cost=h, stockout_cost=p, fixed_cost=K, demand="pmf", demand_pmf=pmf)

    assert found["cost"] == pytest.approx(best, rel=1e-9)
    again = cycle_cost(found["reorder_point"], found["order_up_to_level"], pmf, h, p, K)
    assert found["cost"] == pytest.approx(again, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_lot_plan_is_the_cheapest_of_every_choice_of_order_periods(seed):
    draw = random.Random(seed)
    periods = 7
    demand = [draw.choice([0, 0, 20, 45, 80]) for _ in range(periods)]
    h, K = [draw.uniform(0, 3) for _ in range(periods)], [draw.uniform(0, 150) for _ in range(periods)]
    c = [draw.uniform(1, 4) for _ in range(periods)]
    best = math.inf
    for when in itertools.product([False, True], repeat=periods):
        if any(demand[i] and not any(when[: i + 1]) for i in range(periods)):
            continue
        cost, ordered = 0.0, [0.0] * periods
        for i in range(periods):
            source = max((t for t in range(i + 1) if when[t]), default=0)
            ordered[source] += demand[i]
            cost += demand[i] * (c[source] + sum(h[source:i]))
        best = min(best, cost + sum(K[t] for t in range(periods) if ordered[t] > 0))

    found = outputs("wagner_whitin", num_periods=periods, holding_cost=h, fixed_cost=K, demand=demand, purchase_cost=c)

    assert found["cost"] == pytest.approx(best, rel=1e-12)
    assert sum(found["order_quantities"]) == pytest.approx(sum(demand))


def test_periods_without_demand_order_nothing_and_pay_nothing():
    found = outputs("wagner_whitin", num_periods=3, holding_cost=1, fixed_cost=9, demand=[0, 0, 5], purchase_cost=0)

    assert found == {"order_quantities": [0, 0, 5], "cost": 9}


@pytest.mark.parametrize("seed", range(10))
def test_the_discounted_lot_is_the_cheapest_on_a_fine_grid(seed):
    draw = random.Random(seed)
    K, i, rate = draw.uniform(1, 90), draw.uniform(0.05, 0.5), draw.uniform(10, 3000)
    breaks, prices = [0, draw.randint(50, 300), draw.randint(400, 900)], [9.0, draw.uniform(7, 9), draw.uniform(5, 7)]

    def price(q):
        return prices[sum(q >= b for b in breaks) - 1]

    def incremental(q):
        ends = [*breaks[1:], math.inf]
        return sum(c * max(0.0, min(q, end) - start) for c, start, end in zip(prices, breaks, ends, strict=True)) / q

    for model, unit in (("eoq_all_units_discount", price), ("eoq_incremental_discount", incremental)):
        grid = [step / 4 for step in range(4, 20000)]
        best = min(unit(q) * rate + K * rate / q + i * unit(q) * q / 2 for q in grid)
        found = outputs(
            model, fixed_cost=K, holding_cost_rate=i, demand_rate=rate, breakpoints=breaks, unit_costs=prices
        )
        assert best * (1 - 1e-4) <= found["cost"] <= best + 1e-9, model


@pytest.mark.parametrize("seed", range(6))
def test_no_neighbour_of_the_exact_normal_policy_is_cheaper(seed):
    draw = random.Random(seed)
    instance = {
        "holding_cost": draw.uniform(0.1, 5),
        "stockout_cost": draw.uniform(0.1, 50),
        "lead_time": draw.uniform(0, 2),
        "fixed_cost": draw.uniform(1, 500),
        "demand_mean": draw.uniform(1, 900),
    }
    instance["demand_sd"] = draw.uniform(0, 2) * instance["demand_mean"]

    found = outputs("rq_normal", **instance)

    r, Q = found["reorder_point"], found["order_quantity"]
    for r_step, q_step in itertools.product((-0.02, 0, 0.02), repeat=2):
        nearby = outputs("rq_normal", **instance, reorder_point=r + r_step * Q, order_quantity=Q * (1 + q_step))
        assert nearby["cost"] >= found["cost"] * (1 - 1e-12)


def test_losses_are_the_sums_they_stand_for():
    pmf = poisson_pmf(4.0)
    for x in (0, 2.5, 4, 9, 21):
        found = outputs("loss_function", distribution="poisson", x=x, mean=4)
        assert found["n"] == pytest.approx(sum(q * max(d - x, 0) for d, q in enumerate(pmf)), rel=1e-9)
        assert found["n_bar"] == pytest.approx(sum(q * max(x - d, 0) for d, q in enumerate(pmf)), rel=1e-9)


@pytest.mark.parametrize("z", [12.0, 19.99, 20.01, 25.0, 36.0])
def test_the_far_normal_tail_is_the_integral_of_the_chances_to_run_short(z):
    def chance(gap):
        return math.erfc((z + gap) / math.sqrt(2.0)) / 2.0

    whole = quad(chance, 0.0, 4.0 / z, epsabs=0.0)[0] + quad(chance, 4.0 / z, 40.0 / z, epsabs=0.0)[0]

    assert outputs("loss_function", distribution="standard_normal", z=z)["n"] == pytest.approx(whole, rel=1e-10, abs=0)


@pytest.mark.parametrize("seed", range(6))
def test_the_lot_from_a_failing_supplier_is_the_cheapest_on_a_fine_grid(seed):
    draw = random.Random(seed)
    K, h, p, d = draw.uniform(0, 90), draw.uniform(0.1, 4), draw.uniform(1, 30), draw.uniform(0.01, 900)
    down, back = draw.uniform(0.1, 5), draw.uniform(0.5, 30)

    def cost(q):
        psi = down / (down + back) * (1 - math.exp(-(down + back) * q / d))
        return (K + h * q * q / (2 * d) + p * d * psi / back) / (q / d + psi / back)

    found = outputs("eoq_disruptions", fixed_cost=K, holding_cost=h, stockout_cost=p, demand_rate=d,
                    disruption_rate=down, recovery_rate=back)  # fmt: skip

    best = min(cost(found["order_quantity"] * 10 ** (step / 500)) for step in range(-2000, 2000))
    assert found["cost"] == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize(
    ("h", "p", "fail", "back"), [(0.25, 3, 0.04, 0.25), (1, 1, 0.5, 0.5), (3, 1, 0.9, 0.1), (1, 99, 0.1, 0.2)]
)
def test_the_base_stock_against_disruptions_is_the_cheapest_whole_number_of_periods(h, p, fail, back):
    chances = [back / (fail + back)] + [fail * back / (fail + back) * (1 - back) ** (n - 1) for n in range(1, 500)]
    costs = [
        sum(q * (h * max(S - (n + 1), 0) + p * max(n + 1 - S, 0)) for n, q in enumerate(chances)) for S in range(1, 60)
    ]

    found = outputs("newsvendor_disruptions", holding_cost=h, stockout_cost=p, demand=1, disruption_prob=fail,
                    recovery_prob=back)  # fmt: skip

    assert found["cost"] == pytest.approx(min(costs), rel=1e-9)
    assert found["base_stock_level"] == next(S for S, c in enumerate(costs, 1) if c <= min(costs) + 1e-9)


def test_a_delivery_that_is_always_larger_than_needed_orders_nothing_extra():
    found = outputs("eoq_with_additive_yield_uncertainty", fixed_cost=1, holding_cost=2, demand_rate=1, yield_mean=50,
                    yield_sd=0)  # fmt: skip

    assert found == {"order_quantity": 0, "cost": 50.02}  # K·d/50 + h·50/2
