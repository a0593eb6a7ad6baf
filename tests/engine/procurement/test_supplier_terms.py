"""What the supplier sells and the goods allow: pallets, the most of an order, shelf life, discounts, whole lots."""

from dataclasses import replace

import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.explanation import replay
from procurement.engine.replenishment import ReplenishmentInput, plan_item

QUANTILES = {0.5: 100.0, 0.8: 125.0, 0.9: 138.0, 0.95: 149.0, 0.99: 170.0}
MUG = ReplenishmentInput(
    sku_key="MUG", mean_daily_demand=10, lead_time_days=9, review_days=1, protection_mean=100, protection_sd=30,
    protection_quantiles=QUANTILES, service_level=0.95, on_hand=60, unit_cost=4, holding_cost_rate_per_year=0.25,
    fixed_order_cost=50,
)  # fmt: skip


def term(result, code):
    (found,) = [entry for entry in result.explanation if entry.code == code]
    return found.value


def purchase_cost(item, quantity):
    """What the units cost, counted one by one from the price list."""
    steps = [(0.0, item.unit_cost), *sorted(item.price_breaks)]
    if not item.incremental:
        return quantity * [cost for start, cost in steps if start <= quantity][-1]
    return sum([cost for start, cost in steps if start < unit][-1] for unit in range(1, int(quantity) + 1))


def lot_cost(item, result, quantity):
    """A lot beyond the long-run average: order, units, holding until the position is at s again."""
    purchase, rate, demand = purchase_cost(item, quantity), item.holding_cost_rate_per_year / 365, 10
    lot = result.inventory_position + quantity - result.reorder_point + term(result, "expected_undershoot")
    held = rate * purchase / quantity * lot * lot / (2 * demand)
    units = purchase - term(result, "economic_unit_cost") * quantity
    return round(50 + units + held - term(result, "average_cost_per_day") * lot / demand, 9)


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("on_hand", [0, 30, 90, 140])
@pytest.mark.parametrize(
    "terms",
    [{}, {"pack_size": 12, "pallet_size": 144}, {"order_maximum": 500, "minimum_order_quantity": 100},
     {"shelf_life_days": 40, "pack_size": 7}, {"order_maximum": 1500, "pallet_size": 60, "shelf_life_days": 90}],
)  # fmt: skip
def test_the_cheapest_feasible_quantity_is_found_against_counting_out(terms, on_hand, incremental):
    item = replace(MUG, on_hand=on_hand, incremental=incremental, price_breaks=((300, 3.9), (1200, 3.8)), **terms)

    result = plan_item(item)

    step, room = int(item.order_step), item.order_maximum or 3000
    if item.shelf_life_days:
        room = min(room, 10 * item.shelf_life_days - max(0, on_hand - 90))
    feasible = [
        q for q in range(step, int(room) + 1, step)
        if q >= item.minimum_order_quantity and on_hand + q >= result.reorder_point
    ]  # fmt: skip
    assert result.order_quantity == min(feasible, key=lambda q: (lot_cost(item, result, q), q))
    assert result.unit_cost == pytest.approx(purchase_cost(item, result.order_quantity) / result.order_quantity)
    assert replay(result.explanation) == result.explanation


def test_an_incremental_discount_lowers_the_price_of_the_units_above_the_break_only():
    book = replace(
        MUG, mean_daily_demand=1300 / 365, fixed_order_cost=8, holding_cost_rate_per_year=0.3, unit_cost=0.75,
        price_breaks=((400, 0.72), (800, 0.68)), maximum_cover_days=3650,
    )  # fmt: skip

    all_units, above = plan_item(book), plan_item(replace(book, incremental=True))

    assert all_units.economic_order_quantity == 800  # Snyder & Shen, example 3.5
    assert above.economic_order_quantity == pytest.approx(304.0468)  # example 3.6: √(2·8·1 300/(0.3·0.75))


def test_an_incremental_break_that_pays_raises_the_lot_as_if_ordering_were_dearer():
    item = replace(MUG, incremental=True, price_breaks=((100, 3.5),))

    result = plan_item(item)

    assert term(result, "dearer_units_cost") == 50  # 100 units at 0.50 more
    assert result.economic_order_quantity == pytest.approx((2 * (50 + 50) * 10 / (0.25 * 3.5 / 365)) ** 0.5)
    assert result.unit_cost == pytest.approx(3.5 + 50 / result.order_quantity)


def test_goods_sold_by_the_pallet_come_in_whole_pallets():
    result = plan_item(replace(MUG, pack_size=12, pallet_size=144))

    assert result.order_quantity == 720  # five; 684 would be wanted
    assert term(result, "pallet_size") == 144


