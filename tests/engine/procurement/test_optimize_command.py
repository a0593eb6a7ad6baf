"""The file command: answers in order, errors by name, all or nothing on disk."""

import json
import math

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.engine.models import MODELS
from procurement.engine.optimize import solve_instances

EOQ = {"fixed_cost": 10, "holding_cost": 730, "demand_rate": 3600}
NEWSVENDOR = {"holding_cost": 0.18, "stockout_cost": 0.7, "demand_mean": 50, "demand_sd": 8}


def error(model="eoq", **inputs):
    return solve_instances([{"id": 1, "model": model, "inputs": inputs}])[0]["error"]


def test_the_command_answers_in_order_and_one_bad_instance_stops_nothing(tmp_path):
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(json.dumps([
        {"id": "a", "model": "eoq", "inputs": EOQ},
        {"id": "b", "model": "eoq", "inputs": {**EOQ, "holding_cost": 0}},
        "no instance",
        {"id": "c", "model": "newsvendor_normal", "inputs": NEWSVENDOR},
    ]))  # fmt: skip

    call_command("optimize", str(source), out=str(target))

    first, second, third, fourth = json.loads(target.read_text())
    assert list(first) == ["id", "outputs", "model", "source"]
    assert (first["id"], first["model"]) == ("a", "eoq")
    assert second == {"id": "b", "error": {"parameter": "holding_cost", "message": "must be above 0, not 0"}}
    assert third["error"] == {"parameter": "instance", "message": "must be an object with id, model and inputs"}
    assert fourth["outputs"]["base_stock_level"] == pytest.approx(56.60395593)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.json", "out.json"]


@pytest.mark.parametrize("content", ["", "{not json", '{"id": 1}', "3", "[1, 2", "\ufeff{}"])
def test_a_file_that_is_no_list_is_refused_in_one_line_and_nothing_is_written(tmp_path, content):
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(content)

    with pytest.raises(CommandError) as caught:
        call_command("optimize", str(source), out=str(target))

    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_a_missing_file_and_a_missing_folder_are_refused(tmp_path):
    source = tmp_path / "in.json"
    with pytest.raises(CommandError, match="cannot read"):
        call_command("optimize", str(source), out=str(tmp_path / "out.json"))

    source.write_text("[]")
    with pytest.raises(CommandError, match="cannot write"):
        call_command("optimize", str(source), out=str(tmp_path / "nowhere" / "out.json"))

    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_an_old_answer_is_kept_when_the_new_one_fails(tmp_path):
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text("nonsense")
    target.write_text("old")

    with pytest.raises(CommandError):
        call_command("optimize", str(source), out=str(target))

    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("change", "parameter", "message"),
    [({"fixed_cost": True}, "fixed_cost", "must be a number, not a boolean"),
     ({"fixed_cost": "8"}, "fixed_cost", "must be a number, not the text '8'"),
     ({"fixed_cost": [8]}, "fixed_cost", "must be a number, not a list"),
     ({"fixed_cost": -1}, "fixed_cost", "must be at least 0, not -1"),
     ({"fixed_cost": math.nan}, "fixed_cost", "must be a finite number"),
     ({"fixed_cost": math.inf}, "fixed_cost", "must be a finite number"),
     ({"fixed_cost": 10**400}, "fixed_cost", "is too large"),
     ({"fixed_cost": None}, "fixed_cost", "is missing"),
     ({"fixed_costs": 8}, "fixed_costs",
      "is not a parameter of this model; it has: fixed_cost, holding_cost, demand_rate, order_quantity"),
     ({"order_quantity": 0}, "order_quantity", "must be above 0, not 0")],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_its_reason(change, parameter, message):
    assert error(**{**EOQ, **change}) == {"parameter": parameter, "message": message}


