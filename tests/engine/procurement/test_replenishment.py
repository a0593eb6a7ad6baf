"""The planning run's decision: what each rule of the house says, with its number, and properties for all inputs."""

import math
from dataclasses import replace
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.engine.errors import ParameterError
from procurement.engine.explanation import from_records, replay, to_records
from procurement.engine.replenishment import ReplenishmentInput, plan_item, plan_replenishment

QUANTILES = {0.5: 100.0, 0.8: 125.0, 0.9: 138.0, 0.95: 149.0, 0.99: 170.0}
MUG = ReplenishmentInput(
    sku_key="MUG", mean_daily_demand=10, lead_time_days=9, review_days=1, protection_mean=100, protection_sd=30,
    protection_quantiles=QUANTILES, service_level=0.95, on_hand=60, unit_cost=4, holding_cost_rate_per_year=0.25,
    fixed_order_cost=50,
)  # fmt: skip


def term(result, code):
    (found,) = [entry for entry in result.explanation if entry.code == code]
    return found.value


def test_the_worked_example_of_the_documentation():
    result = plan_item(MUG)

    assert (result.reorder_point, result.safety_stock) == (149, 49)
    assert result.economic_order_quantity == pytest.approx(604.1522987)  # √(2·50·10 / (0.25·4/365))
    assert term(result, "expected_undershoot") == pytest.approx(9.5)  # (10 + 900·1/10/10)/2
    assert result.order_up_to_level == 744  # 149 + 604.15 − 9.5, to the nearest unit
    assert (result.inventory_position, result.order_quantity) == (60, 684)
    assert result.days_of_cover == pytest.approx(74.4)
    assert result.warnings == ()


def test_lines_ordered_together_share_the_fixed_cost_of_the_order():
    alone, shared = plan_item(MUG), plan_item(replace(MUG, lines_sharing_order=25))

    assert term(shared, "fixed_order_cost") == 2.0  # 50 an order, 25 lines on it
    assert shared.economic_order_quantity == pytest.approx(alone.economic_order_quantity / 5)  # √25
    assert shared.reorder_point == alone.reorder_point
    assert replay(shared.explanation) == shared.explanation


def test_between_two_quantiles_demand_is_linear_in_the_normal_score():
    result = plan_item(replace(MUG, service_level=0.93))

    z = NormalDist().inv_cdf
    expected = 138 + 11 * (z(0.93) - z(0.9)) / (z(0.95) - z(0.9))
    assert term(result, "forecast_quantile") == pytest.approx(expected, rel=1e-14)
    assert result.reorder_point == math.ceil(expected) == 144


def test_a_slow_mover_keeps_the_smallest_whole_stock_that_suffices():
    slow = replace(MUG, mean_daily_demand=0.001, protection_mean=0.01, protection_sd=0.1, on_hand=0,
                   protection_quantiles={0.5: 0.0, 0.9: 0.0, 0.95: 0.0, 0.99: 0.0})  # fmt: skip

    result = plan_item(slow)

    assert (result.reorder_point, result.order_quantity, result.triggered) == (0, 0, False)
    assert result.safety_stock == pytest.approx(-0.01)  # shown as it is


def test_at_the_reorder_point_nothing_is_ordered_and_one_below_it_is():
    assert not plan_item(replace(MUG, on_hand=149)).triggered
    assert plan_item(replace(MUG, on_hand=148)).triggered


def test_the_position_counts_every_unit_and_every_promise_once():
    result = plan_item(replace(MUG, on_hand=60, reserved=7, backordered=3, on_order=40, in_draft=12))

    assert result.inventory_position == 60 - 7 - 3 + 40 + 12
    assert plan_item(replace(MUG, on_hand=60, in_draft=12, in_transit=5)).inventory_position == 77


def test_a_varying_lead_time_is_protected_by_the_sum_over_it_and_not_by_the_textbooks_normal_formula():
    varying = replace(MUG, mean_daily_demand=100, lead_time_days=9, review_days=0, protection_mean=900,
                      protection_sd=90, lead_time_sd_days=3, protection_quantiles={})  # fmt: skip

    result = plan_item(varying)

    assert term(result, "protection_sd_with_lead_time") == pytest.approx(313.2092, abs=1e-4)  # not 90
    # 9 ± 3 days are gamma: 1 467.3 is needed; 900 + 1.645·313.2 = 1 415.2 would reach only 93.6 %
    assert result.reorder_point == pytest.approx(1467.3, abs=2)
    assert result.warnings == ("no_quantiles",)


