"""The planning run: what it saves, that a second one writes nothing new, that a broken one goes on where it stopped."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from catalog.models import Category, Channel
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.jobs import JobBusy, fail_abandoned_jobs, request_cancel, start_job
from config.kernel.models import Job
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.selectors import latest_run
from forecasting.services import runs
from forecasting.services.drift import queue_refit
from procurement.models import Policy, Proposal
from procurement.services import planning
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals
from procurement.services.planning import PlanOutcome, queue_plan, run_plan
from procurement.tasks import run_nightly_plan
from tests.cast import make_lot, put_stock
from tests.procurement.planning_world import keep_apart, sell_daily

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
YESTERDAY = date(2026, 3, 1)
TEN_A_DAY = [10] * 120


def clock() -> datetime:
    return NOW


def plan(**options: Any) -> PlanOutcome:
    outcome = run_plan(queue_plan(**options).pk, clock=clock)
    assert outcome is not None
    return outcome


def row_versions() -> list[tuple[int, str]]:
    """Every demand row with the transaction that wrote it last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text FROM forecasting_demandhistory ORDER BY id")
        return list(cursor.fetchall())


@pytest.fixture
def selling(world: Any) -> Any:
    """Ten mugs a day from MAIN for 120 days; Northwind delivers in 14 days, orders are reviewed every 7."""
    sell_daily(world.mug, world.web, world.main, quantities=TEN_A_DAY, until=YESTERDAY)
    keep_apart(world.mug, world.north)
    return world


def test_a_plan_saves_forecasts_with_method_reason_and_error(selling: Any) -> None:
    outcome = plan()

    forecast = Forecast.objects.get(sku=selling.mug, warehouse=selling.main)
    assert outcome.as_of == "2026-03-01"
    assert forecast.protection_days == 21
    assert forecast.protection_mean == pytest.approx(210, rel=0.02)
    assert forecast.method
    assert forecast.reason
    assert len(forecast.mean) == 63
    assert [len(level) for level in forecast.quantiles] == [63] * 5
    assert ForecastRun.objects.get().is_complete


def test_what_is_below_its_reorder_point_becomes_a_proposal_that_explains_itself(selling: Any) -> None:
    outcome = plan()

    proposal = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)
    terms = {term["code"]: term for term in proposal.explanation}
    assert outcome.proposals_new == Proposal.objects.count()
    assert terms["on_hand"]["value"] == 100.0
    assert terms["inventory_position"]["formula"] == "on_hand - reserved - backordered + on_order + in_draft"
    assert proposal.reorder_point >= Decimal(205)
    assert proposal.quantity >= proposal.reorder_point - 100
    assert proposal.quantity % 5 == 0
    assert proposal.need_by == date(2026, 3, 16)


def test_planning_twice_writes_nothing_new(selling: Any) -> None:
    plan()
    before = (DemandHistory.objects.count(), Forecast.objects.count(), Proposal.objects.count())
    versions = row_versions()

    outcome = plan()

    assert outcome.nothing_new
    assert (DemandHistory.objects.count(), Forecast.objects.count(), Proposal.objects.count()) == before
    assert ForecastRun.objects.count() == 1
    assert row_versions() == versions


