"""What-if: the plan's decisions under other assumptions, beside the plan's, and nothing live is touched."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.jobs import JobCancelled
from config.kernel.models import Job
from procurement.engine.replenishment_types import ReplenishmentInput
from procurement.models import Proposal, Scenario, ScenarioLine
from procurement.services import scenarios
from procurement.services.assumptions import assumed, clean_assumptions
from procurement.services.scenarios import compared, queue_scenario, run_scenario
from tests.cast import NOW, World
from tests.cast import world as world
from tests.forecasting.looking_ahead import expect
from tests.procurement.buying import make_run


def clock() -> Any:
    return NOW


@pytest.fixture
def planned(world: World) -> World:
    """Mugs are asked for at 10 a day at MAIN, lamps at 1."""
    run = make_run()
    type(run).objects.filter(pk=run.pk).update(is_complete=True, as_of=NOW.date() - timedelta(days=1))
    expect(run, world.mug, world.main, per_day=10)
    expect(run, world.lamp, world.main, per_day=1)
    return world


def worked_out(world: World, assumptions: dict[str, Any], **scope: Any) -> Scenario:
    scenario = queue_scenario(name="What if", assumptions=assumptions, actor=world.planner, scope=scope)
    run_scenario(scenario.job_id, clock=clock)  # type: ignore[arg-type]
    scenario.refresh_from_db()
    return scenario


def test_more_demand_orders_more_and_the_plan_stands_beside_it(planned: World) -> None:
    scenario = worked_out(planned, {"demand_factor": "2"})

    mugs = scenario.lines.get(sku=planned.mug)
    told = scenario.result or {}
    assert (told["lines"], told["refused"]) == (2, [])
    assert mugs.quantity > mugs.plan_quantity > 0
    assert told["scenario"]["units"] == float(sum(line.quantity for line in scenario.lines.all()))
    assert told["plan"]["units"] == float(sum(line.plan_quantity for line in scenario.lines.all()))
    assert told["scenario"]["expected_stock_value"] > told["plan"]["expected_stock_value"]
    assert Proposal.objects.count() == 0


def test_a_factor_of_one_changes_nothing(planned: World) -> None:
    scenario = worked_out(planned, {"demand_factor": 1, "lead_time_factor": 1})

    told = scenario.result or {}
    assert told["plan"] == told["scenario"]
    assert all(line.quantity == line.plan_quantity for line in scenario.lines.all())


def test_only_its_scope_is_worked_out(planned: World) -> None:
    none = worked_out(planned, {"demand_factor": 2}, supplier=planned.outsider)
    some = worked_out(planned, {"demand_factor": 2}, supplier=planned.northwind, warehouse=planned.main)

    assert (none.lines.count(), some.lines.count()) == (0, 2)


def test_a_longer_lead_time_brings_demand_in_proportion_and_spread_by_its_root() -> None:
    item = ReplenishmentInput(
        sku_key="A", mean_daily_demand=10, lead_time_days=9, review_days=1, protection_mean=100, protection_sd=20,
        protection_quantiles={0.9: 125.0}, service_level=0.95, unit_cost=4, lead_time_sd_days=2,
    )  # fmt: skip

    told = assumed(item, {"lead_time_factor": 4.3333333333333333, "cost_factor": 1.1, "lead_time_sd_factor": 0.5})

    assert (told.protection_days, told.protection_mean, told.protection_sd) == (
        pytest.approx(40),
        pytest.approx(400),
        pytest.approx(40),
    )
    assert told.protection_quantiles[0.9] == pytest.approx(450)
    assert (told.unit_cost, told.lead_time_sd_days) == (pytest.approx(4.4), 1)


def test_a_fill_rate_alone_becomes_the_aim() -> None:
    item = ReplenishmentInput(
        sku_key="A", mean_daily_demand=10, lead_time_days=9, review_days=1, protection_mean=100, service_level=0.95
    )

    assert assumed(item, {"fill_rate": 0.98}).target_kind == "fill_rate"
    assert assumed(item, {"fill_rate": 0.98, "target": "cycle_service_level"}).target_kind == "cycle_service_level"
    assert assumed(item, {"demand_factor": 2}).target_kind == "cycle_service_level"


def test_wrong_assumptions_are_all_refused_by_name() -> None:
    with pytest.raises(ValidationFailed) as refused:
        clean_assumptions({"demand_factor": "-1", "review_days": "1.5", "target": "cost", "mood": 1, "cost_factor": ""})

    assert [item["field"] for item in refused.value.items] == ["demand_factor", "review_days", "target", "mood"]


def test_a_scenario_needs_an_assumption_and_a_plan(world: World) -> None:
    with pytest.raises(ValidationFailed, match="at least one thing"):
        queue_scenario(name="x", assumptions={"demand_factor": ""}, actor=world.planner)
    with pytest.raises(NotFound, match="No plan has run"):
        queue_scenario(name="x", assumptions={"demand_factor": 2}, actor=world.planner)
    assert Job.objects.count() == 0


def test_one_that_is_cancelled_leaves_no_line_and_one_that_runs_again_none_twice(
    planned: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = queue_scenario(name="x", assumptions={"demand_factor": 2}, actor=planned.planner)

    def stopped(*args: Any, **kwargs: Any) -> None:
        raise JobCancelled

    with monkeypatch.context() as patched:
        patched.setattr(scenarios, "report_progress", stopped)
        run_scenario(scenario.job_id, clock=clock)  # type: ignore[arg-type]
    assert (ScenarioLine.objects.count(), Job.objects.get(pk=scenario.job_id).state) == (0, "cancelled")
    Job.objects.filter(pk=scenario.job_id).update(state="failed")
    for _time in range(2):
        run_scenario(scenario.job_id, clock=clock)  # type: ignore[arg-type]
    assert ScenarioLine.objects.count() == 2


def test_at_most_four_finished_ones_are_compared_in_the_order_asked_for(planned: World) -> None:
    made = [worked_out(planned, {"demand_factor": 1 + n}) for n in range(5)]
    waiting = queue_scenario(name="x", assumptions={"demand_factor": 2}, actor=planned.planner)

    found = compared([made[2].pk, waiting.pk, made[0].pk, made[4].pk, made[1].pk], actor=planned.viewer)

    assert [one.pk for one in found] == [made[2].pk, made[0].pk, made[4].pk]
    assert compared([made[0].pk], actor=planned.northwind_user) == []


def test_the_pages_make_compare_and_export_scenarios(planned: World) -> None:
    client = Client()
    client.force_login(planned.planner, backend="config.kernel.policy.RoleBackend")
    page = reverse("admin:procurement_scenario_new")

    wrong = client.post(page, {"name": "Twice", "demand_factor": "none"})
    client.post(page, {"name": "Twice", "demand_factor": "2", "supplier": str(planned.northwind.pk)})
    scenario = Scenario.objects.get()
    run_scenario(scenario.job_id, clock=clock)  # type: ignore[arg-type]
    pages = [
        client.get(f"{reverse('admin:procurement_scenario_compare')}?ids={scenario.pk}"),
        client.get(reverse("admin:procurement_scenario_change", args=[scenario.pk])),
        client.get(reverse("admin:procurement_scenarioline_changelist") + "?differs=more"),
        client.get(reverse("admin:procurement_scenarioline_export")),
    ]

    assert wrong.status_code == 200
    assert [one.status_code for one in pages] == [200] * 4
    assert all("MUG" in one.content.decode() for one in (pages[0], pages[2]))
    assert b"".join(pages[3].streaming_content).count(b"Twice") == 2


def test_a_viewer_compares_and_makes_none(planned: World, api: Any) -> None:
    scenario = worked_out(planned, {"demand_factor": 2})
    body = {"name": "x", "assumptions": {"demand_factor": 2}}

    assert api(planned.viewer).post("/api/v1/scenarios/", body).status_code == 403
    assert api(planned.viewer).get(f"/api/v1/scenarios/{scenario.pk}/").json()["result"]["lines"] == 2
    assert api(planned.planner).post("/api/v1/scenarios/", {**body, "assumptions": {"x": 1}}).status_code == 422
    assert api(planned.planner).post("/api/v1/scenarios/", body).status_code == 201