def test_a_price_break_is_taken_when_the_whole_cost_falls():
    cheap = plan_item(replace(MUG, price_breaks=((1000, 3.5),)))
    dear = plan_item(replace(MUG, price_breaks=((3000, 3.999),)))

    assert (cheap.economic_order_quantity, cheap.unit_cost) == (1000, 3.5)
    assert (dear.order_quantity, dear.unit_cost) == (684, 4)


def test_packs_are_compared_by_cost_and_not_always_rounded_up():
    near_below, near_above = plan_item(replace(MUG, pack_size=680)), plan_item(replace(MUG, pack_size=360))

    assert near_below.order_quantity == 680  # needs 684
    assert near_above.order_quantity == 720


def test_the_minimum_is_proposed_with_its_cost_test():
    item = replace(MUG, fixed_order_cost=0, on_hand=140, minimum_order_quantity=500)

    result = plan_item(item)

    assert result.order_quantity == 500
    assert result.warnings == ("minimum_exceeds_need",)
    assert term(result, "surplus_holding_cost") == pytest.approx(0.25 * 4 / 365 * (500**2 - 9**2) / 20)
    expected_break_even = term(result, "surplus_holding_cost") / result.expected_shortage
    assert term(result, "break_even_stockout_cost") == pytest.approx(expected_break_even)


def test_a_minimum_that_costs_more_than_the_shortage_is_not_proposed_where_the_policy_names_that_cost():
    item = replace(MUG, fixed_order_cost=0, on_hand=140, minimum_order_quantity=500)
    break_even = term(plan_item(item), "break_even_stockout_cost")

    below = plan_item(replace(item, stockout_cost_per_unit=break_even * 0.99))
    above = plan_item(replace(item, stockout_cost_per_unit=break_even * 1.01))

    assert (below.order_quantity, below.warnings) == (0, ("minimum_exceeds_need", "minimum_not_worthwhile"))
    assert above.order_quantity == 500


def test_the_maximum_stock_is_never_passed_and_the_planner_is_told():
    capped = plan_item(replace(MUG, maximum_stock=120, pack_size=25))
    impossible = plan_item(replace(MUG, maximum_stock=120, minimum_order_quantity=100))

    assert (capped.order_quantity, capped.warnings) == (50, ("maximum_below_reorder_point",))
    assert (impossible.order_quantity, impossible.warnings) == (0, ("no_feasible_quantity",))


def test_without_demand_backorders_are_still_covered():
    dead = replace(MUG, mean_daily_demand=0, protection_mean=0, protection_sd=0,
                   protection_quantiles={0.5: 0.0, 0.99: 0.0}, on_hand=0, backordered=5)  # fmt: skip

    assert plan_item(dead).order_quantity == 5
    assert plan_item(dead).days_of_cover is None


def test_the_risk_of_not_ordering_is_read_from_the_forecast():
    result = plan_item(replace(MUG, on_hand=138))

    assert result.stockout_probability == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("service_level", 1.0), ("service_level", 0.0), ("pack_size", 0.0), ("on_hand", -1.0), ("unit_cost", math.nan),
     ("maximum_stock", -1.0), ("price_breaks", ((10, math.inf),)), ("protection_quantiles", {1.0: 5.0}),
     ("protection_quantiles", {0.5: math.nan})],
)  # fmt: skip
def test_an_unusable_input_is_named(field, value):
    with pytest.raises(ParameterError) as caught:
        plan_item(replace(MUG, **{field: value}))

    assert caught.value.parameter == field


