"""POST /api/v1/predict and /api/v1/optimize: whatever the history or parameters, the answer says what was done."""

import math
import time
from typing import Any

import pytest

MUGS = {"id": "mugs", "model": "eoq", "inputs": {"fixed_cost": 8, "holding_cost": 0.225, "demand_rate": 1300}}


def predict(client: Any, y: Any, **more: Any) -> Any:
    series = more.pop("series", [{"unique_id": "A", "y": y}])
    return client.post("/api/v1/predict", {"horizon": 3, "quantiles": [0.95, 0.5], "series": series, **more})


@pytest.mark.parametrize(
    ("y", "fallback", "mean"),
    [
        ([4], "too short: 1 periods, 42 needed", 4.0),
        ([3, 5, 4], "too short: 3 periods, 42 needed", 4.0),
        ([0] * 60, "all zero: nothing sold in 60 observed periods", 0.0),
        ([-3] * 60, "all zero: nothing sold in 60 observed periods", 0.0),
        ([None] * 60, "no observed period", 0.0),
        ([5] * 60, "constant: the same quantity in every period", 5.0),
        ([5, None] * 30, "constant: the same quantity in every period", 5.0),
        ([1e12] * 60, "constant: the same quantity in every period", 1e12),
    ],
)
def test_a_history_that_says_little_gets_a_named_fallback(
    world: Any, api: Any, y: list, fallback: str, mean: float
) -> None:
    answer = predict(api(world.planner), y)

    [series] = answer.json()["series"]
    assert (answer.status_code, series["fallback"]) == (200, fallback)
    assert series["mean"] == pytest.approx([mean] * 3)
    assert list(series["quantiles"]) == ["0.5", "0.95"]


def test_a_long_history_is_forecast_by_the_method_its_backtest_supports(world: Any, api: Any) -> None:
    weeks = [2, 4, 6, 8, 10, 0, 0] * 26

    answer = predict(api(world.integration), weeks, horizon=14, windows=[7, 30])

    [series] = answer.json()["series"]
    assert series["fallback"] is None
    assert series["reason"]
    assert series["mean"][:7] == pytest.approx([2, 4, 6, 8, 10, 0, 0], abs=0.5)
    assert [window["window"] for window in series["windows"]] == [7, 30]
    assert series["windows"][0]["mean"] == pytest.approx(30, abs=2)
    for low, high in zip(series["quantiles"]["0.5"], series["quantiles"]["0.95"], strict=True):
        assert 0 <= low <= high


def test_what_was_done_to_the_history_is_told(world: Any, api: Any) -> None:
    [series] = predict(api(world.planner), [3, -1, None, 4] * 20).json()["series"]

    assert "20 unknown periods (NaN) treated as gaps, not as zeros" in series["notes"]
    assert "20 negative values set to 0" in series["notes"]


