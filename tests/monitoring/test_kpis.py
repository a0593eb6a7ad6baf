"""The figures of the dashboard, each by its definition, with exact numbers."""

from datetime import timedelta
from decimal import Decimal

from config.kernel.models import IdempotencyKey
from forecasting.models import DemandHistory
from forecasting.selectors import latest_run
from monitoring.models import KpiSnapshot
from monitoring.selectors import figures
from monitoring.selectors.demand import demand_and_forecast
from monitoring.selectors.past import figures_of_past_days
from monitoring.services.housekeeping import forget_idempotency_keys
from monitoring.services.kpis import backfill_kpis, record_kpis
from tests.cast import NOW, World
from tests.monitoring.forecasts import TODAY, expect, make_run
from tests.procurement.buying import make_proposal, sent_order
from tests.warehouses.selling import make_kit
from warehouses.models import SalesOrder
from warehouses.services.moves import change_status
from warehouses.services.sales import Sale, SaleLine, record_sale, ship_order
from warehouses.services.stock import Move, post_movements


def sell(world: World, number: str, units: int, *, days_ago: int, sku: str = "MUG") -> SalesOrder:
    when = NOW - timedelta(days=days_ago)
    line = SaleLine(sku_code=sku, quantity=Decimal(units), unit_price=Decimal("9.00"))
    order, _new = record_sale(Sale(channel_code="WEB", external_id=number, ordered_at=when, lines=(line,)), now=when)
    return order


def test_stock_value_is_what_is_on_hand_at_unit_cost(world: World) -> None:
    # 140 mugs and 20 lamps at 2.00 each
    assert figures.stock_value() == Decimal(320)


def test_fill_rate_counts_units_that_left_in_time_or_are_reserved(world: World) -> None:
    in_time, late = sell(world, "A", 10, days_ago=10), sell(world, "B", 20, days_ago=10)
    sell(world, "C", 30, days_ago=2)  # reserved, waits to be packed
    sell(world, "D", 25, days_ago=2, sku="LAMP")  # 20 lamps are there, 5 wait
    sell(world, "E", 40, days_ago=40)  # before the window
    ship_order(in_time.pk, key="a", now=NOW - timedelta(days=8))
    ship_order(late.pk, key="b", now=NOW - timedelta(days=6))

    rate = figures.fill_rate(now=NOW)

    assert (rate.asked, rate.served) == (Decimal(85), Decimal(60))
    assert rate.rate == 0.7059


def test_fill_rate_counts_of_a_kit_its_parts_and_not_the_kit_as_well(world: World) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    kits = sell(world, "K", 3, days_ago=5, sku="GIFT")
    ship_order(kits.pk, key="k", now=NOW - timedelta(days=4))

    rate = figures.fill_rate(now=NOW)

    assert (rate.asked, rate.served) == (Decimal(9), Decimal(9))


def test_stock_that_was_blocked_yesterday_was_no_stock_out_before(world: World) -> None:
    expect(make_run(), world.lamp, world.main, per_day=1)
    change_status(
        sku_id=world.lamp.pk,
        location_id=world.shelf.pk,
        quantity=Decimal(20),
        from_status="available",
        to_status="blocked",
        reason="water",
        key="B",
        now=NOW - timedelta(days=1),
    )

    past = figures_of_past_days(today=TODAY, days=3)

    assert [past[TODAY - timedelta(days=n)]["stockouts"] for n in (1, 2)] == [1, 0]


def test_fill_rate_of_no_orders_is_unknown_not_perfect(world: World) -> None:
    assert figures.fill_rate(now=NOW).rate is None


def test_stockouts_are_planned_places_with_nothing_available(world: World) -> None:
    run = make_run()
    for sku, warehouse in ((world.mug, world.main), (world.tea, world.main), (world.lamp, world.north)):
        expect(run, sku, warehouse, per_day=1)

    counted = figures.current_figures(now=NOW, today=TODAY)["stockouts"]

    assert counted == 2


