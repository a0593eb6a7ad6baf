"""What every forecaster of the registry promises, on ordinary and on nasty series."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.methods import averages, registry
from forecasting.engine.methods.base import Forecaster, PathForecaster, even_chances, quantiles_of
from forecasting.engine.types import Covariates, Panel
from tests.engine.forecasting.panels import WEEK, panel_of

CLASSIC = (
    *("naive", "seasonal_naive", "moving_average", "weighted_moving_average", "ses", "holt", "holt_damped"),
    *("holt_winters", "holt_winters_multiplicative", "ets", "theta", "arima", "sarima", "sarimax"),
    *("ridge_regression", "poisson_regression"),
)
LEVELS = (0.05, 0.5, 0.9, 0.99)


def nasty() -> Panel:
    """Constant, zero, one point, a gap, 10⁹ once, never known, infinite, negative, ordinary, out of stock for weeks."""
    rng = np.random.default_rng(2)
    values = rng.poisson(9 * WEEK[np.arange(98) % 7], (10, 98)).astype(float)
    stock = np.ones(values.shape)
    values[0], values[1] = 4.0, 0.0
    values[2, :-1], values[5] = np.nan, np.nan
    values[3, 40:60] = np.nan
    values[4, 70], values[6, 50], values[7, 30] = 1e9, np.inf, -50.0
    values[9, 60:90], stock[9, 60:90] = 0.0, 0.0
    promotion = (rng.random((10, 112)) < 0.1).astype(float)
    promotion[8, 100:] = np.nan
    price = np.round(10 + rng.normal(0, 0.1, (10, 112)).cumsum(axis=1), 2)
    plain = panel_of(values, in_stock=stock)
    known = Covariates(known={"promotion": promotion, "price": price}, ahead=14)
    return Panel(plain.ids, plain.values, plain.starts, plain.in_stock, "D", plain.origin_ds, known)


NASTY = nasty()


@pytest.fixture(scope="module")
def answers() -> dict[str, np.ndarray]:
    return {name: registry.forecaster(name).fit_predict(NASTY, 14, LEVELS) for name in CLASSIC}


@pytest.mark.parametrize("name", CLASSIC)
class TestEveryMethod:
    def test_ascends_and_is_never_negative(self, name, answers):
        known = ~np.isnan(answers[name])

        assert answers[name].shape == (10, 14, 4)
        assert (answers[name][known] >= 0).all()
        assert not (np.diff(answers[name], axis=2) < 0).any()

    def test_leaves_only_what_nobody_can_know(self, name, answers):
        missing = np.isnan(answers[name]).any(axis=(1, 2))

        allowed = {2, 5}  # one point, never known
        assert set(np.flatnonzero(missing)) <= allowed
        assert missing[5]

    def test_knows_the_constant_and_the_zero(self, name, answers):
        if name == "poisson_regression":  # counts of mean 4 vary though these did not
            assert answers[name][0, :, 1] == pytest.approx(4, abs=1)
        else:
            assert answers[name][0] == pytest.approx(4, abs=0.01)
        assert answers[name][1] == pytest.approx(0, abs=1e-6)

    def test_is_not_carried_off_by_a_slip_of_nine_zeros(self, name, answers):
        assert answers[name][4, :, 1].max() < 100

    def test_does_not_read_a_stock_out_as_no_demand(self, name, answers):
        assert answers[name][9, :, 1].sum() > 0.5 * answers[name][8, :, 1].sum()

    def test_is_deterministic_and_blind_to_its_neighbours(self, name, answers):
        again = registry.forecaster(name).fit_predict(NASTY.take(np.array([8, 3])), 14, LEVELS)

        assert np.array_equal(again, answers[name][[8, 3]])

    def test_refuses_arguments_that_make_no_sense(self, name):
        method = registry.forecaster(name)

        with pytest.raises(ValueError, match="horizon"):
            method.fit_predict(NASTY, 0, LEVELS)
        with pytest.raises(ValueError, match="quantiles"):
            method.fit_predict(NASTY, 3, (0.9, 0.5))

    def test_is_a_forecaster_and_says_what_it_does(self, name):
        method = registry.forecaster(name)

        assert isinstance(method, Forecaster)
        assert method.name == name
        assert method.words


def test_the_sum_of_a_walk_is_not_the_sum_of_its_quantiles():
    rng = np.random.default_rng(6)
    panel = panel_of([np.cumsum(rng.normal(0, 1, 200)) + 500], freq="W")
    method = registry.forecaster("naive")

    window = method.window_quantiles(panel, (4,), (0.5, 0.95))[0, 0]
    steps = method.fit_predict(panel, 4, (0.5, 0.95))[0].sum(axis=0)

    sigma = np.sqrt((np.diff(panel.values[0]) ** 2).mean())
    assert window[0] == pytest.approx(4 * panel.values[0, -1], abs=1)
    assert window[1] - window[0] == pytest.approx(1.645 * sigma * np.sqrt(30), rel=0.1)  # 4² + 3² + 2² + 1²
    assert steps[1] - steps[0] > window[1] - window[0]


def test_a_longer_horizon_leaves_the_nearer_quantiles_close():
    short, long = (
        registry.forecaster("ses").fit_predict(NASTY.take(np.array([8])), h, (0.5,))[0, :3, 0] for h in (3, 400)
    )

    assert long == pytest.approx(short, rel=0.05)


def test_chances_fill_every_step_evenly():
    chances = even_chances(8, 3, 0)

    assert np.sort(chances, axis=0)[:, 1].tolist() == [
        1 / 16,
        3 / 16,
        5 / 16,
        7 / 16,
        9 / 16,
        11 / 16,
        13 / 16,
        15 / 16,
    ]
    assert np.array_equal(chances, even_chances(8, 3, 0))


def test_quantiles_of_paths_lie_between_the_middles_of_the_sorted_values():
    paths = np.array([1.0, 2.0, 3.0, 4.0])[None, ::-1, None]

    assert quantiles_of(paths, (0.125, 0.5, 0.75, 0.99))[:, 0, 0].tolist() == [1.0, 2.5, 3.5, 4.0]


def test_an_empty_panel_is_answered_emptily():
    empty = panel_of(np.zeros((0, 30)))

    assert registry.forecaster("ets").fit_predict(empty, 5, LEVELS).shape == (0, 5, 4)
    assert registry.forecaster("naive").window_quantiles(empty, (2, 3), LEVELS).shape == (0, 2, 4)


def test_what_a_method_could_not_do_is_counted():
    method = registry.forecaster("holt_winters_multiplicative")

    method.fit_predict(NASTY.take(np.array([1, 8])), 2, (0.5,))

    assert dict(method.counts) == {"fitted": 2, "instead": 2}


class TestTheRegistry:
    def test_names_are_unique_and_words_known_to_the_screens(self):
        from forecasting.words import MEANINGS, METHODS

        assert set(CLASSIC) <= set(registry.FORECASTERS)
        assert set(CLASSIC) <= set(METHODS) & set(MEANINGS)

    def test_a_forecaster_is_made_afresh_each_time(self):
        one, two = registry.FORECASTERS["naive"](), registry.FORECASTERS["naive"]()

        assert one == two
        assert one is not two
        assert one is not averages.FORECASTERS[0]

    def test_an_unknown_name_is_answered_with_the_known_ones(self):
        with pytest.raises(ValueError, match=r"no method is called 'crystal'.*naive"):
            registry.forecaster("crystal")

    def test_listing_the_names_imports_no_neural_network(self):
        import subprocess
        import sys

        code = (
            "import sys; from forecasting.engine.methods.registry import FORECASTERS; list(FORECASTERS); "
            "print('torch' in sys.modules, 'forecasting.engine.methods.neural' in sys.modules)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert said.stdout.split() == ["False", "False"]


def test_every_path_forecaster_of_the_classics_can_sum_over_windows():
    for name in CLASSIC:
        assert isinstance(registry.forecaster(name), PathForecaster)
