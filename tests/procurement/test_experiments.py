"""An experiment on live stock: drawn fairly, planned by its arms, looked at daily, stopped by harm, adopted if won."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Sku
from config.kernel.errors import Conflict, NotFound, ValidationFailed
from forecasting.services.history import refresh_demand
from procurement.models import Experiment, ExperimentItem, Policy, PolicyChange
from procurement.services.aims import planned_items
from procurement.services.experiments import (
    adopt_challenger,
    create_experiment,
    look_at_experiment,
    look_at_experiments,
    start_experiment,
    stop_experiment,
)
from procurement.services.experiments.measures import fared
from tests.cast import NOW, make_item, make_sku, put_stock
from tests.procurement.planning_world import sell_daily
from warehouses.models import StockMovement
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db
LAST = NOW.date() - timedelta(days=1)
CHANGES = {"service_level": "0.9"}


@pytest.fixture
def skus(world: Any) -> list[Sku]:
    """Twelve SKUs of cost 4 and price 9, each with 500 on the shelf since 30 days and selling two a day for 60."""
    made = []
    for number in range(12):
        sku = make_sku(f"X{number:02d}", unit_price="9.00", unit_cost="4.00")
        make_item(world.northwind, sku)
        put_stock(sku, world.shelf, 500)
        sell_daily(sku, world.web, world.main, quantities=[2] * 60, until=LAST)
        made.append(sku)
    refresh_demand()
    return made


def running(world: Any, **more: Any) -> Experiment:
    """With this seed mugs, lamps and tea of the cast are champions."""
    made = create_experiment(name="Less safety", changes=CHANGES, actor=world.planner, now=NOW, **{"seed": 0, **more})
    return start_experiment(made.pk, actor=world.planner, now=NOW)


def goes_by(world: Any, days: int, skus: list[Sku]) -> datetime:
    """Two a day go on being sold; the day after."""
    for sku in skus:
        sell_daily(sku, world.web, world.main, quantities=[2] * days, until=LAST + timedelta(days=days), name="later")
    refresh_demand()
    return NOW + timedelta(days=days)


def emptied(world: Any, skus: list[Sku], *, units: int = 500) -> None:
    moves = [
        Move(StockMovement.Kind.ADJUSTMENT, sku.pk, world.shelf.pk, Decimal(-units), f"out:{sku.pk}") for sku in skus
    ]
    post_movements(moves, happened_at=NOW)


def arm(experiment: Experiment, name: str) -> list[Sku]:
    return [item.sku for item in experiment.items.filter(arm=name).select_related("sku")]


def test_skus_are_drawn_half_and_half_and_it_is_written_down(world: Any, skus: list[Sku]) -> None:
    experiment = running(world)

    # Mugs and lamps of the cast take part as well; tea is the outsider's.
    counts = {name: experiment.items.filter(arm=name).count() for name in ExperimentItem.Arm.values}
    assert sum(counts.values()) == 15
    assert abs(counts["champion"] - counts["challenger"]) <= 3
    started = experiment.events.get(kind="started")
    assert started.detail["challenger"] == counts["challenger"]
    assert started.actor == world.planner


def test_the_plan_goes_by_the_arm(world: Any, skus: list[Sku]) -> None:
    experiment = running(world)

    planned = planned_items()

    levels = {
        name: {planned[sku.pk, world.main.pk].policy.service_level for sku in arm(experiment, name)}
        for name in ExperimentItem.Arm.values
    }
    assert levels == {"champion": {Decimal("0.95")}, "challenger": {Decimal("0.9")}}


def test_an_experiment_of_one_warehouse_leaves_the_others_alone(world: Any, skus: list[Sku]) -> None:
    experiment = running(world, warehouse=world.main)
    sku = arm(experiment, "challenger")[0]

    planned = planned_items([sku.pk])

    assert planned[sku.pk, world.main.pk].policy.service_level == Decimal("0.9")
    assert planned[sku.pk, world.north.pk].policy.service_level == Decimal("0.95")


def test_a_sku_is_in_one_running_experiment_only(world: Any, skus: list[Sku]) -> None:
    running(world)
    second = create_experiment(name="Other", changes=CHANGES, actor=world.planner, now=NOW)

    with pytest.raises(ValidationFailed, match="Only 0 SKUs"):
        start_experiment(second.pk, actor=world.planner, now=NOW)


def test_a_challenger_that_changes_nothing_is_refused(world: Any) -> None:
    with pytest.raises(ValidationFailed, match="differ"):
        create_experiment(name="Same", changes={"service_level": "0.95"}, actor=world.planner, now=NOW)

    with pytest.raises(NotFound):
        start_experiment(0, actor=world.planner, now=NOW)


def test_what_is_measured_is_the_stock_and_the_demand_that_met_it(world: Any, skus: list[Sku]) -> None:
    sku = skus[0]

    [found] = fared([sku.pk], first=LAST - timedelta(days=9), until=LAST).values()

    assert found.stock_value == 2000.0
    assert (found.fill_rate, found.expected_daily) == (1.0, 2.0)
    assert found.cost == pytest.approx(2000 * 0.25 / 365)


def test_days_without_stock_cost_the_margin_of_what_was_expected(world: Any, skus: list[Sku]) -> None:
    sku = skus[0]
    emptied(world, [sku])
    refresh_demand()

    # Ten days of two a day with stock, nine hours of the eleventh without a sale, then nothing: e = 20 / 10.375 a day,
    # of which 9.625 days met an empty shelf; each unit of it costs a margin of 5.
    found = fared([sku.pk], first=LAST - timedelta(days=9), until=LAST + timedelta(days=10))[sku.pk]

    assert found.fill_rate == pytest.approx(1 - 9.625 / 20)
    assert found.cost == pytest.approx(1000 * 0.25 / 365 + 20 / 10.375 * 9.625 / 20 * 5)


def test_no_look_is_taken_before_a_week_has_counted(world: Any, skus: list[Sku]) -> None:
    experiment = running(world, burn_in_days=3)
    now = goes_by(world, 8, skus)

    assert look_at_experiment(experiment.pk, now=now) is None


def test_a_look_is_kept_once_a_day(world: Any, skus: list[Sku]) -> None:
    experiment = running(world, burn_in_days=0)
    now = goes_by(world, 8, skus)

    first = look_at_experiment(experiment.pk, now=now)
    second = look_at_experiment(experiment.pk, now=now)

    assert first is not None
    assert first == second
    assert experiment.looks.count() == 1
    assert first.low <= first.effect <= first.high
    assert experiment.events.filter(kind="looked").count() == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_empty_shelves_of_the_challengers_stop_the_experiment(world: Any, skus: list[Sku], seed: int) -> None:
    experiment = running(world, burn_in_days=0, seed=seed)
    emptied(world, [sku for sku in arm(experiment, "challenger") if sku in skus])
    now = goes_by(world, 20, skus)

    look_at_experiments(now=now)

    experiment.refresh_from_db()
    assert (experiment.status, experiment.verdict) == ("stopped", "harm")
    assert not experiment.items.filter(is_active=True).exists()
    assert {p.policy.service_level for p in planned_items().values()} == {Decimal("0.95")}


def test_control_equal_arms_are_not_stopped(world: Any, skus: list[Sku]) -> None:
    experiment = running(world, burn_in_days=0)
    now = goes_by(world, 20, skus)

    look_at_experiments(now=now)

    experiment.refresh_from_db()
    assert (experiment.status, experiment.verdict) == ("running", "none")


def test_a_planner_stops_it_once(world: Any, skus: list[Sku]) -> None:
    experiment = running(world)

    stop_experiment(experiment.pk, actor=world.planner, now=NOW, note="sale begins")

    assert experiment.events.get(kind="ended").detail["note"] == "sale begins"
    with pytest.raises(Conflict):
        stop_experiment(experiment.pk, actor=world.planner, now=NOW)


def test_a_challenger_that_won_becomes_the_policy_of_its_scope(world: Any, skus: list[Sku]) -> None:
    experiment = running(world)
    Experiment.objects.filter(pk=experiment.pk).update(status="completed", verdict="challenger")

    policy = adopt_challenger(experiment.pk, actor=world.planner, now=NOW)

    assert (policy.service_level, policy.category, policy.warehouse) == (Decimal("0.9"), None, None)
    assert PolicyChange.objects.get().after == {"service_level": "0.9"}
    with pytest.raises(Conflict, match="before"):
        adopt_challenger(experiment.pk, actor=world.planner, now=NOW)


def test_one_that_has_not_won_does_not(world: Any, skus: list[Sku]) -> None:
    experiment = running(world)

    with pytest.raises(Conflict, match="won"):
        adopt_challenger(experiment.pk, actor=world.planner, now=NOW)

    assert not Policy.objects.exists()
    assert experiment.starts_on == datetime(2026, 3, 2, tzinfo=UTC).date()
