"""Demand made from history and from forecasts, in chunks that do not matter; and input that cannot be used."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.policies.types import PolicyLevels
from procurement.engine.replay import simulate as running
from procurement.engine.replay.from_policies import replay_levels
from procurement.engine.replay.futures import mean_futures, sampled_futures
from procurement.engine.replay.history import history_scenarios
from procurement.engine.replay.simulate import simulate
from procurement.engine.replay.types import ReplayInput


def test_blocks_of_history_keep_the_weekday_the_order_and_the_company_of_items():
    past = np.vstack([np.arange(100), 1000 + np.arange(100)]).astype(float)

    made = history_scenarios(past, days=40, scenarios=8, block_days=10, seed=3).block(0, 2)

    assert made.shape == (8, 2, 40)
    assert (made[:, 1] - made[:, 0] == 1000).all()
    assert ((made[:, 0] - 100 - np.arange(40)) % 7 == 0).all()
    assert (np.diff(made[:, 0].reshape(8, 4, 10)) == 1).all()
    assert len({tuple(path) for path in made[:, 0]}) > 5


def test_history_is_scaled_item_by_item():
    made = history_scenarios(np.ones((2, 28)), days=5, scenarios=1, scale=[1.0, 2.5], seed=0).block(0, 2)

    assert made.tolist() == [[[1.0] * 5, [2.5] * 5]]


def test_draws_have_the_quantiles_they_are_drawn_from():
    levels, quantiles = [0.5, 0.8, 0.95], np.array([[10.0, 20.0, 50.0], [0.0, 0.0, 4.0]])

    made = sampled_futures(levels, quantiles, days=50, scenarios=400, is_whole=False, seed=1).block(0, 2)

    for item in (0, 1):
        seen = np.quantile(made[:, item], levels)
        assert seen == pytest.approx(quantiles[item], abs=1.2)
    assert made.min() == 0.0


def test_persistence_links_the_days_of_a_path_and_leaves_each_day_as_it_was():
    given = {"levels": [0.16, 0.5, 0.84], "quantiles": [[90.0, 100.0, 110.0]], "days": 60, "scenarios": 500, "seed": 2}

    loose, tied = (sampled_futures(**given, persistence=r, is_whole=False).block(0, 1)[:, 0] for r in (0.0, 0.9))

    assert tied.std() == pytest.approx(loose.std(), rel=0.1)
    assert np.corrcoef(tied[:, 30], tied[:, 31])[0, 1] == pytest.approx(0.9, abs=0.03)
    assert abs(np.corrcoef(loose[:, 30], loose[:, 31])[0, 1]) < 0.15


def test_means_are_spread_as_the_ratio_and_the_lasting_error_say():
    made = mean_futures(np.full((2, 40), 2.0), scenarios=2000, variance_ratio=3.0, level_cv=[0.0, 0.5], seed=4)
    steady, unsure = made.block(0, 2).transpose(1, 0, 2)

    assert steady.mean() == pytest.approx(2.0, rel=0.02)
    assert steady.var() == pytest.approx(6.0, rel=0.05)
    assert unsure.sum(axis=1).std() == pytest.approx(np.sqrt(40 * 6.0 + (80 * 0.5) ** 2), rel=0.1)
    assert (steady == np.floor(steady)).all()


@pytest.mark.parametrize("source", ["history", "quantiles", "mean"])
def test_neither_chunks_nor_threads_change_a_digit(source, monkeypatch):
    past = np.random.default_rng(5).poisson(2.0, (9, 60)).astype(float)
    demand = {
        "history": lambda: history_scenarios(past, days=50, scenarios=3, seed=6),
        "quantiles": lambda: sampled_futures([0.5, 0.9], past[:, :2], days=50, scenarios=3, persistence=0.5, seed=6),
        "mean": lambda: mean_futures(past[:, :50], scenarios=3, variance_ratio=2.0, level_cv=0.2, seed=6),
    }[source]()
    terms = {"order_up_to_level": 12, "lead_time_draws": [[1, 2, 5]] * 9, "review_days": 3, "seed": 8}
    whole = simulate(ReplayInput(demand=demand, **terms)).sums

    held = simulate(ReplayInput(demand=demand.block(0, 9), **terms)).sums
    monkeypatch.setattr(running, "CHUNK_BYTES", 2 * 3 * 50 * 8)
    cut = simulate(ReplayInput(demand=demand, **terms), threads=3).sums

    assert whole[..., 0].sum() > 0
    assert held.tobytes() == whole.tobytes()
    assert cut.tobytes() == whole.tobytes()


GOOD = {"demand": [[1.0, 2.0]] * 2, "order_up_to_level": 5, "lead_time_days": 1}
BAD = {
    "demand": [
        float("nan"),
        [[1.0, -2.0]],
        [[1.0, float("nan")]],
        [[float("inf")]],
        "many",
        np.zeros((0, 3)),
        [[1e16]],
    ],
    "order_up_to_level": [None, float("nan"), [1, 2, 3], 1e16],
    "reorder_point": [6, "low", float("inf")],
    "lot": [-1, float("nan")],
    "level_days": [[1], [0, 0], [0, 0.5], []],
    "review_days": [0, 0.5, -7],
    "review_offset": [-1],
    "lead_time_days": [-1, None, float("nan"), 1e9],
    "lead_time_draws": [[1, 2], [[1.0], [-1.0]]],
    "minimum": [-1, float("inf")],
    "pack": [-0.5],
    "maximum_stock": [-1, float("nan")],
    "shelf_life_days": [-1, 2.5],
    "opening_stock": [-1, [1, 2, 3]],
    "opening_pipeline": [[-1.0], [[1.0], [2.0], [3.0]]],
    "unit_cost": [-1, "dear", [1, 2, 3]],
    "unit_price": [-1],
    "holding_rate_per_year": [-0.1],
    "fixed_order_cost": [-1],
    "stockout_cost": [-1, float("inf")],
    "backorder_cost_per_day": [-1],
    "warm_up_days": [-1, 2, 1.5],
    "batches": [0, 3],
    "seed": [-1, 1.5],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_what_cannot_be_used_is_refused_by_name(name, value):
    with pytest.raises(ParameterError) as refused:
        ReplayInput(**GOOD | {name: value})

    expected = {"lead_time_draws": "lead_time"}.get(name, name)
    assert refused.value.parameter.startswith(expected)


def test_a_minimum_above_the_maximum_is_refused():
    with pytest.raises(ParameterError, match=r"minimum: is above the maximum stock"):
        ReplayInput(**GOOD, minimum=6, maximum_stock=5)


def test_makers_of_demand_name_what_they_cannot_use():
    wrong = [
        ("block_days", lambda: history_scenarios(np.ones((1, 20)), days=5, scenarios=1, block_days=21, seed=0)),
        ("history", lambda: history_scenarios(np.ones((1, 8)), days=28, scenarios=1, block_days=8, seed=0)),
        ("history", lambda: history_scenarios([[-1.0]], days=5, scenarios=1, block_days=1, period_days=1, seed=0)),
        ("levels", lambda: sampled_futures([0.5, 0.5], [[1.0, 2.0]], days=3, scenarios=1, seed=0)),
        ("quantiles", lambda: sampled_futures([0.5], [[1.0, 2.0]], days=3, scenarios=1, seed=0)),
        ("days", lambda: sampled_futures([0.5], [[1.0]], scenarios=1, seed=0)),
        ("persistence", lambda: sampled_futures([0.5], [[1.0]], days=3, scenarios=1, persistence=1.0, seed=0)),
        ("mean", lambda: mean_futures([[-1.0]], scenarios=1, seed=0)),
        ("variance_ratio", lambda: mean_futures([[1.0]], scenarios=1, variance_ratio=0.5, seed=0)),
        ("scenarios", lambda: mean_futures([[1.0]], scenarios=0, seed=0)),
    ]
    for name, make in wrong:
        with pytest.raises(ParameterError) as refused:
            make()
        assert refused.value.parameter == name


def test_levels_of_a_policy_batch_are_replayed_with_the_lot_of_lot_policies_only():
    rows = np.ones(3)
    levels = PolicyLevels(
        reorder_point=4.0 * rows, order_up_to_level=np.array([4.0, 9.0, 9.0]), lot=5.0 * rows, safety_stock=rows,
        cycle_service_level=rows, fill_rate=rows, model=np.array([1, 2, 3], dtype=np.int8),
        family=np.zeros(3, dtype=np.int8), segment=np.zeros(3, dtype=np.int8),
    )  # fmt: skip

    found = simulate(ReplayInput(demand=np.ones((3, 20)), lead_time_days=1, **replay_levels(levels)))

    assert found.units_ordered[0].tolist() == [19.0, 18.0, 15.0]
    assert found.orders[0].tolist() == [19.0, 3.0, 3.0]