def test_forecast_error_weighs_each_series_by_its_expected_demand(world: World) -> None:
    run = make_run(series=2)
    expect(run, world.mug, world.main, per_day=9, wape=0.2, bias=0.1)
    expect(run, world.lamp, world.main, per_day=1, wape=1.2, bias=-0.9)

    error = figures.forecast_error(latest_run())

    assert (error.wape, error.bias, error.series) == (0.3, 0.0, 2)


def test_days_on_hand_is_stock_over_the_cost_of_daily_demand(world: World) -> None:
    DemandHistory.objects.create(
        sku=world.mug, channel=world.web, warehouse=world.main, day=TODAY - timedelta(days=3), quantity=56, ordered=56
    )

    # 56 mugs at 2.00 in 28 days are 4.00 a day; 320.00 of stock lasts 80 days.
    assert figures.current_figures(now=NOW, today=TODAY)["days_on_hand"] == 80.0


def test_open_documents_are_counted_and_valued(world: World) -> None:
    make_proposal(world, world.mug, 50)
    sent_order(world, mugs=100).lines.update(received_quantity=Decimal(40), need_by=TODAY - timedelta(days=1))

    found = figures.current_figures(now=NOW, today=TODAY)

    assert (found["proposals"], found["proposals_value"]) == (1, {"GBP": "200.00"})
    assert found["on_order"] == 1
    assert found["on_order_value"] == {"GBP": "210.00"}  # 60 at the price from 100 on, 3.50
    assert (found["late_orders"], found["late_units"]) == (1, "60.000")


def test_an_hour_has_one_row_however_often_it_is_recorded(world: World) -> None:
    record_kpis(now=NOW)
    KpiSnapshot.objects.exclude(taken_at=NOW).delete()

    record_kpis(now=NOW + timedelta(minutes=40))

    assert list(KpiSnapshot.objects.values_list("taken_at", flat=True)) == [NOW]


def test_the_past_is_read_backwards_off_the_ledger(world: World) -> None:
    # The cast's stock (320.00) came 30 days ago; 10 mugs at 2.00 were broken yesterday.
    breakage = Move(
        kind="scrap", sku_id=world.mug.pk, location_id=world.shelf.pk, lot_id=None, quantity=Decimal(-10),
        idempotency_key="broken",
    )  # fmt: skip
    post_movements([breakage], happened_at=NOW - timedelta(days=1))

    assert backfill_kpis(now=NOW, days=31) == 31

    value = {s.taken_at.date(): Decimal(s.figures["stock_value"]) for s in KpiSnapshot.objects.all()}
    assert value[TODAY - timedelta(days=1)] == Decimal(300)
    assert value[TODAY - timedelta(days=2)] == Decimal(320)
    assert value[TODAY - timedelta(days=30)] == Decimal(320)
    assert value[TODAY - timedelta(days=31)] == Decimal(0)
    assert backfill_kpis(now=NOW, days=31) == 0


def test_weeks_show_demand_beside_the_forecast_made_before_them(world: World) -> None:
    last_week = TODAY - timedelta(days=7)
    DemandHistory.objects.create(
        sku=world.mug, channel=world.web, warehouse=world.main, day=last_week, quantity=12, ordered=12
    )
    expect(make_run(as_of=last_week - timedelta(days=1)), world.mug, world.main, per_day=2)
    expect(make_run(as_of=TODAY - timedelta(days=1)), world.mug, world.main, per_day=3)

    weeks = demand_and_forecast(today=TODAY)

    assert len(weeks) == 12
    assert (weeks[6].actual, weeks[6].expected) == (0.0, None)
    assert (weeks[7].monday, weeks[7].actual, weeks[7].expected) == (last_week, 12.0, 14.0)
    assert [week.expected for week in weeks[8:]] == [21.0] * 4


def test_remembered_answers_are_forgotten_after_two_days(world: World) -> None:
    keys = [
        IdempotencyKey.objects.create(caller=world.planner, route="r", key=key, fingerprint="f")
        for key in ("old", "new")
    ]
    IdempotencyKey.objects.filter(pk=keys[0].pk).update(created_at=NOW - timedelta(hours=49))
    IdempotencyKey.objects.filter(pk=keys[1].pk).update(created_at=NOW - timedelta(hours=47))

    assert forget_idempotency_keys(now=NOW) == 1
    assert IdempotencyKey.objects.get().key == "new"
