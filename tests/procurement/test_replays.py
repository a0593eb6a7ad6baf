"""A policy on trial: replayed on the past beside today's, its figures kept, the change applied with what it was."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.errors import ValidationFailed
from config.kernel.jobs import request_cancel
from config.kernel.models import Job
from forecasting.models import DemandHistory
from procurement.models import Policy, PolicyAudit, PolicyChange, PolicyReplay
from procurement.services.policies import apply_policy_changes, clean_changes
from procurement.services.replay_history import KNOWN_DAYS, LEVELS, Past, expectations, world_places
from procurement.services.replays import queue_policy_replay, run_policy_replay
from tests.cast import NOW, World
from tests.cast import world as world

YESTERDAY = NOW.date() - timedelta(days=1)
WEEK = (8, 12, 10, 9, 11, 14, 6)  # ten a day


def clock() -> Any:
    return NOW


@pytest.fixture
def policy(world: World) -> Policy:
    """Of everything; mugs sell ten a day at MAIN for 500 days, and nothing else sells."""
    DemandHistory.objects.bulk_create(
        DemandHistory(
            sku=world.mug,
            channel=world.web,
            warehouse=world.main,
            day=YESTERDAY - timedelta(days=n),
            quantity=WEEK[n % 7],
            ordered=WEEK[n % 7],
        )
        for n in range(500)
    )
    return Policy.objects.create(name="All", service_level=Decimal("0.8"), target="fill_rate", fill_rate=Decimal("0.8"))


def trial(world: World, policy: Policy | None, changes: dict[str, Any], **more: Any) -> PolicyReplay:
    numbers: dict[str, Any] = {"days": 84, "scenarios": 3, **more}
    return queue_policy_replay(name="Try", changes=changes, actor=world.planner, policy=policy, **numbers)


def run(replay: PolicyReplay) -> dict[str, Any]:
    run_policy_replay(replay.job_id, clock=clock)  # type: ignore[arg-type]
    replay.refresh_from_db()
    return replay.result  # type: ignore[return-value]


def test_a_higher_service_costs_stock_and_both_are_told_with_intervals(world: World, policy: Policy) -> None:
    found = run(trial(world, policy, {"fill_rate": "0.99"}))

    figures = found["figures"]
    assert (found["series"], found["scenarios"], found["first_day"]) == (1, 3, "2025-12-08")
    assert figures["fill_rate"]["challenger"][0] > figures["fill_rate"]["today"][0]
    assert figures["stock_value"]["difference"][0] == pytest.approx(
        figures["stock_value"]["challenger"][0] - figures["stock_value"]["today"][0]
    )
    low, high = figures["stock_value"]["difference"][1:]
    assert 0 < low <= figures["stock_value"]["difference"][0] <= high
    assert [row["segment"] for row in found["segments"]] == ["–"]


def test_the_same_policy_differs_by_nothing_at_all(world: World, policy: Policy) -> None:
    figures = run(trial(world, policy, {}))["figures"]

    assert {tuple(figure["difference"]) for figure in figures.values() if figure["difference"][0] is not None} == {
        (0.0, 0.0, 0.0)
    }


def test_the_same_seed_gives_the_same_figures(world: World, policy: Policy) -> None:
    first, second = (run(trial(world, policy, {"fill_rate": "0.95"}, seed=5)) for _time in range(2))

    assert first == second


def test_the_curve_rises_with_its_targets(world: World, policy: Policy) -> None:
    curve = run(trial(world, policy, {}))["curve"]

    assert [row["target"] for row in curve] == [0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99]
    assert curve[0]["stock_value"] < curve[-1]["stock_value"]
    assert curve[0]["fill_rate"] < curve[-1]["fill_rate"]


def test_the_search_is_shown_beside_the_challenger(world: World, policy: Policy) -> None:
    found = run(trial(world, policy, {"stockout_cost_share": "0.4"}, searches=True))

    assert found["search"]["chosen"] in (0, 1)
    assert found["search"]["figures"]["cost_total"]["today"] == found["figures"]["cost_total"]["challenger"]


def test_what_is_too_new_is_left_out_and_a_replay_of_nothing_fails_with_the_reason(world: World) -> None:
    DemandHistory.objects.create(
        sku=world.mug, channel=world.web, warehouse=world.main, day=YESTERDAY, quantity=5, ordered=5
    )
    replay = trial(world, None, {"service_level": "0.9"})

    with pytest.raises(ValidationFailed, match="None of the 6 SKUs and warehouses was sold for 56 days"):
        run(replay)

    assert Job.objects.get(pk=replay.job_id).state == "failed"


def test_it_runs_once_however_often_it_is_called_and_stops_when_asked(world: World, policy: Policy) -> None:
    done, stopped = trial(world, policy, {}), trial(world, policy, {})
    run(done)
    request_cancel(stopped.job_id, now=NOW)

    assert run_policy_replay(done.job_id, clock=clock) is None  # type: ignore[arg-type]
    assert run_policy_replay(stopped.job_id, clock=clock) is None  # type: ignore[arg-type]
    assert PolicyReplay.objects.get(pk=stopped.pk).result is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_level": "0.2"}, "service_level"),
        ({"review_days": "-3"}, "review_days"),
        ({"target": "cost"}, "stockout_cost_share"),
        ({"name": "Other"}, "name"),
        ({"fill_rate": "much"}, "fill_rate"),
    ],
)
def test_a_wrong_change_is_refused_by_name(world: World, policy: Policy, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        trial(world, policy, changes)

    assert [item["field"] for item in refused.value.items] == [field]
    assert Job.objects.count() == 0


@pytest.mark.parametrize(("name", "value"), [("days", 27), ("days", 731), ("scenarios", 1), ("scenarios", 101)])
def test_numbers_out_of_range_are_refused_by_name(world: World, name: str, value: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        trial(world, None, {}, **{name: value})

    assert refused.value.items[0]["field"] == name


def test_only_what_differs_is_a_change(db: None) -> None:
    today = Policy(name="All", service_level=Decimal("0.95"), review_days=7)

    changes = {"service_level": "0.950", "review_days": "", "holding_cost_rate": "0.30"}

    assert clean_changes(today, changes) == {"review_days": None, "holding_cost_rate": "0.3"}


def test_a_change_is_applied_audited_and_written_down_with_what_it_was(world: World, policy: Policy) -> None:
    change = apply_policy_changes(policy, {"fill_rate": "0.97", "target": "fill_rate"}, actor=world.planner, now=NOW)

    policy.refresh_from_db()
    assert policy.fill_rate == Decimal("0.97")
    assert (change.before, change.after, change.item_count) == ({"fill_rate": "0.8"}, {"fill_rate": "0.97"}, 6)
    assert PolicyAudit.objects.filter(pgh_obj_id=policy.pk).latest("pgh_id").fill_rate == Decimal("0.97")
    with pytest.raises(ValidationFailed, match="Nothing would change"):
        apply_policy_changes(policy, {"fill_rate": "0.97"}, actor=world.planner, now=NOW)


def test_a_world_takes_each_block_from_nearby_on_the_same_weekday() -> None:
    places = world_places(days=84, scenarios=4, seed=1)

    moved = places - places[0]
    assert places[0].tolist() == list(range(KNOWN_DAYS, KNOWN_DAYS + 84))
    assert (moved % 7 == 0).all()
    assert abs(moved).max() <= 56
    assert 0 <= places.min() <= places.max() < KNOWN_DAYS + 84
    assert (moved[1:] != 0).any()


def test_levels_know_nothing_of_the_days_after_them() -> None:
    import numpy as np

    demand = np.concatenate([np.full((1, KNOWN_DAYS + 28), 10.0), np.full((1, 56), 1000.0)], axis=1)
    past = Past(demand, np.array([KNOWN_DAYS]), 0)

    quantiles, mean, sd = expectations(past, np.array([20]), 28)

    assert (mean[0], sd[0]) == (200.0, 0.0)
    assert quantiles[0].tolist() == [200.0] * len(LEVELS)


def test_the_pages_lead_from_the_policy_to_the_result_and_to_the_change(world: World, policy: Policy) -> None:
    client = Client()
    client.force_login(world.planner, backend="config.kernel.policy.RoleBackend")
    page = f"{reverse('admin:procurement_policyreplay_new')}?policy={policy.pk}"
    told = {"name": "Try", "days": "84", "scenarios": "2", "fill_rate": "0.99", "service_level": "0.8"}

    assert page.encode() in client.get(reverse("admin:procurement_policy_change", args=[policy.pk])).content
    wrong = client.post(page, {**told, "fill_rate": "2"})
    client.post(page, told)
    replay = PolicyReplay.objects.get()
    run(replay)
    shown = client.get(reverse("admin:procurement_policyreplay_change", args=[replay.pk]))
    client.post(reverse("admin:procurement_policyreplay_do", args=[replay.pk, "apply"]))

    assert wrong.status_code == 200
    assert replay.changes == {"fill_rate": "0.99"}
    assert "Stock value against fill rate" in shown.content.decode()
    assert PolicyChange.objects.get().after == {"fill_rate": "0.99"}


def test_a_viewer_reads_replays_and_neither_starts_nor_applies_one(world: World, policy: Policy) -> None:
    replay = trial(world, policy, {"fill_rate": "0.99"})
    run(replay)
    client = Client()
    client.force_login(world.viewer, backend="config.kernel.policy.RoleBackend")

    assert client.get(reverse("admin:procurement_policyreplay_change", args=[replay.pk])).status_code == 200
    assert client.get(reverse("admin:procurement_policyreplay_new")).status_code == 403
    assert client.post(reverse("admin:procurement_policyreplay_do", args=[replay.pk, "apply"])).status_code == 403
    assert PolicyChange.objects.count() == 0


def test_the_api_starts_a_replay_once_and_gives_its_result(world: World, policy: Policy, api: Any) -> None:
    body = {"name": "Try", "policy": policy.pk, "changes": {"fill_rate": "0.99"}, "days": 84, "scenarios": 2}
    client = api(world.planner)

    made = client.post("/api/v1/policy-replays/", body, HTTP_IDEMPOTENCY_KEY="k")
    again = client.post("/api/v1/policy-replays/", body, HTTP_IDEMPOTENCY_KEY="k")
    wrong = client.post("/api/v1/policy-replays/", {**body, "changes": {"fill_rate": 3}})
    run(PolicyReplay.objects.get())
    read = client.get(made.headers["Location"]).json()

    assert (made.status_code, again.json()["id"], wrong.status_code) == (201, made.json()["id"], 422)
    assert (read["changes"], read["result"]["series"]) == ({"fill_rate": "0.99"}, 1)


def test_a_challenger_that_shares_its_target_is_replayed(world: World, policy: Policy) -> None:
    found = run(trial(world, policy, {"shares_target": "True", "fill_rate": "0.95"}))

    assert found["policies"]["challenger"]["shares_target"] is True
    assert found["figures"]["fill_rate"]["challenger"][0] > found["figures"]["fill_rate"]["today"][0]