def test_a_refit_learns_anew_at_its_most_thorough_though_nothing_is_new(
    selling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan()
    learnt: list[str] = []
    monkeypatch.setattr(runs, "learn", lambda _panel, *, run: learnt.append(run.mode) or b"")
    monkeypatch.setattr(planning, "reopen_chunks", lambda _run: None)
    job = queue_refit([(selling.mug.pk, selling.main.pk)], now=NOW)
    assert job is not None
    start_job(job.pk, now=NOW)

    run, is_known = planning._prepare(job.pk, clock)

    assert (learnt, run.mode, is_known) == (["full"], "full", False)


def test_the_first_plan_finds_one_off_orders_in_all_of_the_past_and_later_ones_in_the_last_weeks(
    selling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[tuple[date, date]] = []
    monkeypatch.setattr(planning, "find_bulk_orders", lambda *, first, until: looked.append((first, until)))

    plan()
    plan(force=True)

    assert looked == [(date(2025, 11, 2), YESTERDAY), (date(2025, 12, 31), YESTERDAY)]


def test_an_accepted_proposal_counts_as_supply_and_is_not_proposed_again(selling: Any) -> None:
    plan()
    proposal = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)
    accept_proposals([Decision(proposal.pk)], actor=selling.planner, now=NOW)

    outcome = plan()

    assert outcome.proposals_new == 0
    assert not Proposal.objects.filter(sku=selling.mug, warehouse=selling.main, status="open").exists()


def test_a_dismissed_proposal_keeps_quiet_until_the_next_review(selling: Any) -> None:
    plan()
    proposal = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)
    dismiss_proposals([proposal.pk], actor=selling.planner, now=NOW, note="trying without")

    tomorrow = run_plan(queue_plan().pk, clock=lambda: NOW + timedelta(days=1))
    next_week = run_plan(queue_plan().pk, clock=lambda: NOW + timedelta(days=7))

    assert tomorrow is not None
    assert next_week is not None
    assert (tomorrow.proposals_new, next_week.proposals_new) == (0, 1)
    assert Proposal.objects.get(sku=selling.mug, warehouse=selling.main, status="open").need_by == date(2026, 3, 23)


def test_a_standing_proposal_gets_todays_dates(selling: Any) -> None:
    plan()
    first = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)

    outcome = run_plan(queue_plan().pk, clock=lambda: NOW + timedelta(days=3))

    second = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)
    assert outcome is not None
    assert (outcome.proposals_new, outcome.nothing_new) == (0, False)
    assert (first.pk, first.need_by) == (second.pk, date(2026, 3, 16))
    assert second.need_by == date(2026, 3, 19)


def test_a_proposal_no_longer_needed_is_withdrawn(selling: Any) -> None:
    plan()
    put_stock(selling.mug, selling.shelf, 5000)

    outcome = plan()

    assert outcome.proposals_withdrawn == 1
    assert Proposal.objects.get(sku=selling.mug, warehouse=selling.main).status == "superseded"


def test_a_changed_need_replaces_the_open_proposal(selling: Any) -> None:
    plan()
    first = Proposal.objects.get(sku=selling.mug, warehouse=selling.main)
    put_stock(selling.mug, selling.shelf, 50)

    plan()

    first.refresh_from_db()
    second = Proposal.objects.get(sku=selling.mug, warehouse=selling.main, status="open")
    assert first.status == "superseded"
    assert second.inventory_position == first.inventory_position + 50


def test_the_narrowest_policy_sets_the_service_level(selling: Any) -> None:
    sell_daily(selling.mug, selling.market, selling.north, quantities=[3, 0, 9, 1] * 30, until=YESTERDAY)
    Policy.objects.create(name="all", service_level=Decimal("0.80"))
    Policy.objects.create(name="mugs", sku=selling.mug, service_level=Decimal("0.90"))
    Policy.objects.create(name="mugs, north", sku=selling.mug, warehouse=selling.north, service_level=Decimal("0.99"))

    plan()

    levels = {
        p.warehouse.code: next(t["value"] for t in p.explanation if t["code"] == "service_level")
        for p in Proposal.objects.filter(sku=selling.mug).select_related("warehouse")
    }
    assert levels == {"MAIN": 0.9, "NORTH": 0.99}


def test_what_has_no_supplier_is_forecast_but_not_proposed(selling: Any) -> None:
    selling.mug.supplier_items.update(is_active=False)

    outcome = plan()

    assert (outcome.series, outcome.without_supplier, outcome.proposals_new) == (outcome.series, 1, 0) or (
        outcome.without_supplier >= 1
    )
    assert Forecast.objects.filter(sku=selling.mug, warehouse=selling.main).exists()
    assert not Proposal.objects.filter(sku=selling.mug).exists()


def test_without_any_sales_there_is_nothing_to_plan(world: Any) -> None:
    outcome = plan()

    assert (outcome.run_id, outcome.series, outcome.nothing_new) == (None, 0, True)