@pytest.mark.parametrize(
    ("instance", "parameter"),
    [({"model": "eoq", "inputs": EOQ}, "id"), ({"id": 1, "inputs": EOQ}, "model"),
     ({"id": 1, "model": "eoq"}, "inputs"),
     ({"id": 1, "model": 7, "inputs": EOQ}, "model"), ({"id": 1, "model": "eoq", "inputs": [1]}, "inputs"),
     ({"id": 1, "model": "newsvendors", "inputs": {}}, "model"), (None, "instance"), ([], "instance")],
)  # fmt: skip
def test_a_malformed_instance_is_answered_with_what_is_wrong(instance, parameter):
    (answer,) = solve_instances([instance])

    assert answer["error"]["parameter"] == parameter


def test_a_model_that_is_not_there_says_what_is():
    message = error(model="eoqs")["message"]

    assert message == f"model 'eoqs' is not known; known: {', '.join(sorted(MODELS))}"


@pytest.mark.parametrize(("field", "value"), [("demand_mean", -1), ("shipment_lead_time", 1e308)])
def test_a_stage_of_a_line_names_what_makes_no_sense(field, value):
    stage = {"id": 1, "echelon_holding_cost": 1, "shipment_lead_time": 1, "stockout_cost": 9, "demand_mean": 5,
             "demand_sd": 1, field: value}  # fmt: skip

    assert error(model="ssm_serial", nodes=[stage])["parameter"] == f"nodes[1].{field}"


@pytest.mark.parametrize(
    ("model", "inputs", "parameter"),
    [("epq", {**EOQ, "production_rate": 3600}, "production_rate"),
     ("eoq_all_units_discount", {"fixed_cost": 1, "holding_cost_rate": 1, "demand_rate": 1, "breakpoints": [5],
                                 "unit_costs": [1]}, "breakpoints"),
     ("eoq_all_units_discount", {"fixed_cost": 1, "holding_cost_rate": 1, "demand_rate": 1, "breakpoints": [0, 5],
                                 "unit_costs": [1, 2]}, "unit_costs"),
     ("newsvendor_explicit", {"revenue": 1, "purchase_cost": 1, "salvage_value": 0, "demand_mean": 1, "demand_sd": 1},
      "revenue"),
     ("newsvendor_discrete", {"holding_cost": 1, "stockout_cost": 1, "demand_pmf": {"1": 0.4}}, "demand_pmf"),
     ("newsvendor_continuous", {"holding_cost": 1, "stockout_cost": 1, "distribution": "gamma", "shape": 1}, "scale"),
     ("loss_function", {"distribution": "poisson", "x": 1, "mean": 1, "sd": 1}, "sd"),
     ("loss_function", {"distribution": "cauchy", "x": 1}, "distribution"),
     ("rq_normal", {"holding_cost": 1, "stockout_cost": 1, "fixed_cost": 1, "demand_mean": 1, "demand_sd": 1,
                    "lead_time": 1, "reorder_point": 1}, "order_quantity"),
     ("ss", {"holding_cost": 1, "stockout_cost": 1, "fixed_cost": 1, "demand": "poisson", "demand_pmf": [1]},
      "demand_mean"),
     ("wagner_whitin", {"num_periods": 2, "holding_cost": 1, "fixed_cost": 1, "demand": [1, 2, 3]}, "demand"),
     ("loss_function", {"distribution": "poisson", "x": 1e308, "mean": 15}, "x"),
     ("ss", {"holding_cost": 1, "stockout_cost": 9, "fixed_cost": 5, "method": "power_approximation", "demand_mean": 6,
             "demand_sd": 1e7}, "demand_sd"),
     ("wagner_whitin", {"num_periods": 2.5, "holding_cost": 1, "fixed_cost": 1, "demand": 1}, "num_periods")],
)  # fmt: skip
def test_each_model_names_the_parameter_that_makes_no_sense(model, inputs, parameter):
    assert error(model=model, **inputs)["parameter"] == parameter