def test_the_suppliers_most_is_never_passed_and_the_planner_is_told_when_it_is_not_enough():
    enough = plan_item(replace(MUG, order_maximum=200))
    short = plan_item(replace(MUG, order_maximum=50))
    nothing = plan_item(replace(MUG, order_maximum=50, pack_size=60))

    assert (enough.order_quantity, enough.warnings) == (200, ())
    assert enough.economic_order_quantity == 200
    assert (short.order_quantity, short.warnings) == (50, ("order_maximum_below_need",))
    assert (nothing.order_quantity, nothing.warnings) == (0, ("no_feasible_quantity", "order_maximum_below_need"))


def test_no_lot_outlives_its_shelf_life():
    plenty = plan_item(replace(MUG, shelf_life_days=20))
    fresh = plan_item(replace(MUG, shelf_life_days=5))
    waiting = plan_item(replace(MUG, shelf_life_days=2, on_hand=110))

    assert plenty.economic_order_quantity == 200  # 20 days of 10
    assert plenty.order_quantity <= 200
    assert (fresh.order_quantity, fresh.warnings) == (50, ("shelf_life_below_need",))
    assert waiting.order_quantity == 0  # 20 are left when it arrives: nothing more would sell in two days
    assert waiting.warnings == ("no_feasible_quantity", "shelf_life_below_need")


def test_a_shelf_life_without_demand_still_covers_who_waits():
    dead = replace(MUG, mean_daily_demand=0, protection_mean=0, protection_sd=0, shelf_life_days=30,
                   protection_quantiles={0.5: 0.0, 0.99: 0.0}, on_hand=0, backordered=5)  # fmt: skip

    assert plan_item(dead).order_quantity == 5


@pytest.mark.parametrize(
    ("change", "parameter"),
    [({"pallet_size": 100, "pack_size": 12}, "pallet_size"), ({"pallet_size": 6, "pack_size": 12}, "pallet_size"),
     ({"order_maximum": 10, "minimum_order_quantity": 20}, "order_maximum"),
     ({"shelf_life_days": 0.0}, "shelf_life_days")],
)  # fmt: skip
def test_terms_that_contradict_each_other_are_named(change, parameter):
    with pytest.raises(ParameterError) as caught:
        plan_item(replace(MUG, **change))

    assert caught.value.parameter == parameter


def test_the_fixed_lot_asked_for_is_ordered_in_whole_lots_and_not_compared():
    lots = {on_hand: plan_item(replace(MUG, model="fixed_lot", fixed_order_cost=1, on_hand=on_hand))
            for on_hand in (148, 64, 63, 0)}  # fmt: skip

    lot = term(lots[0], "fixed_lot")
    assert lot == 86  # √(2·1·10/(0.25·4/365)) = 85.4
    assert {on_hand: result.order_quantity for on_hand, result in lots.items()} == {148: 86, 64: 86, 63: 86, 0: 172}
    assert all(result.reorder_point <= on_hand + result.order_quantity < result.reorder_point + lot
               for on_hand, result in lots.items())  # fmt: skip
    assert all(replay(result.explanation) == result.explanation for result in lots.values())


def test_whole_lots_keep_within_the_maximum_stock():
    item = replace(MUG, model="fixed_lot", fixed_order_cost=1, on_hand=0)

    assert plan_item(replace(item, maximum_stock=120)).order_quantity == 86
    assert plan_item(replace(item, maximum_stock=120)).warnings == ("maximum_below_reorder_point",)
    assert plan_item(replace(item, maximum_stock=80)).warnings == ("no_feasible_quantity",)


def test_rounding_never_doubles_a_slow_movers_stock_without_a_cost_test():
    slow = replace(
        MUG, mean_daily_demand=0.02, protection_mean=0.2, protection_sd=0.45, fixed_order_cost=0, on_hand=0,
        protection_quantiles={0.5: 0.0, 0.8: 0.0, 0.9: 1.0, 0.95: 1.0, 0.99: 2.0}, minimum_order_quantity=50,
    )  # fmt: skip

    asked = plan_item(slow)
    cheap, dear = (plan_item(replace(slow, stockout_cost_per_unit=cost)) for cost in (1.0, 10_000.0))

    assert "minimum_exceeds_need" in asked.warnings
    assert term(asked, "break_even_stockout_cost") > 100  # seven years of stock for a shortage of a fifth of a unit
    assert (cheap.order_quantity, dear.order_quantity) == (0, 50)
