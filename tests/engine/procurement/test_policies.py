"""Policies of many items: the one kernel behind batch and single item, and what the levels achieve."""

import math
from dataclasses import replace

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.policies.kernel import crossing_sd, lead_time_bins
from procurement.engine.policies.lattice import NORMAL, add_mixture
from procurement.engine.policies.solve import solve_policies
from procurement.engine.policies.tables import LEAD_TIME_CVS, lead_time_table
from procurement.engine.policies.types import POLICY_MODELS, TARGET_KINDS, batch_of
from procurement.engine.quantiles import QuantileCurve
from procurement.engine.replenishment import ReplenishmentInput, plan_item
from procurement.engine.snapshot import canonical, freeze, recompute, thaw

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
COUNTS = (4.0, 8.0, 11.0, 14.0, 21.0)
ITEM = ReplenishmentInput(
    sku_key="A", mean_daily_demand=0.25, lead_time_days=14, review_days=7, protection_mean=5.25, protection_sd=4.5,
    service_level=0.95, protection_quantiles=dict(zip(LEVELS, COUNTS, strict=True)), unit_cost=4,
    holding_cost_rate_per_year=0.25, unmet_demand="lost", target_kind="fill_rate", fill_rate=0.95,
)  # fmt: skip


def random_items(count):
    rng = np.random.default_rng(7)
    for number in range(count):
        mean, lead, review = float(np.exp(rng.normal(2, 1.5))), float(rng.integers(0, 40)), float(rng.choice([1, 7]))
        units = np.sort(mean * rng.gamma(2.0, 0.6, 5) + mean * np.linspace(0.1, 2.0, 5))
        units = np.ceil(units) if number % 2 else units
        yield ReplenishmentInput(
            sku_key=str(number), mean_daily_demand=mean / (lead + review), lead_time_days=lead, review_days=review,
            protection_mean=mean, protection_sd=mean * 0.6, service_level=0.97,
            protection_quantiles=dict(zip(LEVELS, units.tolist(), strict=True)),
            lead_time_sd_days=float(rng.choice([0.0, 0.3])) * lead, unit_cost=6, holding_cost_rate_per_year=0.25,
            fixed_order_cost=float(rng.choice([0.0, 9.0])), stockout_cost_per_unit=3.0,
            target_kind=TARGET_KINDS[number % 3], fill_rate=0.94, pack_size=float(rng.choice([1.0, 6.0])),
            unmet_demand=("lost", "backordered")[number // 3 % 2], lead_times_cross=bool(number % 5 == 0),
            service_correction=float(rng.choice([1.0, 1.2])),
        )  # fmt: skip


def batch_from(items):
    def column(name):
        return np.array([float(getattr(item, name)) for item in items])

    return batch_of(
        np.array(LEVELS), np.array([list(item.protection_quantiles.values()) for item in items]),
        protection_mean=column("protection_mean"), protection_sd=column("protection_sd"),
        mean_daily_demand=column("mean_daily_demand"), lead_time_days=column("lead_time_days"),
        lead_time_sd_days=column("lead_time_sd_days"), review_days=column("review_days"),
        target_kind=[TARGET_KINDS.index(item.target_kind) for item in items],
        target=[item.service_level if item.target_kind == "cycle_service_level" else 0.94 for item in items],
        is_lost=[item.unmet_demand == "lost" for item in items], unit_cost=column("unit_cost"),
        holding_rate_per_year=column("holding_cost_rate_per_year"), fixed_order_cost=column("fixed_order_cost"),
        stockout_cost=column("stockout_cost_per_unit"), pack=column("pack_size"),
        service_correction=column("service_correction"), lead_times_cross=[item.lead_times_cross for item in items],
    )  # fmt: skip


def test_a_batch_finds_what_the_single_item_explains():
    items = list(random_items(90))

    levels = solve_policies(batch_from(items), chunk=32)

    for place, item in enumerate(items):
        result = plan_item(item)
        terms = {term.code: term.value for term in result.explanation}
        assert levels.reorder_point[place] == pytest.approx(result.reorder_point, rel=1e-9, abs=1e-9)
        assert levels.order_up_to_level[place] == pytest.approx(result.order_up_to_level, rel=1e-9, abs=1e-9)
        assert levels.safety_stock[place] == pytest.approx(result.safety_stock, rel=1e-9, abs=1e-9)
        assert levels.fill_rate[place] == pytest.approx(terms["expected_fill_rate"], rel=1e-9)
        assert levels.model[place] == terms["model"]


def test_chunks_and_threads_do_not_change_an_answer():
    batch = batch_from(list(random_items(40)))

    whole, parted = solve_policies(batch), solve_policies(batch, chunk=7, threads=2)

    assert np.array_equal(whole.reorder_point, parted.reorder_point)
    assert np.array_equal(whole.fill_rate, parted.fill_rate)


def lead_time_quantile(probability):
    weights, means, variances = lead_time_table()
    at_most, unit = np.zeros(512), 16_000 / 511
    bins = lead_time_bins(0.56, LEAD_TIME_CVS, means, variances)
    add_mixture(at_most, unit, NORMAL, 100.0, 900.0, 20.0, 11.2, 0.0, weights, *bins)
    return float(np.interp(probability, at_most, (np.arange(512) + 0.5) * unit)), at_most, unit


def test_the_sum_over_a_gamma_lead_time_is_exact_where_the_formulas_are_not():
    found, at_most, unit = lead_time_quantile(0.95)

    def reached(stock):
        return float(np.interp(stock, (np.arange(512) + 0.5) * unit, at_most))

    assert found == pytest.approx(4142, rel=2e-3)
    assert lead_time_quantile(0.99)[0] == pytest.approx(5503, rel=3e-3)
    assert reached(2000 + 1.644854 * 30 * math.sqrt(20)) == pytest.approx(0.645, abs=0.005)  # spread of days alone
    assert reached(3855) == pytest.approx(0.931, abs=0.002)  # with the lead time's, but normal


def test_lead_times_that_overtake_each_other_spread_less():
    assert crossing_sd(20.0, 11.2, 1.0) == pytest.approx(2.5, abs=0.3)
    assert crossing_sd(20.0, 11.2, 200.0) == 0.0 or crossing_sd(20.0, 11.2, 200.0) <= 11.2
    assert crossing_sd(20.0, 0.0, 1.0) == 0.0


def test_lost_sales_need_less_stock_than_backorders_of_the_plain_formula():
    curve = QuantileCurve.through(dict(ITEM.protection_quantiles))
    plain = next(s for s in range(200) if curve.expected_shortage(s) <= 0.05 * 0.25 * 7)

    assert plan_item(ITEM).reorder_point < plain


def test_a_higher_fill_rate_or_stock_out_cost_never_lowers_the_level():
    by_share = [plan_item(replace(ITEM, fill_rate=share)).reorder_point for share in (0.5, 0.8, 0.9, 0.95, 0.99)]
    by_cost = [
        plan_item(replace(ITEM, target_kind="cost", stockout_cost_per_unit=cost)).reorder_point
        for cost in (0.0, 0.05, 0.5, 5.0, 50.0)
    ]

    assert by_share == sorted(by_share)
    assert by_cost == sorted(by_cost)
    assert by_cost[0] == 0 < by_cost[-1]


def test_the_tail_beyond_the_last_quantile_is_heavier_than_normal_unless_the_quantiles_are():
    lumpy = QuantileCurve.through(dict(zip(LEVELS, COUNTS, strict=True)))
    straight = QuantileCurve.through({p: 100 + 10 * z for p, z in ((0.5, 0.0), (0.8413447460685429, 1.0),
                                                                   (0.9772498680518208, 2.0))})  # fmt: skip

    assert lumpy.expected_shortage(21) == pytest.approx(0.01 * (21 - 14) * 1.205, rel=2e-2)  # ξ·5^ξ/((1 − ξ)(5^ξ − 1))
    assert lumpy.probability_of_at_most(lumpy.quantile(0.999)) == pytest.approx(0.999, abs=1e-12)
    assert straight.tail_scale == 0.0
    assert straight.quantile(0.9986501019683699) == pytest.approx(130)


def test_the_model_fits_the_lot_and_says_why():
    free = plan_item(ITEM)
    dear = plan_item(replace(ITEM, fixed_order_cost=50))
    packed = plan_item(replace(ITEM, fixed_order_cost=1, pack_size=40))

    chosen = [next(t for t in result.explanation if t.code == "model") for result in (free, dear, packed)]
    assert [POLICY_MODELS[int(term.value)] for term in chosen] == ["order_up_to", "min_max", "fixed_lot"]
    assert all(term.source for term in chosen)


def test_a_snapshot_gives_the_same_bytes():
    for item in (*random_items(12), ITEM):
        snapshot = freeze(item)

        assert thaw(snapshot) == item
        assert canonical(recompute(snapshot)) == canonical(plan_item(item))


def test_a_snapshot_of_another_edition_or_with_unknown_fields_is_refused():
    with pytest.raises(ParameterError, match="edition"):
        recompute({**freeze(ITEM), "edition": 1})
    with pytest.raises(ParameterError, match="colour"):
        thaw({"edition": 3, "input": {**freeze(ITEM)["input"], "colour": "red"}})


@pytest.mark.parametrize(
    ("change", "parameter"),
    [({"fill_rate": 1.0}, "fill_rate"), ({"fill_rate": None}, "fill_rate"), ({"model": "best"}, "model"),
     ({"target_kind": "cost"}, "stockout_cost_per_unit"), ({"review_days": 0.0}, "review_days"),
     ({"target_kind": "cost", "stockout_cost_per_unit": 2.0, "unit_cost": 0.0}, "unit_cost"),
     ({"unmet_demand": "gone"}, "unmet_demand"), ({"protection_mean": 1e300}, "protection_mean")],
)  # fmt: skip
def test_an_unusable_target_is_named(change, parameter):
    with pytest.raises(ParameterError) as caught:
        plan_item(replace(ITEM, **change))

    assert caught.value.parameter == parameter


@pytest.mark.parametrize(("column", "value"), [("pack", 0.0), ("target", 1.0), ("review_days", 0.0)])
def test_a_bad_row_of_a_batch_is_named(column, value):
    columns = {"protection_mean": 5.0, "mean_daily_demand": 0.2, "lead_time_days": 9.0, "review_days": 7.0,
               "target_kind": 1, column: value}  # fmt: skip

    with pytest.raises(ParameterError) as caught:
        solve_policies(batch_of(np.array(LEVELS), np.array([COUNTS]), **columns))

    assert caught.value.parameter == column