def test_a_series_is_forecast_from_its_own_history_alone(world: Any, api: Any) -> None:
    client, y = api(world.planner), [1, 3, 0, 2, 7] * 20
    others = [{"unique_id": f"B{n}", "y": [100 + n] * 60} for n in range(3)]

    alone = predict(client, y).json()["series"]
    among = predict(client, y, series=[{"unique_id": "A", "y": y}, *others]).json()["series"]

    assert among[0] == alone[0]
    assert [series["unique_id"] for series in among] == ["A", "B0", "B1", "B2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"series": []}, "series"),
        ({"series": [{"unique_id": "A", "y": []}]}, "series"),
        ({"series": [{"unique_id": "A", "y": [1]}, {"unique_id": "A", "y": [2]}]}, "series"),
        ({"series": [{"unique_id": "A", "y": [1e13]}]}, "series"),
        ({"series": [{"unique_id": "A", "y": ["many"]}]}, "series"),
        ({"series": [{"unique_id": "A", "y": [1, 2], "in_stock": [1]}]}, "series"),
        ({"series": [{"unique_id": "A", "y": [1] * 10_001}]}, "series"),
        ({"series": [{"unique_id": str(n), "y": [1] * 5000} for n in range(17)]}, "series"),
        ({"series": [{"unique_id": str(n), "y": [1]} for n in range(201)]}, "series"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": 10**6}, "horizon"),
        ({"quantiles": [0]}, "quantiles"),
        ({"quantiles": [1]}, "quantiles"),
        ({"quantiles": []}, "quantiles"),
        ({"windows": [0]}, "windows"),
        ({"season": 0}, "season"),
        ({"freq": "fortnight"}, "freq"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_field(world: Any, api: Any, change: dict, field: str) -> None:
    answer = predict(api(world.planner), [1, 2, 3], **change)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.parametrize("start", ["0001-01-01", "9999-12-31", "2024-02-29"])
@pytest.mark.parametrize("freq", ["H", "D", "W", "M", "Q", "Y"])
def test_no_calendar_breaks_a_forecast(world: Any, api: Any, start: str, freq: str) -> None:
    series = [{"unique_id": "A", "start": start, "y": [1, 2, 3, 4] * 40}]

    answer = predict(api(world.planner), None, series=series, freq=freq, season=4)

    assert answer.status_code == 200
    assert all(math.isfinite(x) for x in answer.json()["series"][0]["mean"])


# --- optimize -----------------------------------------------------------------------------------------------------


def test_a_list_is_answered_with_a_list_and_an_object_with_an_object(world: Any, api: Any) -> None:
    client = api(world.planner)

    bare, named = client.post("/api/v1/optimize", [MUGS]), client.post("/api/v1/optimize/", {"instances": [MUGS]})

    assert (bare.status_code, named.status_code) == (200, 200)
    assert named.json() == {"results": bare.json()}
    [answer] = bare.json()
    # Snyder & Shen, example 3.1: K = 8, h = 0.225, λ = 1300.
    assert answer["id"] == "mugs"
    assert answer["outputs"]["order_quantity"] == pytest.approx(304.0467800264368)
    assert answer["outputs"]["cost"] == pytest.approx(68.41052550594829)


def test_the_newsvendor_and_the_order_up_to_level(world: Any, api: Any) -> None:
    quantiles = {"0.5": 100, "0.9": 140, "0.95": 160}
    instances = [
        # Snyder & Shen, example 4.3: h = 0.18, p = 0.70, N(50, 8²).
        {
            "id": 1,
            "model": "newsvendor_normal",
            "inputs": {"holding_cost": 0.18, "stockout_cost": 0.70, "demand_mean": 50, "demand_sd": 8},
        },
        {
            "id": 2,
            "model": "order_up_to",
            "inputs": {
                "quantiles": quantiles,
                "on_hand": 30,
                "on_order": 20,
                "backordered": 5,
                "cycle_service_level": 0.95,
                "minimum_order_quantity": 10,
                "pack_size": 25,
            },
        },
    ]

    newsvendor, level = api(world.integration).post("/api/v1/optimize/", instances).json()

    assert newsvendor["outputs"]["base_stock_level"] == pytest.approx(56.60395592743389)
    assert newsvendor["outputs"]["cost"] == pytest.approx(1.9976051931766445)
    # 160 − (30 + 20 − 5) = 115, in packs of 25: 125.
    assert level["outputs"]["order_up_to_level"] == pytest.approx(160)
    assert level["outputs"]["order_quantity"] == pytest.approx(125)


def test_a_bad_instance_never_stops_the_others(world: Any, api: Any) -> None:
    bad = [MUGS | {"inputs": {"fixed_cost": -8}}, {"id": 3}, "eoq", None, MUGS | {"model": "tea leaves"}]

    answers = api(world.planner).post("/api/v1/optimize/", [*bad, MUGS]).json()

    assert [("error" in answer) for answer in answers] == [True] * 5 + [False]
    assert answers[0]["error"]["parameter"] == "fixed_cost"


@pytest.mark.parametrize(
    "body", [[], {}, {"instances": []}, {"instances": {}}, {"instances": [MUGS], "x": 1}, "eoq", 3]
)
def test_a_body_that_is_no_list_of_instances_is_refused(world: Any, api: Any, body: Any) -> None:
    answer = api(world.planner).post("/api/v1/optimize/", body, format="json")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_more_than_a_thousand_instances_are_refused(world: Any, api: Any) -> None:
    assert api(world.planner).post("/api/v1/optimize/", [MUGS] * 1001).status_code == 400


def test_when_the_time_is_over_the_rest_is_told_so(world: Any, api: Any, monkeypatch: Any) -> None:
    clock = iter([0.0, 1.0, 21.0])
    monkeypatch.setattr("procurement.api.optimize.time", type("T", (), {"monotonic": lambda: next(clock)}))

    first, second = api(world.planner).post("/api/v1/optimize/", [MUGS, MUGS | {"id": "lamps"}]).json()

    assert "outputs" in first
    assert (second["id"], second["error"]["parameter"]) == ("lamps", "instance")


def test_a_full_request_is_answered_within_the_time_a_client_waits(world: Any, api: Any) -> None:
    begin = time.monotonic()

    answer = api(world.planner).post("/api/v1/optimize/", [MUGS] * 1000)

    assert (answer.status_code, len(answer.json())) == (200, 1000)
    assert time.monotonic() - begin < 20
