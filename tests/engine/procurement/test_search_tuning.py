"""Tuning on the simulator: the search is chosen only where demand it has not seen says it wins."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput
from procurement.engine.search.bounds import PoissonProblems
from procurement.engine.search.objective import PolicyObjective
from procurement.engine.search.tune import tune_policies
from procurement.engine.search.types import Budget

MEAN, HOLDING, STOCKOUT, FIXED = np.array([6.0, 2.0, 15.0]), 1.0, 9.0, 30.0
BEST = PoissonProblems(MEAN, HOLDING, STOCKOUT, FIXED).best()


def stocked(s, S, seed, scenarios=10, days=300, **more):
    """Poisson demand, reviewed daily and delivered at once, h = 1, p = 9 a unit and day, K = 30."""
    demand = np.random.default_rng(seed).poisson(MEAN[:, None], (scenarios, len(MEAN), days)).astype(float)
    terms = {"order_at_reorder_point": True, "lead_time_days": 0, "is_lost": False, "unit_cost": 1.0,
             "holding_rate_per_year": 365.0, "fixed_order_cost": FIXED, "backorder_cost_per_day": STOCKOUT}  # fmt: skip
    return ReplayInput(demand=demand, **{"reorder_point": s, "order_up_to_level": S} | terms | more)


@pytest.mark.parametrize("method", ["genetic", "annealing"])
def test_a_poor_policy_is_replaced_by_one_within_two_percent_of_the_optimum(method):
    poor_s, poor_S = [25.0, 12.0, 50.0], [26.0, 60.0, 52.0]

    tuned = tune_policies(
        stocked(poor_s, poor_S, 1), stocked(poor_s, poor_S, 2), budget=Budget(300), seed=3, method=method
    )

    problems = PoissonProblems(MEAN, HOLDING, STOCKOUT, FIXED)
    exact = problems.cost(tuned.reorder_point[:, 0], tuned.order_up_to_level[:, 0])
    assert tuned.is_chosen.all()
    assert (tuned.high < 0.0).all()
    assert exact / BEST[:, 2] - 1.0 == pytest.approx(0.0, abs=0.02)


def test_the_exact_policy_stays_where_the_search_only_fitted_chance():
    replay, unseen = stocked(*BEST[:, :2].T, 1, scenarios=2, days=60), stocked(*BEST[:, :2].T, 2, scenarios=40)

    tuned = tune_policies(replay, unseen, budget=Budget(150), seed=3)

    assert (tuned.search.cost < tuned.search.start_cost).any()  # it did find "better" ones on what it saw
    assert not tuned.is_chosen.any()
    assert tuned.reorder_point[:, 0].tolist() == BEST[:, 0].tolist()
    assert tuned.order_up_to_level[:, 0].tolist() == BEST[:, 1].tolist()


def test_what_is_chosen_is_cheaper_on_the_validation_replay():
    replay, unseen = stocked([9.0, 0.0, 11.0], [40.0, 9.0, 33.0], 4), stocked([9.0, 0.0, 11.0], [40.0, 9.0, 33.0], 5)

    tuned = tune_policies(replay, unseen, budget=Budget(200), seed=1)

    before = simulate(unseen).costs()["total"].mean(axis=0)
    after = (
        simulate(unseen.with_levels(order_up_to_level=tuned.order_up_to_level, reorder_point=tuned.reorder_point))
        .costs()["total"]
        .mean(axis=0)
    )
    assert tuned.start_cost == pytest.approx(before)
    assert after == pytest.approx(np.where(tuned.is_chosen, tuned.search_cost, tuned.start_cost))
    assert (after <= before).all()


def test_a_least_fill_rate_keeps_the_search_from_saving_on_service():
    s, S = [6.0, 2.0, 15.0], [30.0, 20.0, 60.0]
    free = {"backorder_cost_per_day": 0.0}

    tuned = tune_policies(stocked(s, S, 6, **free), stocked(s, S, 7, **free), budget=Budget(300), seed=2,
                          least_fill_rate=0.95)  # fmt: skip

    levels = {"order_up_to_level": tuned.order_up_to_level, "reorder_point": tuned.reorder_point}
    seen = simulate(stocked(s, S, 7, **free).with_levels(**levels))
    before = 1.0 - (r := simulate(stocked(s, S, 7, **free))).short.sum(axis=0) / r.demand.sum(axis=0)
    fill = 1.0 - seen.short.sum(axis=0) / seen.demand.sum(axis=0)
    assert (fill >= np.minimum(0.95, before) - 1e-9).all()
    assert tuned.is_chosen.any()


def test_shared_multipliers_are_one_problem_for_all_items_and_all_dates():
    s, S = BEST[:, :1] * [[2.0, 2.5]], BEST[:, 1:2] * [[2.0, 2.5]]
    replay, unseen = (stocked(s, S, seed, level_days=[0, 100]) for seed in (8, 9))

    tuned = tune_policies(replay, unseen, budget=Budget(120), seed=1, kind="multipliers")

    assert tuned.search.best.shape == (1, 2)
    assert tuned.is_chosen.tolist() == [True] * 3
    assert 0.3 < tuned.search.best[0, 0] < 0.8
    assert tuned.order_up_to_level.shape == (3, 2)
    assert tuned.difference[0] < 0.0


def test_lots_are_tuned_as_lots():
    lots = {"reorder_point": [30.0, 20.0, 60.0], "order_up_to_level": None, "lot": [60.0, 2.0, 150.0]}
    replay, unseen = (stocked(None, None, seed, **lots) for seed in (10, 11))

    tuned = tune_policies(replay, unseen, budget=Budget(200), seed=1, kind="lots")

    assert tuned.is_chosen.all()
    assert (tuned.lot[:, 0] >= 1.0).all()
    assert (tuned.search_cost < 0.8 * tuned.start_cost).all()


def test_tuning_refuses_what_would_mislead_it():
    replay, unseen = stocked([4.0] * 3, [9.0] * 3, 1), stocked([4.0] * 3, [9.0] * 3, 2)
    free = stocked([4.0] * 3, [9.0] * 3, 1, backorder_cost_per_day=0.0)
    wrong = [
        ("validation", lambda: tune_policies(replay, replay, budget=Budget(5), seed=0)),
        (
            "validation",
            lambda: tune_policies(replay, stocked([4.0] * 3, [9.0] * 3, 2, scenarios=1), budget=Budget(5), seed=0),
        ),
        ("method", lambda: tune_policies(replay, unseen, budget=Budget(5), seed=0, method="luck")),
        ("kind", lambda: PolicyObjective(replay, "colours")),
        ("lot", lambda: PolicyObjective(replay, "lots")),
        ("stockout_cost", lambda: PolicyObjective(free)),
        ("least_fill_rate", lambda: PolicyObjective(free, least_fill_rate=1.5)),
        ("kind", lambda: PolicyObjective(stocked([[4.0, 5.0]] * 3, [[9.0, 9.0]] * 3, 1, level_days=[0, 9]))),
    ]
    for name, make in wrong:
        with pytest.raises(ParameterError) as refused:
            make()
        assert refused.value.parameter == name
