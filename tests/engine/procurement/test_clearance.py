"""Excess stock and the ways out of it: elasticities, markdowns, and the comparison that can be calculated again."""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.engine.clearance import (
    ClearanceCase,
    best_markdown,
    excess_stock,
    learn_elasticities,
    markdown_path,
    weigh_ways_out,
)
from procurement.engine.clearance.excess import demand_over, expected_sales
from procurement.engine.clearance.markdown import LADDER, demand_factor, one_discount
from procurement.engine.clearance.ways_out import Elsewhere
from procurement.engine.errors import ParameterError
from procurement.engine.explanation import replay

CASE = ClearanceCase(
    "mug",
    stock=100,
    excess=60,
    price=10,
    daily_mean=2,
    daily_sd=1,
    days=20,
    elasticity=2,
    unit_cost=4,
    holding_cost=0.003,
    return_value=3,
)


def test_expected_sales_agree_with_a_simulation_of_gamma_demand() -> None:
    demand = np.random.default_rng(7).gamma(4.0, 2.5, 400_000)

    assert expected_sales(10, 10, 5) == pytest.approx(8.046331851868356)
    assert expected_sales(10, 10, 5) == pytest.approx(np.minimum(demand, 10).mean(), abs=0.02)


def test_expected_sales_without_spread_or_demand_are_the_smaller_number() -> None:
    assert expected_sales(10, 7, 0) == 7
    assert expected_sales(5, 7, 0) == 5
    assert expected_sales(5, 0, 3) == 0


def test_the_worked_excess_is_what_two_weeks_leave() -> None:
    excess = excess_stock(90, daily_mean=4, daily_sd=3, days=14)

    assert excess.units == pytest.approx(34.246243346750774)
    assert excess.units + excess.sold == pytest.approx(90)


def test_lots_leave_what_cannot_sell_before_their_own_expiry() -> None:
    excess = excess_stock(100, daily_mean=2, daily_sd=0, days=60, lots=[(10, 50), (30, 50)])

    # 20 of the first lot sell in 10 days (± 4 of the level); by day 30, 60 are asked for, 40 of them of the second lot.
    first = expected_sales(50, *demand_over(10, 2, 0))
    both = expected_sales(first + 50, *demand_over(30, 2, 0))
    assert excess.units == pytest.approx(100 - both)
    assert 40 < excess.units < 43


def test_a_lot_that_expires_after_the_horizon_is_no_excess() -> None:
    assert excess_stock(50, daily_mean=0, daily_sd=0, days=30, lots=[(31, 50)]).units == 0


def test_an_elasticity_is_recovered_from_many_price_changes() -> None:
    rng = np.random.default_rng(3)
    ratios = [rng.choice([1.0, 0.8, 0.6], 200) for _ in range(40)]
    sold = [rng.poisson(20 * ratio**-1.5).astype(float) for ratio in ratios]

    items, groups = learn_elasticities(ratios, sold, [np.full(200, 20.0)] * 40, ["toys"] * 40)

    assert groups[""].value == pytest.approx(1.5, abs=0.05)
    assert np.mean([item.value for item in items]) == pytest.approx(1.5, abs=0.1)
    assert all(abs(item.value - 1.5) < 4 * item.error for item in items)


def test_an_item_without_a_price_change_gets_that_of_its_group() -> None:
    changed, flat = np.full(30, 0.5), np.ones(30)

    items, groups = learn_elasticities(
        [changed, flat], [np.full(30, 40.0), np.full(30, 9.0)], [np.full(30, 10.0)] * 2, ["a", "a"]
    )

    assert items[0].value == pytest.approx(2.0, abs=0.01)
    assert (items[1].value, items[1].days) == (groups["a"].value, 0)


def test_without_any_price_change_the_published_mean_stands() -> None:
    [item], _groups = learn_elasticities([np.ones(5)], [np.ones(5)], [np.ones(5)], [""])

    assert item.value == pytest.approx(2.62)


def test_a_third_off_at_an_elasticity_of_two_doubles_demand() -> None:
    assert demand_factor(0.3, 2) == pytest.approx(2.0408163265306123)
    with pytest.raises(ParameterError, match="discount"):
        demand_factor(1.0, 2)