EXTREMES = [
    ("eoq", {"fixed_cost": 1e7, "holding_cost": 1e-6, "demand_rate": 0.002}),
    ("eoq", {"fixed_cost": 0, "holding_cost": 1, "demand_rate": 0}),
    ("eoq_incremental_discount", {"fixed_cost": 0, "holding_cost_rate": 1, "demand_rate": 0, "breakpoints": [0, 5],
                                  "unit_costs": [2, 2]}),
    ("newsvendor_normal", {"holding_cost": 9, "stockout_cost": 1e-3, "demand_mean": 1e7, "demand_sd": 2e7}),
    ("newsvendor_normal", {"holding_cost": 1e-9, "stockout_cost": 1e9, "demand_mean": 5, "demand_sd": 0}),
    ("newsvendor_poisson", {"holding_cost": 1e-9, "stockout_cost": 1e9, "demand_mean": 1e7}),
    ("newsvendor_poisson", {"holding_cost": 1, "stockout_cost": 1, "demand_mean": 0}),
    ("newsvendor_continuous", {"holding_cost": 1e-12, "stockout_cost": 1e6, "distribution": "gamma", "shape": 0.01,
                               "scale": 1e6}),
    ("loss_function", {"distribution": "negative_binomial", "x": 40000, "r": 0.01, "p": 0.001}),
    ("loss_function", {"distribution": "poisson", "x": 1e7, "mean": 1e7}),
    ("ss", {"holding_cost": 1, "stockout_cost": 9, "fixed_cost": 5, "method": "power_approximation",
            "demand_mean": 1e6, "demand_sd": 2e6}),
    ("rq_normal", {"holding_cost": 9, "stockout_cost": 0.01, "fixed_cost": 1e6, "demand_mean": 0.002,
                   "demand_sd": 0.004, "lead_time": 90}),
    ("rq_normal", {"holding_cost": 1e-3, "stockout_cost": 1e4, "fixed_cost": 1, "demand_mean": 1e7, "demand_sd": 2e7,
                   "lead_time": 0}),
    ("rq_poisson", {"holding_cost": 5, "stockout_cost": 0.1, "fixed_cost": 900, "demand_mean": 0.002, "lead_time": 0}),
    ("ss", {"holding_cost": 9, "stockout_cost": 1, "fixed_cost": 1e4, "demand": "poisson", "demand_mean": 0.002}),
    ("wagner_whitin", {"num_periods": 3, "holding_cost": 0, "fixed_cost": 0, "demand": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "inputs"), EXTREMES)
def test_extreme_but_legal_parameters_get_an_answer(model, inputs):
    (answer,) = solve_instances([{"id": 1, "model": model, "inputs": inputs}])

    assert "outputs" in answer, answer
    json.dumps(answer, allow_nan=False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=120)
@given(st.data(), st.sampled_from(sorted(MODELS)))
def test_no_input_whatever_breaks_the_command_or_writes_a_number_json_does_not_know(data, model):
    names = list(MODELS[model].inputs.__dataclass_fields__)
    inputs = data.draw(st.dictionaries(st.sampled_from(names), st.floats(0, 1e6) | json_values))

    answers = solve_instances([{"id": data.draw(json_values), "model": model, "inputs": inputs}])

    json.dumps(answers, allow_nan=False)


def test_whatever_a_numeric_library_raises_one_instance_never_stops_the_others():
    poisson = {"holding_cost": 1, "stockout_cost": 4, "fixed_cost": 5, "demand_mean": 1e300, "lead_time": 1}

    beyond, after = solve_instances([
        {"id": 1, "model": "rq_poisson", "inputs": poisson},
        {"id": 2, "model": "eoq", "inputs": EOQ},
    ])  # fmt: skip

    assert beyond["error"]["parameter"] == "demand_mean"
    assert after["outputs"]["order_quantity"] == pytest.approx(9.931270663)


def test_a_number_beyond_the_range_is_named():
    assert error(**{**EOQ, "demand_rate": 1e308, "fixed_cost": 1e10})["parameter"] == "demand_rate"


def test_ten_million_units_of_poisson_demand_cost_what_the_sum_over_all_demands_says():
    inputs = {"holding_cost": 0.00104784903131705, "stockout_cost": 11.684375281198925, "demand_mean": 1e7}

    outputs = solve_instances([{"id": 1, "model": "newsvendor_poisson", "inputs": inputs}])[0]["outputs"]

    assert outputs["base_stock_level"] == 10_011_850
    assert outputs["cost"] == pytest.approx(13.205629711522, rel=1e-8)
