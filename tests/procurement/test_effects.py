"""What a change of policy brought, against the replay of what it was; and what measuring teaches the safety stock."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Sku
from forecasting.services.history import refresh_demand
from procurement.models import Experiment, ExperimentItem, Policy, PolicyChange, ServiceCorrection
from procurement.services.corrections import learn_service_corrections
from procurement.services.effects import as_it_was, evaluate_policy_changes
from procurement.services.inputs import service_corrections
from procurement.services.policies import apply_policy_changes
from tests.cast import NOW, make_item, make_sku
from tests.forecasting.looking_ahead import expect, make_run
from tests.procurement.planning_world import sell_daily
from warehouses.models import StockMovement
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db
LAST = NOW.date() - timedelta(days=1)
DAYS = 560


def move(world: Any, sku: Sku, units: int, days_ago: int, name: str) -> None:
    kind = StockMovement.Kind.ADJUSTMENT
    post_movements(
        [Move(kind, sku.pk, world.shelf.pk, Decimal(units), f"{name}:{sku.pk}")],
        happened_at=NOW - timedelta(days=days_ago),
    )


def made(world: Any, count: int, days: int) -> list[Sku]:
    """SKUs of cost 4 sold at two a day up to NOW, with 300 on the shelf since 250 days (and never taken off)."""
    skus: list[Sku] = []
    for number in range(count):
        sku = make_sku(f"X{number:02d}", unit_price="9.00", unit_cost="4.00")
        make_item(world.northwind, sku)
        move(world, sku, 300, 250, "open")
        sell_daily(sku, world.web, world.main, quantities=[2] * days, until=LAST)
        skus.append(sku)
    refresh_demand()
    return skus


@pytest.fixture
def skus(world: Any) -> list[Sku]:
    """Twelve, a whole segment."""
    return made(world, 12, 60)


@pytest.fixture
def old(world: Any) -> list[Sku]:
    """Four that were sold for more than a year before the change."""
    return made(world, 4, DAYS)


def changed(world: Any, *, days_ago: int, level: str = "0.9", policy: Policy | None = None) -> PolicyChange:
    policy = policy or Policy.objects.create(name="All", service_level=Decimal("0.95"))
    when = NOW - timedelta(days=days_ago)
    return apply_policy_changes(policy, {"service_level": level}, actor=world.planner, now=when)


def test_a_change_is_measured_against_what_it_was_and_once(world: Any, old: list[Sku]) -> None:
    change = changed(world, days_ago=60)
    for sku in old:
        move(world, sku, -100, 60, "less")

    counts = evaluate_policy_changes(NOW)
    again = evaluate_policy_changes(NOW + timedelta(days=7))

    change.refresh_from_db()
    assert (counts, again) == (
        {"evaluated": 1, "left_out": 0, "waiting": 0},
        {"evaluated": 0, "left_out": 0, "waiting": 0},
    )
    assert change.effect is not None
    # 14 days of lead time are not measured: day 14 after the change to yesterday, all four at MAIN.
    assert (change.days, change.effect["items"]) == (46, 4)
    found = change.effect["figures"]
    # Demand is steady, so the replay of what it was is the same before and after: what is left is the 100 units of 4.00
    # that each of the four SKUs holds less.
    assert found["stock_value"]["value"] == pytest.approx(-1600, rel=0.03)
    assert found["stock_value"]["low"] <= found["stock_value"]["value"] <= found["stock_value"]["high"]
    assert found["stock_value"]["real"] == pytest.approx(200 * 4 * 4)
    assert found["fill_rate"]["value"] == pytest.approx(0, abs=0.01)
    assert found["cost"]["value"] == pytest.approx(-1600 * 0.25 / 365, rel=0.03)


def test_control_nothing_moved_is_no_effect(world: Any, old: list[Sku]) -> None:
    change = changed(world, days_ago=60)

    evaluate_policy_changes(NOW)

    change.refresh_from_db()
    assert change.effect is not None
    assert change.effect["figures"]["stock_value"]["value"] == pytest.approx(0, abs=50)


def test_a_change_waits_for_28_days_after_the_lead_time(world: Any, old: list[Sku]) -> None:
    changed(world, days_ago=41)

    assert evaluate_policy_changes(NOW)["waiting"] == 1
    assert evaluate_policy_changes(NOW + timedelta(days=1))["waiting"] == 1  # demand is known up to LAST

    PolicyChange.objects.update(changed_at=NOW - timedelta(days=42))
    assert evaluate_policy_changes(NOW)["evaluated"] == 1


def test_a_change_soon_followed_by_another_cannot_be_told_apart(world: Any, old: list[Sku]) -> None:
    first = changed(world, days_ago=60)
    assert first.policy is not None
    changed(world, days_ago=50, level="0.97", policy=first.policy)

    assert as_it_was(first) == {"service_level": "0.95"}
    evaluate_policy_changes(NOW)

    first.refresh_from_db()
    assert first.effect == {"reason": "changed_again"}


def test_a_deleted_policy_and_one_taken_back_are_not_measured(world: Any, old: list[Sku]) -> None:
    gone, back = changed(world, days_ago=100), None
    assert gone.policy is not None
    gone.policy.delete()
    back = changed(world, days_ago=100)
    assert back.policy is not None
    changed(world, days_ago=50, level="0.95", policy=back.policy)

    evaluate_policy_changes(NOW)

    reasons = [change.effect["reason"] for change in (_again(gone), _again(back)) if change.effect]
    assert reasons == ["policy_deleted", "taken_back"]


def _again(change: PolicyChange) -> PolicyChange:
    return PolicyChange.objects.get(pk=change.pk)


def test_skus_that_try_a_challenger_are_left_out(world: Any, old: list[Sku]) -> None:
    change = changed(world, days_ago=60)
    in_experiment(old[:3])

    evaluate_policy_changes(NOW)

    effect = _again(change).effect or {}
    assert (effect["items"], effect["left_out"]) == (1, 14 - 1)


def in_experiment(skus: list[Sku]) -> None:
    experiment = Experiment.objects.create(
        name="E", status="running", changes={"service_level": "0.9"}, starts_on=LAST - timedelta(days=40)
    )
    ExperimentItem.objects.bulk_create(
        ExperimentItem(experiment=experiment, sku=sku, arm="challenger", stratum="other") for sku in skus
    )


def forecast_all(world: Any, skus: list[Sku]) -> None:
    run = make_run(LAST)
    for sku in skus:
        expect(run, sku, world.main, 2, value_class="A", demand_class="smooth")


def test_a_segment_short_of_what_was_asked_gets_more_safety(world: Any, skus: list[Sku]) -> None:
    forecast_all(world, skus)
    Policy.objects.create(name="All", target="fill_rate", fill_rate=Decimal("0.95"), service_level=Decimal("0.95"))
    for sku in skus:  # eight of the 56 days without stock
        move(world, sku, -300, 16, "out")
        move(world, sku, 300, 8, "in")

    assert learn_service_corrections(NOW) == {"learned": 1, "waiting": 0}

    row = ServiceCorrection.objects.get()
    assert (row.segment, row.item_count, row.asked) == ("A smooth", 12, pytest.approx(0.95))
    # The shelf was empty from 9:00 sixteen days ago to 9:00 eight days ago: 8 of 56 days.
    assert row.realised == pytest.approx(1 - 8 / 56, abs=0.01)
    assert row.factor > 1.1
    assert service_corrections() == {(world.main.pk, "A smooth"): row.factor}


def test_a_cycle_target_counts_intervals_without_an_empty_shelf(world: Any, skus: list[Sku]) -> None:
    forecast_all(world, skus)
    for sku in skus[:6]:
        move(world, sku, -300, 16, "out")
        move(world, sku, 300, 8, "in")

    learn_service_corrections(NOW)

    # Lead time 14 and review 7: two intervals of 21 days, of which the later is short for half of the SKUs.
    assert ServiceCorrection.objects.get().realised == pytest.approx(0.75)


def test_a_factor_is_judged_only_by_days_on_which_it_held(world: Any, skus: list[Sku]) -> None:
    forecast_all(world, skus)
    learn_service_corrections(NOW)
    first = ServiceCorrection.objects.get().factor

    assert learn_service_corrections(NOW + timedelta(days=7)) == {"learned": 0, "waiting": 1}
    assert ServiceCorrection.objects.get().factor == first


def test_small_segments_and_skus_of_experiments_teach_nothing(world: Any, skus: list[Sku]) -> None:
    forecast_all(world, skus)
    in_experiment(skus[:3])

    assert learn_service_corrections(NOW) == {"learned": 0, "waiting": 1}


def test_saving_a_policy_anywhere_leaves_a_record(world: Any, api: Any, client: Any) -> None:
    policy = Policy.objects.create(name="All", service_level=Decimal("0.95"), sku=world.mug)

    api(world.planner).patch(f"/api/v1/policies/{policy.pk}/", {"service_level": "0.97"}, format="json")
    client.force_login(world.planner, backend="config.kernel.policy.RoleBackend")
    page = f"/admin/procurement/policy/{policy.pk}/change/"
    form = client.get(page).context["adminform"].form
    posted = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    client.post(page, posted | {"service_level": "0.9"})
    client.post(page, posted | {"service_level": "0.9", "name": "Mugs"})

    rows = PolicyChange.objects.order_by("pk").values_list("before", "after", "changed_by_id")
    assert list(rows) == [
        ({"service_level": "0.95"}, {"service_level": "0.97"}, world.planner.pk),
        ({"service_level": "0.97"}, {"service_level": "0.9"}, world.planner.pk),
    ]
    assert Policy.objects.get().name == "Mugs"