def test_a_look_back_keeps_its_forecasts_and_leaves_proposals_and_the_run_in_force_alone(selling: Any) -> None:
    plan()
    proposals = list(Proposal.objects.values_list("pk", "status"))

    outcome = plan(as_of=date(2026, 2, 1))

    assert (outcome.as_of, outcome.is_look_back) == ("2026-02-01", True)
    assert Forecast.objects.filter(run__as_of=date(2026, 2, 1), sku=selling.mug, warehouse=selling.main).exists()
    assert list(Proposal.objects.values_list("pk", "status")) == proposals
    assert latest_run() == ForecastRun.objects.get(as_of=YESTERDAY)
    assert plan().nothing_new


@pytest.mark.parametrize("day", [date(2099, 1, 1), date(1990, 1, 1), date(2026, 3, 2)])
def test_a_day_without_sales_behind_it_cannot_be_planned(selling: Any, day: date) -> None:
    plan()

    with pytest.raises(ValidationFailed):
        plan(as_of=day)

    assert Proposal.objects.filter(status="open").count() == 1


def test_on_its_first_day_a_company_has_nothing_to_plan_yet(world: Any) -> None:
    sell_daily(world.mug, world.web, world.main, quantities=[4], until=NOW.date())

    outcome = plan()

    assert (outcome.run_id, outcome.series) == (None, 0)


def test_a_day_is_over_when_it_is_over_in_every_channel(selling: Any) -> None:
    """At 2:30 UTC on 2 March it is still 1 March in Los Angeles."""
    Channel.objects.filter(pk=selling.market.pk).update(time_zone="America/Los_Angeles")

    outcome = plan()

    assert outcome.as_of == "2026-02-28"


def test_stock_of_an_expired_lot_is_no_supply(selling: Any) -> None:
    lot = make_lot(selling.mug, "OLD", expires_on=date(2026, 1, 1))
    put_stock(selling.mug, selling.shelf, 5000, lot=lot)

    plan()

    assert Proposal.objects.get(sku=selling.mug, warehouse=selling.main).inventory_position == 100


def test_a_policy_of_a_parent_category_reaches_what_is_below_it(selling: Any) -> None:
    home = Category.objects.get(code="HOME")
    parent = Category.objects.create(code="ALL", name="All")
    Category.objects.filter(pk=home.pk).update(parent=parent)
    Policy.objects.create(name="all", category=parent, service_level=Decimal("0.80"))

    plan()

    [term] = [t for t in Proposal.objects.get(sku=selling.mug).explanation if t["code"] == "service_level"]
    assert term["value"] == 0.8


def test_the_night_has_one_plan_however_many_beats_ask(selling: Any) -> None:
    first, second = run_nightly_plan(), run_nightly_plan()

    assert first == second
    assert Job.objects.count() == 1


def test_a_plan_another_worker_is_at_is_left_alone(selling: Any) -> None:
    job = queue_plan()
    start_job(job.pk, now=NOW)

    with pytest.raises(JobBusy):
        run_plan(job.pk, clock=clock)

    assert Forecast.objects.count() == 0


def test_a_finished_plan_is_not_done_again(selling: Any) -> None:
    job = queue_plan()
    run_plan(job.pk, clock=clock)

    assert run_plan(job.pk, clock=clock) is None
    assert ForecastRun.objects.count() == 1


def test_a_plan_without_a_sign_of_life_is_failed_and_can_be_resumed(selling: Any) -> None:
    job = queue_plan()
    start_job(job.pk, now=NOW)

    failed = fail_abandoned_jobs(now=NOW + timedelta(minutes=3))
    outcome = run_plan(job.pk, clock=clock)

    job.refresh_from_db()
    assert failed == 1
    assert outcome is not None
    assert job.state == Job.State.DONE


def test_an_error_marks_the_plan_failed_with_the_reason(selling: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from procurement.services import planning

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(planning, "propose_reorders", broken)
    job = queue_plan()

    with pytest.raises(RuntimeError):
        run_plan(job.pk, clock=clock)

    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "RuntimeError: the disk is full")
    assert Proposal.objects.count() == 0


def test_a_cancelled_plan_stops_and_says_so(selling: Any) -> None:
    job = queue_plan()
    request_cancel(job.pk, now=NOW)

    assert run_plan(job.pk, clock=clock) is None

    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    with pytest.raises(Conflict):
        request_cancel(job.pk, now=NOW)
