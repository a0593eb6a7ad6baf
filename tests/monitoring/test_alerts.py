"""An alert opens when something is wrong, stays one while it lasts, and is resolved when it is gone."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, NotFound
from config.kernel.models import Job
from forecasting.models import ForecastDrift
from monitoring.models import Alert
from monitoring.selectors.risks import days_of_cover, stockout_risks
from monitoring.services.alerts import AlertCounts, acknowledge_alert, evaluate_alerts
from procurement.models import PurchaseOrderLine
from tests.cast import NOW, World, put_stock
from tests.monitoring.forecasts import TODAY, expect, make_run
from tests.procurement.buying import sent_order
from warehouses.models import StockDrift, Transfer
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer, ship_transfer


def opened() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(resolved_at=None).order_by("kind", "subject").values_list("kind", "severity"))


@pytest.mark.parametrize(
    ("available", "expected", "days"),
    [
        (12, [5, 5, 5], 2.4),
        (15, [5, 5, 5], 3.0),
        (16, [5, 5, 5], None),
        (0, [0, 5], 0.0),
        (-3, [1], 0.0),
        (4, [0, 0, 8], 2.5),
        (1, [0, 0, 0], None),
    ],
)
def test_cover_is_the_day_and_the_share_of_it_that_the_units_last_for(
    available: float, expected: list[float], days: float | None
) -> None:
    assert days_of_cover(available, expected) == days


def test_a_sku_that_runs_out_within_its_lead_time_opens_one_alert(world: World) -> None:
    # 20 lamps, 2 a day: gone after 10 days; Northwind needs 14.
    expect(make_run(), world.lamp, world.main, per_day=2)

    counts = evaluate_alerts(now=NOW)

    assert (counts.opened, counts.refreshed, counts.resolved) == (1, 0, 0)
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, alert.opened_at) == ("stockout_risk", "warning", NOW)
    assert alert.subject == f"sku:{world.lamp.pk}:warehouse:{world.main.pk}"
    assert alert.message == (
        "LAMP in Leeds runs out on 2026-03-12 (10 days of cover). Nothing is on order; a new order takes 14 days."
    )
    assert alert.facts["days_of_cover"] == 10.0
    assert alert.facts["next_arrival"] is None
    assert alert.link == f"/admin/catalog/sku/{world.lamp.pk}/change/"


def test_stock_that_lasts_as_long_as_a_new_order_takes_is_no_risk(world: World) -> None:
    expect(make_run(), world.mug, world.main, per_day=7)  # 100 mugs last 14.3 days

    assert evaluate_alerts(now=NOW) == AlertCounts()


def test_a_delivery_in_time_is_no_risk_but_one_that_comes_too_late_is(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=2)
    line = sent_order(world, mugs=0, lamps=40).lines.get()
    PurchaseOrderLine.objects.filter(pk=line.pk).update(promised_on=TODAY + timedelta(days=10))

    assert evaluate_alerts(now=NOW).opened == 0

    PurchaseOrderLine.objects.filter(pk=line.pk).update(promised_on=TODAY + timedelta(days=11))
    assert evaluate_alerts(now=NOW).opened == 1
    assert Alert.objects.get().facts["next_arrival"] == "2026-03-13"


def test_a_transfer_under_way_helps_like_a_delivery_but_not_when_late_or_undated(world: World) -> None:
    expect(make_run(), world.mug, world.north, per_day=4)  # 40 mugs last ten days
    items = [TransferItem("MUG", Decimal(30))]
    transfer, _new = create_transfer(items, source_code="MAIN", destination_code="NORTH", key="T", now=NOW)
    reserve_transfer(transfer.pk, now=NOW)
    ship_transfer(transfer.pk, key="S", now=NOW)

    def helped_on(day: date | None) -> list[date | None]:
        Transfer.objects.update(expected_on=day)
        return [risk.next_arrival for risk in stockout_risks(today=TODAY)]

    assert helped_on(TODAY + timedelta(days=10)) == []
    assert helped_on(TODAY + timedelta(days=11)) == [TODAY + timedelta(days=11)]
    assert helped_on(TODAY - timedelta(days=1)) == helped_on(None) == [None]


def test_nothing_available_is_critical(world: World) -> None:
    expect(make_run(), world.tea, world.main, per_day=1)

    evaluate_alerts(now=NOW)

    alert = Alert.objects.get()
    assert alert.severity == "critical"
    assert alert.message == "TEA is out of stock in Leeds. Nothing is on order; a new order takes 14 days."


def test_a_discontinued_sku_may_run_out_in_peace(world: World) -> None:
    expect(make_run(), world.tea, world.main, per_day=1)
    world.tea.status = "discontinued"
    world.tea.save()

    assert evaluate_alerts(now=NOW).opened == 0


def test_the_days_since_the_forecast_are_not_counted_again(world: World) -> None:
    # Made ten days ago: 5 a day for nine days that are over, then 1 a day. 20 lamps last 20 days from today on.
    expect(make_run(as_of=TODAY - timedelta(days=10)), world.lamp, world.main, per_day=1, mean=[5.0] * 9 + [1.0] * 51)

    assert evaluate_alerts(now=NOW).opened == 0


def test_evaluating_again_refreshes_and_opens_nothing_twice(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=2)
    evaluate_alerts(now=NOW)
    later = NOW + timedelta(minutes=5)

    counts = evaluate_alerts(now=later)

    assert (counts.opened, counts.refreshed, counts.resolved) == (0, 1, 0)
    alert = Alert.objects.get()
    assert (alert.opened_at, alert.last_seen_at, alert.resolved_at) == (NOW, later, None)


def test_it_is_resolved_when_stock_comes_and_opens_anew_when_it_goes(world: World) -> None:
    run = make_run()
    forecast = expect(run, world.lamp, world.main, per_day=2)
    evaluate_alerts(now=NOW)
    put_stock(world.lamp, world.shelf, 100)
    later = NOW + timedelta(minutes=5)

    assert evaluate_alerts(now=later).resolved == 1
    assert Alert.objects.get().resolved_at == later

    forecast.mean = [20.0] * 60
    forecast.save()
    evaluate_alerts(now=later + timedelta(minutes=5))
    assert Alert.objects.count() == 2
    assert opened() == [("stockout_risk", "warning")]


def test_a_late_order_is_a_warning_and_after_a_week_critical(world: World) -> None:
    order = sent_order(world, mugs=100)
    order.lines.update(need_by=TODAY)
    assert evaluate_alerts(now=NOW).opened == 0  # due today is not late

    order.lines.update(need_by=TODAY - timedelta(days=1))
    evaluate_alerts(now=NOW)
    assert opened() == [("late_purchase_order", "warning")]
    assert Alert.objects.get().message == f"{order.number} from Northwind is 1 day late: 100 units are missing."

    order.lines.update(need_by=TODAY - timedelta(days=8))
    evaluate_alerts(now=NOW)
    assert opened() == [("late_purchase_order", "critical")]

    order.lines.update(received_quantity=Decimal(100))
    assert evaluate_alerts(now=NOW + timedelta(minutes=5)).resolved == 1


def test_the_promise_of_the_supplier_counts_not_the_wish(world: World) -> None:
    order = sent_order(world, mugs=100)
    order.lines.update(need_by=TODAY - timedelta(days=5), promised_on=TODAY + timedelta(days=2))

    assert evaluate_alerts(now=NOW).opened == 0


def test_a_failed_job_alerts_until_the_next_one_of_its_kind_goes_well(world: World) -> None:
    Job.objects.create(kind="plan", state=Job.State.FAILED, error="No disk.", finished_at=NOW - timedelta(hours=1))
    evaluate_alerts(now=NOW)
    assert Alert.objects.get().message == "The job “plan” failed: No disk."

    Job.objects.create(kind="plan", state=Job.State.DONE, finished_at=NOW)
    assert evaluate_alerts(now=NOW + timedelta(minutes=5)).resolved == 1


def test_an_open_drift_of_the_stock_is_critical(world: World) -> None:
    StockDrift.objects.create(
        kind="level",
        subject="level:1",
        facts={"sku": "MUG", "location": "MAIN/A-01", "figures": {"on_hand": "99", "ledger_quantity": "100"}},
        found_at=NOW,
        last_seen_at=NOW,
    )

    evaluate_alerts(now=NOW)

    assert opened() == [("ledger_drift", "critical")]
    assert Alert.objects.get().message == "MUG · MAIN/A-01: On hand 99, In the ledger 100"


def test_the_first_to_acknowledge_stays_named(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=2)
    evaluate_alerts(now=NOW)
    alert = Alert.objects.get()

    acknowledge_alert(alert.pk, actor=world.planner, now=NOW)
    acknowledge_alert(alert.pk, actor=world.clerk, now=NOW + timedelta(hours=1))

    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (world.planner, NOW)


def test_a_resolved_or_unknown_alert_cannot_be_acknowledged(world: World) -> None:
    alert = Alert.objects.create(
        kind="failed_job", severity="critical", subject="job:x", message="x", opened_at=NOW, last_seen_at=NOW,
        resolved_at=NOW,
    )  # fmt: skip

    with pytest.raises(Conflict):
        acknowledge_alert(alert.pk, actor=world.planner, now=NOW)
    with pytest.raises(NotFound):
        acknowledge_alert(alert.pk + 1, actor=world.planner, now=NOW)
    assert date(2026, 3, 2) == TODAY


def test_a_forecast_that_drifted_is_told_once_whatever_its_kinds_and_until_it_is_learnt_anew(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.north, per_day=0, value_class="A")
    for sku, warehouse, kind, measure in (
        (world.mug, world.north, "bias", 0.9),
        (world.mug, world.north, "coverage", 0.25),
        (world.lamp, world.main, "error", 2.5),
    ):
        ForecastDrift.objects.create(
            sku=sku, warehouse=warehouse, kind=kind, measure=measure, limit=0.6, found_on=TODAY
        )

    assert evaluate_alerts(now=NOW).opened == 2

    lamp, mug = Alert.objects.order_by("message")
    assert (mug.kind, mug.severity, mug.link) == (
        "forecast_drift",
        "critical",
        f"/admin/catalog/sku/{world.mug.pk}/change/",
    )
    assert mug.message == (
        "The forecast of MUG in Glasgow has drifted: it errs to one side (90% of its errors); "
        "demand is above its upper quantile on 25% of the days."
    )
    assert lamp.severity == "warning"
    assert lamp.message == "The forecast of LAMP in Leeds has drifted: it errs 2.5 times as much as in its backtest."
    ForecastDrift.objects.update(state="refitted")
    assert evaluate_alerts(now=NOW + timedelta(minutes=5)).resolved == 2
