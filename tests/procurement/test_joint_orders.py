"""A plan's quantities settled order by order: minimum value, container, budget, and what is told about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from procurement.engine.explanation import replay
from procurement.engine.replenishment import plan_item
from procurement.engine.replenishment_types import ReplenishmentInput
from procurement.models import BuyingBudget, JointOrder, SupplierItem
from procurement.services.aims import planned_items
from procurement.services.joint_orders import JointChange, settle_jointly
from tests.cast import make_supplier
from tests.monitoring.forecasts import make_run

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
Settle = Callable[..., dict[tuple[int, int], JointChange]]


@pytest.fixture
def settle(world: Any) -> Settle:
    """Ten mugs and two lamps a day are wanted at MAIN, and there is little of either."""

    run = make_run()

    def settled(**more: Any) -> dict[tuple[int, int], JointChange]:
        pairs = {(world.mug.pk, world.main.pk): 10.0, (world.lamp.pk, world.main.pk): 2.0}
        items = {pair: item for pair, item in planned_items().items() if pair in pairs}
        inputs = {pair: wanted(items[pair], demand, **more) for pair, demand in pairs.items()}
        results = {pair: plan_item(item) for pair, item in inputs.items()}
        return settle_jointly(run, items, inputs, results, now=NOW)

    return settled


def wanted(planned: Any, daily: float, **more: Any) -> ReplenishmentInput:
    usual = ReplenishmentInput(
        sku_key=planned.item.sku.code,
        mean_daily_demand=daily,
        lead_time_days=14.0,
        review_days=7.0,
        protection_mean=21 * daily,
        protection_sd=4 * daily,
        protection_quantiles={0.5: 21 * daily, 0.9: 26 * daily, 0.95: 28 * daily},
        service_level=0.95,
        on_hand=20 * daily,
        unit_cost=float(planned.item.unit_cost),
        holding_cost_rate_per_year=0.25,
        fixed_order_cost=20.0,
        lines_sharing_order=2.0,
        minimum_order_quantity=float(planned.item.minimum_order_quantity),
        pack_size=float(planned.item.pack_size),
    )
    return replace(usual, **more)


def test_an_order_without_shared_limits_is_left_as_it_was(world: Any, settle: Settle) -> None:
    assert settle() == {}
    assert not JointOrder.objects.exists()


def test_an_order_below_the_minimum_value_is_filled_up_and_the_terms_add_up(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value = 6000
    world.northwind.save()

    changes = settle()

    row = JointOrder.objects.get()
    costs = {"MUG": 4.0, "LAMP": 20.0}
    assert sum(line["after"] * costs[line["sku"]] for line in row.lines) >= 6000
    assert sum(line["before"] * costs[line["sku"]] for line in row.lines) < 6000
    assert row.status == JointOrder.Status.OPTIMAL
    assert [limit["name"] for limit in row.binding] == ["minimum_value"]
    for change in changes.values():
        assert change.terms[-1].code == "joint_quantity"
        assert change.terms[-1].value == change.quantity


def test_lines_that_stay_as_planned_know_their_joint_order_too(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value = 1
    world.northwind.save()

    changes = settle()

    row = JointOrder.objects.get()
    assert [line["after"] - line["before"] for line in row.lines] == [0.0, 0.0]
    assert {change.joint_order for change in changes.values()} == {row}
    assert [change.terms for change in changes.values()] == [(), ()]


@pytest.mark.parametrize("fixed_order_cost", [0.0, 4.0, 20.0])
def test_a_lot_at_a_price_break_stays_where_no_limit_binds(world: Any, settle: Settle, fixed_order_cost: float) -> None:
    """The lot of 200 is bought at 3.80; the price of 5,000, for which no lot is large enough, is no reason against."""
    world.northwind.minimum_order_value = 1
    world.northwind.save()

    settle(fixed_order_cost=fixed_order_cost, price_breaks=((200.0, 3.8), (5000.0, 3.0)), maximum_cover_days=90.0)

    row = JointOrder.objects.get()
    assert [line["after"] for line in row.lines] == [line["before"] for line in row.lines]
    assert max(line["before"] for line in row.lines) >= 200


def test_an_order_too_small_for_its_supplier_waits_where_a_shortage_costs_less(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value = 6000
    world.northwind.save()

    waited = settle(stockout_cost_per_unit=0.5)

    row = JointOrder.objects.get()
    assert [change.quantity for change in waited.values()] == [0.0, 0.0]
    assert [(limit["name"], limit["used"]) for limit in row.binding] == [("minimum_value", 0.0)]
    assert all(change.quantity > 0 for change in settle(stockout_cost_per_unit=900.0).values())


def test_the_fixed_cost_of_an_order_is_charged_once(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value, world.northwind.fixed_order_cost = 1, 20
    world.northwind.save()
    settle()
    before = JointOrder.objects.get().cost

    world.northwind.fixed_order_cost = 120
    world.northwind.save()
    settle()

    assert JointOrder.objects.get().cost - before == pytest.approx(100.0)


def test_whole_pallets_stay_whole_in_a_container(world: Any, settle: Settle) -> None:
    world.mug.volume_litres, world.lamp.volume_litres = 1, 12
    world.mug.save()
    world.lamp.save()
    world.northwind.container_litres = 900
    world.northwind.save()

    settle(pallet_size=20.0)

    (row,) = JointOrder.objects.all()
    pallets = [line["after"] / 20.0 for line in row.lines if line["before"] and line["before"] % 20.0 == 0.0]
    assert pallets
    assert [pallet % 1.0 for pallet in pallets] == [0.0] * len(pallets)


def test_a_budget_and_one_inside_it_are_both_kept_over_two_suppliers(world: Any, settle: Settle) -> None:
    soda = make_supplier("SODA")
    SupplierItem.objects.filter(sku=world.lamp).update(supplier=soda)
    days = {"starts_on": date(2026, 3, 1), "ends_on": date(2026, 3, 31)}
    BuyingBudget.objects.create(name="March", amount=900, **days)
    BuyingBudget.objects.create(name="Lamps", amount=400, supplier=soda, **days)

    changes = settle()

    spent = {pair[0]: change.quantity * change.unit_cost for pair, change in changes.items()}
    assert sum(spent.values()) <= 900
    assert spent[world.lamp.pk] <= 400
    assert spent[world.mug.pk] > 0
    assert JointOrder.objects.count() == 2


def test_room_in_a_warehouse_is_shared_by_the_suppliers_that_deliver_there(world: Any, settle: Settle) -> None:
    SupplierItem.objects.filter(sku=world.lamp).update(supplier=make_supplier("SODA"))
    world.main.capacity_units = 200
    world.main.save()

    changes = settle()

    assert 0 < sum(change.quantity for change in changes.values()) <= 80


def test_the_explanation_of_a_changed_line_can_be_calculated_again(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value = 6000
    world.northwind.save()
    changes = settle()

    result = plan_item(wanted(planned_items()[world.mug.pk, world.main.pk], 10.0))
    settled = changes[world.mug.pk, world.main.pk].applied_to(result)

    assert replay(settled.explanation) == settled.explanation
    assert settled.explanation[-1].value == settled.order_quantity


def test_a_budget_that_is_too_small_is_kept_and_says_how_much_is_missing(world: Any, settle: Settle) -> None:
    BuyingBudget.objects.create(name="March", starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 31), amount=200)

    changes = settle()

    row = JointOrder.objects.get()
    spent = sum(change.quantity * change.unit_cost for change in changes.values())
    assert 0 < spent <= 200
    assert row.budget.name == "March"
    assert row.status == JointOrder.Status.FEASIBLE
    (missing,) = row.relaxations
    assert (missing["name"], missing["limit"]) == ("budget of March", 200.0)
    assert missing["relax_by"] == missing["needed"] - 200.0 > 0


def test_a_budget_of_another_currency_or_another_month_concerns_nobody(world: Any, settle: Settle) -> None:
    BuyingBudget.objects.create(
        name="Euro", starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 31), amount=1, currency="EUR"
    )
    BuyingBudget.objects.create(name="April", starts_on=date(2026, 4, 1), ends_on=date(2026, 4, 30), amount=1)

    assert settle() == {}


def test_an_order_fits_into_its_container(world: Any, settle: Settle) -> None:
    world.mug.volume_litres, world.lamp.volume_litres = 1, 12
    world.mug.save()
    world.lamp.save()
    world.northwind.container_litres = 900
    world.northwind.save()

    settle()

    (row,) = JointOrder.objects.all()
    litres = {"MUG": 1.0, "LAMP": 12.0}
    assert sum(line["before"] * litres[line["sku"]] for line in row.lines) > 900
    assert 0 < sum(line["after"] * litres[line["sku"]] for line in row.lines) <= 900


def test_a_full_warehouse_takes_no_more_than_it_has_room_for(world: Any, settle: Settle) -> None:
    world.main.capacity_units = 200
    world.main.save()

    changes = settle()

    assert sum(change.quantity for change in changes.values()) <= 80  # 100 mugs and 20 lamps are there


def test_settling_twice_leaves_one_row_and_asks_no_more_queries(world: Any, settle: Settle) -> None:
    world.northwind.minimum_order_value = 6000
    world.northwind.save()
    settle()

    with CaptureQueriesContext(connection) as first:
        before = {pair: change.quantity for pair, change in settle().items()}
    with CaptureQueriesContext(connection) as second:
        after = {pair: change.quantity for pair, change in settle().items()}

    assert after == before
    assert JointOrder.objects.count() == 1
    assert len(second) == len(first)
