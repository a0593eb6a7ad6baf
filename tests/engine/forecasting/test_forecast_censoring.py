"""Sales on days not fully in stock are lower bounds: the demand behind them comes back, and no column knows its
future."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecasting.engine.cleaning import KINDS, clean
from forecasting.engine.cleaning.kernel import BINS, LAW_MEMORY, above, expected_above
from forecasting.engine.types import Covariates, Panel
from tests.engine.forecasting.panels import panel_of

DAYS = 400


def retail(n: int = 150, seed: int = 3) -> np.ndarray:
    """Sales on a third of the days, log-normal sizes, whole units."""
    rng = np.random.default_rng(seed)
    middle = np.geomspace(3, 40, n)[:, None]
    return np.where(rng.random((n, DAYS)) < 0.35, np.ceil(middle * np.exp(rng.normal(0, 1, (n, DAYS)))), 0.0)


def recovered(sales: np.ndarray, share: np.ndarray) -> float:
    cleaned = clean(panel_of(sales, in_stock=share))
    return float((cleaned.actual.sum(axis=1) / cleaned.exposure.sum(axis=1)).sum())


def bias(demand: np.ndarray, sales: np.ndarray, share: np.ndarray) -> float:
    return recovered(sales, share) / float(demand.mean(axis=1).sum()) - 1.0


def struck(demand: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).random(demand.shape) < 0.2


def test_days_struck_at_random_come_back_by_their_share_in_stock():
    demand = retail()
    share = np.where(struck(demand), 0.4, 1.0)

    assert abs(bias(demand, demand * share, share)) < 0.02


def test_days_struck_at_random_and_marked_as_empty_are_left_out():
    demand = retail()
    hit = struck(demand)

    assert abs(bias(demand, np.where(hit, 0.4 * demand, demand), 1.0 - hit)) < 0.02
    assert abs(bias(demand, np.where(hit, 0.0, demand), 1.0 - hit)) < 0.02


def test_big_days_cut_off_at_the_stock_come_back():
    demand = retail()
    stock = np.ceil(np.geomspace(3, 40, len(demand)) * 2.3)[:, None]
    sales, hit = np.minimum(demand, stock), demand > stock

    naive = sales.sum() / demand.sum() - 1.0

    assert naive < -0.15
    assert abs(bias(demand, sales, 1.0 - hit)) < 0.04
    assert abs(bias(demand, sales, np.where(hit, sales / np.maximum(demand, 1), 1.0))) < 0.02


def test_a_sale_above_which_much_was_seen_is_lifted_to_the_mean_of_that():
    """Kaplan–Meier by hand: seen whole 5, 10, 20, 40; cut off at 7. Above 7: a third each of 10, 20, 40."""
    law, full, cut = np.zeros(LAW_MEMORY + 2), np.zeros((2, BINS)), np.zeros(BINS)
    sizes = np.repeat([5.0, 10.0, 20.0, 40.0], 5000)
    logs = np.log(sizes)
    law[:3] = law[3:6] = len(sizes), logs.sum(), (logs**2).sum()
    law[LAW_MEMORY], law[LAW_MEMORY + 1] = 1.0, logs[0] - 0.05 - BINS // 2 * 0.5 * math.log(2)
    for value, log in zip(sizes, logs, strict=True):
        place = int((log - law[LAW_MEMORY + 1]) / (0.5 * math.log(2)))
        full[:, place] += 1.0, value

    lifted = expected_above(7.0, law, full, cut, sizes, np.zeros((2, 0)))

    assert lifted == pytest.approx(70 / 3, rel=0.002)


def test_the_normal_tail_is_the_tables():
    assert above(1.959964) == pytest.approx(0.025, abs=1e-7)


@pytest.mark.parametrize("cut", [57, 200, 399])
def test_no_column_of_a_cleaned_history_changes_with_what_comes_after_it(cut):
    rng = np.random.default_rng(5)
    values, share = retail(20), np.where(struck(retail(20)), rng.choice([0.0, 0.3], (20, DAYS)), 1.0)
    other, later = values.copy(), share.copy()
    other[:, cut:] = rng.integers(0, 9999, other[:, cut:].shape)
    later[:, cut:] = 1.0 - later[:, cut:]

    one, two = clean(panel_of(values, in_stock=share)), clean(panel_of(other, in_stock=later))

    for name in ("demand", "actual", "exposure"):
        np.testing.assert_array_equal(getattr(one, name)[:, :cut], getattr(two, name)[:, :cut])


def test_a_history_cut_at_an_origin_is_cleaned_the_same():
    share = np.where(struck(retail(20)), 0.0, 1.0)
    panel = panel_of(retail(20), in_stock=share)

    np.testing.assert_array_equal(clean(panel.until(180)).demand, clean(panel).demand[:, :180])


def test_a_series_is_cleaned_alike_among_any_neighbours():
    panel = panel_of(retail(20), in_stock=np.where(struck(retail(20)), 0.0, 1.0))

    np.testing.assert_array_equal(clean(panel.take(slice(7, 9))).demand, clean(panel).demand[7:9])


def bulk(**more) -> Panel:
    values = np.full((1, 40), 10.0)
    values[0, 30] = 74215.0
    return Panel(("A",), values, np.zeros(1, dtype=np.int64), **more)


def test_a_one_off_is_capped_and_reported_with_its_period():
    cleaned = clean(bulk())

    changes = cleaned.changes
    assert (changes.row.tolist(), changes.period.tolist()) == ([0], [30])
    assert (changes.observed[0], KINDS[changes.kind[0]]) == (74215.0, "outlier")
    assert changes.used[0] == pytest.approx(10 * math.exp(2.5))
    assert cleaned.demand[0, 30] == changes.used[0]


def test_a_promotion_a_holiday_and_a_persons_word_keep_a_peak_as_it_is():
    flag = np.zeros((1, 40))
    flag[0, 30] = 1.0
    kept = flag.astype(np.int8)

    for panel in (
        bulk(covariates=Covariates(known={"promotion": flag})),
        bulk(covariates=Covariates(past={"holiday": flag})),
        bulk(decisions=kept),
    ):
        cleaned = clean(panel)
        assert (cleaned.demand[0, 30], cleaned.outliers[0], len(cleaned.changes)) == (74215.0, 0, 0)


def test_demand_that_a_person_took_out_counts_for_nothing():
    out = np.zeros((1, 40), dtype=np.int8)
    out[0, 30] = 2

    cleaned = clean(bulk(decisions=out))

    assert (cleaned.actual[0, 30], cleaned.exposure[0, 30]) == (0.0, 0.0)
    assert KINDS[cleaned.changes.kind[0]] == "dropped"


def test_a_lasting_change_of_level_is_capped_twice_and_then_believed():
    values = np.array([[10.0] * 20 + [500.0] * 10])

    cleaned = clean(panel_of(values))

    assert cleaned.changes.period.tolist() == [20, 21]


def test_a_peak_after_closed_days_may_hold_their_demand_too():
    values = np.full((1, 40), 10.0)
    values[0, 27:30], values[0, 30] = 0.0, 200.0
    closed = np.zeros((1, 40))
    closed[0, 27:30] = 1.0

    open_all_along = clean(Panel(("A",), values, np.zeros(1, dtype=np.int64)))
    shut = Panel(("A",), values, np.zeros(1, dtype=np.int64), covariates=Covariates(known={"closed": closed}))

    assert (open_all_along.outliers[0], clean(shut).outliers[0]) == (1, 0)


def test_caps_are_those_of_a_slow_loop():
    from forecasting.engine.cleaning import outlier_caps

    rng = np.random.default_rng(9)
    values = np.where(rng.random((3, 300)) < 0.5, np.exp(rng.normal(1, 1.2, (3, 300))), 0.0)
    values[:, ::37] *= 400

    caps = outlier_caps(values)

    for row in range(3):
        logs: list[float] = []
        high = 0
        for t, value in enumerate(values[row]):
            if value <= 0:
                continue
            last = np.array(logs[-64:])
            cap = math.inf
            if len(last) >= 8:
                middle = np.median(last)
                cap = math.exp(middle + 5 * max(1.4826 * np.median(np.abs(last - middle)), 0.5))
            high = high + 1 if value > cap else 0
            assert caps[row, t] == (pytest.approx(cap) if 0 < high <= 2 else math.inf)
            logs.append(math.log(value))
