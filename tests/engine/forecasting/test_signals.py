"""A signal is used where it foretells demand on windows nobody had seen, and not because it could fit the past."""

import numpy as np
import pytest

from forecasting.engine.signals import poisson_weights, weigh_signals


def world_of_demand(foretells: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """(demand, views): 80 series of 280 days whose level wanders by the week; views know next fortnight's level."""
    chance = np.random.default_rng(seed)
    n, days = 80, 280
    weeks = np.repeat(chance.normal(0, 0.5, (n, days // 14 + 2)), 14, axis=1)
    level, ahead = weeks[:, :days], weeks[:, 14 : days + 14]
    size = chance.gamma(4, 1.5, (n, 1))
    demand = chance.poisson(size * np.exp(level)).astype(float)
    views = chance.poisson(
        20 * size * np.exp(foretells * ahead + (1 - foretells) * chance.normal(0, 0.5, (n, 1)))
    ).astype(float)
    return demand, views


def test_the_weights_of_a_constant_are_the_log_of_the_ratio() -> None:
    found = poisson_weights(np.ones((2, 1)), np.array([10.0, 10.0]), np.array([12.0, 18.0]))

    assert found[0] == pytest.approx(np.log(1.5), abs=1e-6)


def test_the_weights_have_no_slope_left() -> None:
    chance = np.random.default_rng(1)
    x = np.column_stack([np.ones(400), chance.normal(0, 0.5, (400, 2))])
    base = chance.gamma(3, 4, 400)
    y = chance.poisson(base * np.exp(x @ np.array([0.1, 0.6, -0.3])))

    found = poisson_weights(x, base, y)

    slope = x.T @ (y - base * np.exp(x @ found)) - np.array([1e-9, 1, 1]) * found
    assert slope == pytest.approx(np.zeros(3), abs=1e-5)
    assert found == pytest.approx([0.1, 0.6, -0.3], abs=0.06)


def test_views_that_foretell_the_next_fortnight_help() -> None:
    demand, views = world_of_demand(1.0)

    verdict = weigh_signals(demand, {"page_views": views})

    assert (verdict.helps, verdict.reason) == (True, "better_by_more_than_one_standard_error")
    assert (verdict.series, verdict.origins, verdict.window_days) == (80, 8, 14)
    assert verdict.gain > 3 * verdict.standard_error
    assert verdict.weights["page_views"] > 0.3


@pytest.mark.parametrize("seed", range(3, 9))
def test_views_that_say_nothing_do_not_win_by_more_than_chance_allows(seed: int) -> None:
    demand, views = world_of_demand(0.0, seed)

    verdict = weigh_signals(demand, {"page_views": views})

    assert verdict.gain is not None
    assert verdict.gain < 2.5 * verdict.standard_error


def test_views_that_only_follow_the_orders_are_not_credited_with_what_orders_say() -> None:
    demand, _views = world_of_demand(0.0)

    verdict = weigh_signals(demand, {"page_views": 20 * demand})

    assert not verdict.helps


def test_what_comes_after_the_last_day_looked_from_changes_nothing() -> None:
    """Signals of the last window are not read: nobody had seen them when it began."""
    demand, views = world_of_demand(1.0)
    changed = views.copy()
    changed[:, -14:] = 1e6

    assert weigh_signals(demand, {"v": changed}) == weigh_signals(demand, {"v": views})


def test_too_few_series_decide_nothing() -> None:
    demand, views = world_of_demand(1.0)

    few = weigh_signals(demand[:5], {"page_views": views[:5]})
    none = weigh_signals(np.zeros((0, 280)), {})

    assert (few.helps, few.reason) == (none.helps, none.reason) == (False, "too_little_history")