amount = st.floats(0, 500, allow_nan=False)
items = st.builds(
    ReplenishmentInput,
    sku_key=st.just("ANY"), mean_daily_demand=st.floats(0, 60), lead_time_days=st.floats(0, 60),
    review_days=st.floats(0, 14), protection_mean=amount, protection_sd=amount, service_level=st.floats(0.5, 0.999),
    protection_quantiles=st.one_of(
        st.just({}), st.dictionaries(st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), amount, min_size=1)),
    lead_time_sd_days=st.sampled_from([0.0, 2.5]), on_hand=amount, reserved=st.floats(0, 50), on_order=amount,
    backordered=st.floats(0, 50), unit_cost=st.floats(0, 90),
    price_breaks=st.sampled_from([(), ((50, 3.0), (400, 2.0))]),
    holding_cost_rate_per_year=st.sampled_from([0.0, 0.25]), fixed_order_cost=st.floats(0, 90),
    lines_sharing_order=st.sampled_from([1.0, 40.0]),
    minimum_order_quantity=st.sampled_from([0.0, 1.0, 75.0]), pack_size=st.sampled_from([1.0, 6.0, 40.0]),
    maximum_stock=st.sampled_from([None, 0.0, 300.0]), stockout_cost_per_unit=st.sampled_from([None, 1.0]),
)  # fmt: skip


@settings(deadline=None, max_examples=120)
@given(items)
def test_the_explanation_replays_to_the_same_bytes_and_adds_up(item):
    result = plan_item(item)

    stored = from_records(to_records(result.explanation))
    assert replay(stored) == result.explanation
    assert len({entry.code for entry in stored}) == len(stored)
    assert all(math.isfinite(entry.value) for entry in stored)
    assert term(result, "order_quantity") == result.order_quantity
    if result.triggered:
        total = term(result, "needed_quantity") + term(result, "rounding")
        assert total == pytest.approx(result.order_quantity, abs=1e-9)


@settings(deadline=None, max_examples=120)
@given(items)
def test_packs_minimum_and_maximum_are_respected(item):
    result = plan_item(item)

    quantity = result.order_quantity
    assert quantity >= 0
    assert quantity / item.pack_size == pytest.approx(round(quantity / item.pack_size))
    assert quantity == 0 or quantity >= item.minimum_order_quantity
    if item.maximum_stock is not None and quantity:
        assert result.inventory_position + quantity <= item.maximum_stock + 1e-6
    if result.triggered and item.maximum_stock is None and item.stockout_cost_per_unit is None:
        assert result.inventory_position + quantity >= result.reorder_point - 1e-6


@settings(deadline=None, max_examples=120)
@given(items)
def test_planning_again_with_the_first_proposal_netted_proposes_nothing(item):
    first = plan_item(item)

    second = plan_item(replace(item, in_draft=item.in_draft + first.order_quantity))

    assert second.order_quantity == 0


@settings(deadline=None, max_examples=80)
@given(items, st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_a_higher_service_level_never_lowers_the_reorder_point(item, one, other):
    low, high = (plan_item(replace(item, service_level=level)) for level in sorted((one, other)))

    if item.lead_time_sd_days == 0:
        assert low.reorder_point <= high.reorder_point


def test_the_cheapest_pack_multiple_is_found_against_a_plain_search():
    for on_hand in (0, 30, 90, 140):
        for pack, minimum in ((1, 0), (36, 0), (50, 120), (250, 0), (7, 400)):
            item = replace(MUG, on_hand=on_hand, pack_size=pack, minimum_order_quantity=minimum,
                           price_breaks=((700, 3.9), (1200, 3.85)))  # fmt: skip
            result = plan_item(item)

            feasible = [q for q in range(pack, 3000, pack) if q >= minimum and on_hand + q >= result.reorder_point]
            best = min(feasible, key=lambda q: (excess_cost(item, result, q), q))
            assert result.order_quantity == best, (on_hand, pack, minimum)


def excess_cost(item, result, quantity):
    """Cost of one lot beyond the long-run average, day by day: hold what is left, until the position is at s again."""
    price = {True: 3.85, False: 3.9 if quantity >= 700 else 4.0}[quantity >= 1200]
    lot = result.inventory_position + quantity - result.reorder_point + 9.5
    economic, base = result.economic_order_quantity, term(result, "economic_unit_cost")
    average = 50 * 10 / economic + 0.25 * base / 365 * economic / 2
    steps = 50
    held = sum(lot * (1 - (k + 0.5) / steps) for k in range(steps)) / steps * (lot / 10) * 0.25 * price / 365
    return round(50 + (price - base) * quantity + held - average * lot / 10, 9)


def test_many_items_come_back_in_order():
    plans = plan_replenishment([replace(MUG, sku_key=str(n), on_hand=n) for n in range(200)])

    assert [plan.sku_key for plan in plans] == [str(n) for n in range(200)]
    assert [plan.triggered for plan in plans] == [n < 149 for n in range(200)]