def test_the_worked_discount_brings_what_its_terms_say() -> None:
    plan = one_discount(0.5, stock=100, price=10, daily_mean=2, daily_sd=0, days=10, elasticity=2)

    assert plan.sold == pytest.approx(78.95778173462026)
    assert plan.recovery == pytest.approx(5 * plan.sold)
    assert plan.sell_through_days == 12.5


def test_stock_that_sells_out_anyway_is_not_marked_down() -> None:
    plan = best_markdown(stock=10, price=10, daily_mean=5, daily_sd=1, days=30, elasticity=2)

    assert plan.discounts == (0.0,)


def test_the_path_is_the_best_of_all_paths_that_never_rise_again() -> None:
    ladder, weekly = (0.0, 0.2, 0.4), (10.0, 6.0, 3.0)

    plan = markdown_path(stock=40, price=10, weekly_demand=weekly, elasticity=2, ladder=ladder, salvage=1)

    assert plan.recovery == pytest.approx(max(_followed(path, weekly) for path in _paths(ladder)), rel=0.01)
    assert list(plan.discounts) == sorted(plan.discounts)


def _paths(ladder: tuple[float, ...]) -> list[tuple[float, ...]]:
    return list(combinations_with_replacement(ladder, 3))


def _followed(path: tuple[float, ...], weekly: tuple[float, ...]) -> float:
    left, money = 40.0, 0.0
    for discount, demand in zip(path, weekly, strict=True):
        sold = min(left, demand * (1 - discount) ** -2)
        left, money = left - sold, money + sold * 10 * (1 - discount)
    return money + left * 1


def test_the_ways_out_come_in_order_of_what_they_bring() -> None:
    ways = weigh_ways_out(replace(CASE, elsewhere=(Elsewhere("B", 50, 40, 10, 0.5, 10),)))

    assert [way.way for way in ways] == ["transfer", "markdown", "return", "keep", "write_off"]
    assert [round(way.recovery, 2) for way in ways] == [755.21, 565.65, 542.29, 395.20, 362.29]
    assert ways[1].discount == 0.4


def test_every_way_out_can_be_calculated_again_from_its_terms() -> None:
    for way in weigh_ways_out(replace(CASE, elsewhere=(Elsewhere("B", 50, 40, 10, 0.5, 10),))):
        assert replay(way.explanation) == way.explanation
        assert way.explanation[-1].code == "recovery"
        assert way.explanation[-1].value == way.recovery


def test_a_supplier_that_takes_nothing_back_is_no_way_out() -> None:
    assert "return" not in {way.way for way in weigh_ways_out(replace(CASE, return_value=None))}


def test_returns_go_in_whole_packs() -> None:
    [way] = [way for way in weigh_ways_out(replace(CASE, pack=25)) if way.way == "return"]

    assert way.units == 50


def test_goods_that_cost_money_to_get_rid_of_are_worth_a_deeper_cut() -> None:
    free, costly = (
        next(way for way in weigh_ways_out(replace(CASE, salvage=salvage, daily_mean=3.0)) if way.way == "markdown")
        for salvage in (0.0, -20.0)
    )

    assert costly.discount is not None
    assert free.discount is not None
    assert costly.discount > free.discount


@pytest.mark.parametrize(("name", "value"), [("price", -1), ("days", float("nan")), ("pack", 0), ("excess", 101)])
def test_an_unusable_number_is_named(name: str, value: float) -> None:
    with pytest.raises(ParameterError) as error:
        weigh_ways_out(replace(CASE, **{name: value}))

    assert error.value.parameter == name


@given(
    stock=st.floats(1, 500),
    daily=st.floats(0, 20),
    sd=st.floats(0, 20),
    days=st.floats(1, 200),
    elasticity=st.floats(0, 5),
    salvage=st.floats(-5, 5),
)
@settings(max_examples=60, deadline=None)
def test_no_discount_brings_more_than_the_best_one(
    stock: float, daily: float, sd: float, days: float, elasticity: float, salvage: float
) -> None:
    case = {
        "stock": stock, "price": 9.0, "daily_mean": daily, "daily_sd": sd, "days": days, "elasticity": elasticity,
        "salvage": salvage,
    }  # fmt: skip

    best = best_markdown(**case)

    assert all(best.recovery >= one_discount(step, **case).recovery for step in LADDER)
    assert 0 <= best.left <= stock
