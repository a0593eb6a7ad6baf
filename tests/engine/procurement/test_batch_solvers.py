"""Many rows at once find, row by row, what the single models find."""

import numpy as np
import pytest

from procurement.engine import batch
from procurement.engine.errors import ParameterError
from procurement.engine.optimize import solve_instances

ROWS = 120
DRAW = np.random.default_rng(5)
H = 10 ** DRAW.uniform(-2, 1, ROWS)
COLUMNS = {
    "holding_cost": H,
    "stockout_cost": H * 10 ** DRAW.uniform(-1.5, 3, ROWS),
    "fixed_cost": 10 ** DRAW.uniform(-1, 3, ROWS),
    "demand_mean": 10 ** DRAW.uniform(-2.7, 2, ROWS),
    "lead_time": DRAW.choice([0, 0.5, 1, 3], ROWS),
}
COLUMNS["demand_sd"] = COLUMNS["demand_mean"] * DRAW.choice([0, 0.3, 2], ROWS)
COLUMNS["demand_rate"] = COLUMNS["demand_mean"]
CASES = [
    ("eoq", "eoq", ["fixed_cost", "holding_cost", "demand_rate"], {}),
    ("newsvendor_normal", "newsvendor_normal",
     ["holding_cost", "stockout_cost", "demand_mean", "demand_sd", "lead_time"], {}),
    ("newsvendor_poisson", "newsvendor_poisson", ["holding_cost", "stockout_cost", "demand_mean"], {}),
    ("rq_normal", "rq_normal",
     ["holding_cost", "stockout_cost", "fixed_cost", "demand_mean", "demand_sd", "lead_time"], {}),
    ("rq_poisson", "rq_poisson", ["holding_cost", "stockout_cost", "fixed_cost", "demand_mean", "lead_time"], {}),
    ("ss_poisson", "ss", ["holding_cost", "stockout_cost", "fixed_cost", "demand_mean"], {"demand": "poisson"}),
]  # fmt: skip


@pytest.mark.parametrize(("solver", "model", "names", "extra"), CASES)
def test_a_batch_gives_each_row_the_answer_of_the_single_model(solver, model, names, extra):
    singles = solve_instances(
        {"id": row, "model": model, "inputs": {name: float(COLUMNS[name][row]) for name in names} | extra}
        for row in range(ROWS)
    )

    found = getattr(batch, solver)(**{name: COLUMNS[name] for name in names})

    assert [float(cost) for cost in found.cost] == pytest.approx([a["outputs"]["cost"] for a in singles], rel=1e-9)
    for name in set(singles[0]["outputs"]) - {"cost"}:
        expected = [a["outputs"][name] for a in singles]
        assert [float(value) for value in getattr(found, name)] == pytest.approx(expected, rel=1e-5, abs=1e-6), name


def test_one_number_stands_for_all_rows():
    found = batch.rq_poisson(20, 150, 100, [1.5, 1.5, 0], 2)

    assert found.reorder_point.tolist() == [3, 3, -1]
    assert found.order_quantity.tolist() == [5, 5, 1]
    assert found.cost[1] == pytest.approx(107.9235806)


def test_lots_written_over_are_those_of_a_fresh_call():
    fresh = batch.eoq([10, 20], 730, [3600, 5])
    reused = batch.eoq([1, 1], 1, [1, 1])

    found = batch.eoq([10, 20], 730, [3600, 5], out=reused)

    assert found is reused
    assert found.order_quantity.tolist() == fresh.order_quantity.tolist()
    assert found.cost.tolist() == fresh.cost.tolist()
    with pytest.raises(ParameterError, match="has 2 rows, not 3"):
        batch.eoq([1, 2, 3], 1, 1, out=reused)


def test_no_rows_give_no_answers():
    assert len(batch.ss_poisson([], [], [], []).cost) == 0


@pytest.mark.parametrize(
    ("change", "parameter", "place"),
    [({"holding_cost": [1, 0]}, "holding_cost", "row 1"), ({"stockout_cost": [np.nan, 1]}, "stockout_cost", "row 0"),
     ({"demand_mean": [1, 1e9]}, "demand_mean", "row 1"), ({"fixed_cost": [-1, 1]}, "fixed_cost", "row 0"),
     ({"holding_cost": [1, 2, 3]}, "holding_cost", "equally many")],
)  # fmt: skip
def test_a_bad_row_is_named(change, parameter, place):
    rows = {"holding_cost": [1, 1], "stockout_cost": [4, 4], "fixed_cost": [5, 5], "demand_mean": [6, 6]}

    with pytest.raises(ParameterError, match=place) as caught:
        batch.ss_poisson(**(rows | change))

    assert caught.value.parameter == parameter
