"""Every compiled kernel against the slow loop that says what it means."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.engine.frame import build_frame
from forecasting.engine.kernels import empirical, history, intermittent, lines, regression, scoring, smoothing
from forecasting.engine.lines import Line, damped_sum
from forecasting.engine.methods import PATH_METHODS
from forecasting.engine.methods.empirical import empirical_window
from forecasting.engine.seasonality import series_profile
from forecasting.engine.types import IntArray
from tests.engine.forecasting.panels import panel_of, shop

N, T = 19, 90  # more than one bundle of sixteen series, the second one not full
ORIGINS = np.array([40, 41, 77, 90])


@pytest.fixture
def demand():
    rng = np.random.default_rng(8)
    return rng.poisson(0.8, (N, T)) * rng.integers(1, 9, (N, T)).astype(float)


@pytest.fixture
def weight():
    return np.where(np.arange(T) % 7 == 5, 0.0, np.random.default_rng(9).uniform(0.5, 1.3, (N, T)))


def best(runs):
    """State of the parameters with the least loss, the first of equals."""
    return min(runs, key=lambda run: run[0])


def test_the_damped_trend_keeps_the_best_of_the_grid_at_each_origin(demand, weight):
    grid = np.array([(0.1, 0.2), (0.4, 0.05), (0.02, 0.3)])
    start = np.linspace(0, 3, N)

    states, losses = smoothing.damped_trend(demand, weight, start, grid, 0.9, ORIGINS)

    for i in range(N):
        for j, origin in enumerate(ORIGINS):
            runs = []
            for alpha, beta in grid:
                level, trend, loss = start[i], 0.0, 0.0
                for t in range(origin):
                    miss = demand[i, t] - weight[i, t] * (level + 0.9 * trend)
                    loss += miss**2
                    level, trend = level + 0.9 * trend + alpha * miss, 0.9 * trend + alpha * beta * miss
                runs.append((loss, level, trend))
            assert (losses[i, j], *states[i, j]) == pytest.approx(best(runs), rel=1e-9)


def test_the_additive_season_keeps_the_best_of_the_grid_at_each_origin(demand, weight):
    grid = np.array([(0.1, 0.2, 0.1), (0.3, 0.05, 0.02)])
    start, season = np.linspace(0, 3, N), np.random.default_rng(1).normal(size=(N, 7))

    states, _ = smoothing.additive_season(demand, weight, start, season, grid, 0.95, ORIGINS)

    for i in range(N):
        for j, origin in enumerate(ORIGINS):
            runs = []
            for alpha, beta, gamma in grid:
                level, trend, loss, cycle = start[i], 0.0, 0.0, list(season[i])
                for t in range(origin):
                    ahead = level + 0.95 * trend
                    miss = demand[i, t] - weight[i, t] * (ahead + cycle[t % 7])
                    loss += miss**2
                    level, trend = ahead + alpha * miss, 0.95 * trend + alpha * beta * miss
                    cycle[t % 7] += gamma * miss
                runs.append((loss, level, trend, *cycle))
            assert list(states[i, j]) == pytest.approx(best(runs)[1:], rel=1e-9)


def plain_croston(demand, weight, alpha):
    size, interval, gap, rate, loss, seen = 0.0, 1.0, 0.0, 0.0, 0.0, False
    for y, w in zip(demand, weight, strict=True):
        loss += (y - w * rate) ** 2
        gap += w
        if y > 0:
            length, gain = max(gap, 0.1), alpha if seen else 1.0
            size, interval = size + gain * (y - size), interval + gain * (length - interval)
            rate, gap, seen = (1 - alpha / 2) * size / interval, 0.0, True
    return loss, rate


def plain_tsb(demand, weight, chance, alpha, beta):
    size, loss, seen = 0.0, 0.0, False
    for y, w in zip(demand, weight, strict=True):
        loss += (y - w * chance * size) ** 2
        if y > 0:
            size, seen = size + (alpha if seen else 1.0) * (y - size), True
        chance = max(chance + beta * ((1.0 if y > 0 else 0.0) - w * chance), 0.0)
    return loss, chance * size


def test_intermittent_rates_are_those_of_the_best_parameters_at_each_origin(demand, weight):
    alphas, grid = np.array([0.05, 0.3]), np.array([(0.2, 0.03), (0.05, 0.2)])

    steady, _ = intermittent.croston(demand, weight, alphas, 0.1, ORIGINS)
    fading, _ = intermittent.fading(demand, weight, np.full(N, 0.4), grid, ORIGINS)

    for i in range(N):
        for j, o in enumerate(ORIGINS):
            y, w = demand[i, :o], weight[i, :o]
            assert steady[i, j] == pytest.approx(best([plain_croston(y, w, a) for a in alphas])[1], rel=1e-9)
            assert fading[i, j] == pytest.approx(best([plain_tsb(y, w, 0.4, a, b) for a, b in grid])[1], rel=1e-9)


def test_discounted_sums_are_weighted_by_age(demand):
    sums = history.discounted_sums(demand, 0.9, ORIGINS)

    for i in range(N):
        for j, origin in enumerate(ORIGINS):
            plain = sum(0.9 ** (origin - 1 - t) * demand[i, t] for t in range(origin))
            assert sums[i, j] == pytest.approx(plain, rel=1e-9)


def test_last_values_fill_a_gap_with_the_same_phase_of_the_season_before():
    demand, share = np.array([[1.0, 2, 3, 4, 5, 6]]), np.array([[1.0, 1, 1, 1, 0, 0.5]])
    unseen = np.array([[False, False, False, False, True, False]])

    last, cycle = history.last_values(demand, share, unseen, 3, np.array([2, 6]))

    assert last[0].tolist() == [2.0, 12.0]  # half a day in stock sold 6
    assert cycle[0].tolist() == [[1.0, 2.0, 0.0], [4.0, 2.0, 12.0]]


def test_recent_sums_count_seen_periods_only():
    demand, weight = np.array([[1.0, 2, 0, 4, 5]]), np.array([[1.0, 1, 0, 1, 1]])

    top, base = history.recent_sums(demand, weight, weight == 0, np.array([2, 5]), 3)

    assert top[0].tolist() == [3.0, 11.0]
    assert base[0].tolist() == [2.0, 3.0]


def test_profiles_equal_the_matrix_product(demand):
    exposure = (np.arange(T) % 7 != 5)[None, :] * np.ones((N, 1))
    demand = demand * exposure
    pooled = np.tile(np.array([1.2, 1, 1, 1, 1.4, 0, 1.4]), (len(ORIGINS), 1))

    found = history.shrunk_profiles(demand, exposure, ORIGINS, pooled, 0.5 ** (1 / 120), 20.0, 0.01, 1e-9)

    assert found == pytest.approx(series_profile(demand, exposure, ORIGINS, pooled, 120.0, 20.0), rel=1e-9)


def test_sums_of_held_out_spans_are_scaled_up_where_partly_unseen():
    actual, seen = np.array([[1.0, 2, 0, 4, 5]]), np.array([[1.0, 1, 0, 1, 1]])

    total, valid = history.span_sums(actual, seen, np.array([1]), np.array([(0, 4), (1, 2), (1, 5)]), 0.75)

    assert total[0, 0].tolist() == [pytest.approx(11 / 0.75), 0.0, 0.0]
    assert valid[0, 0].tolist() == [True, False, False]


def test_the_naive_scale_counts_steps_between_whole_periods_from_the_first_sale_on():
    values, seen = np.array([[0.0, 3, 5, 0, 9]]), np.array([[1.0, 1, 1, 0.5, 1]])

    assert history.mean_step(values, seen, 5).tolist() == [2.0]
    assert history.mean_step(values, seen, 1).tolist() == [0.0]


def frame_of(values, starts=None, in_stock=None):
    from forecasting.engine import fit_pooled
    from forecasting.engine.cleaning import clean

    panel = panel_of(values, starts=starts, in_stock=in_stock)
    pooled = fit_pooled(panel, horizon=14, windows=(7, 14))
    cleaned = clean(panel)
    return cleaned, build_frame(cleaned, pooled.calendar), pooled


def test_quantiles_of_past_sums_slide_as_if_taken_anew_at_each_origin():
    values = shop(21, 300)
    starts: IntArray = np.arange(21) * 14
    share = np.ones(values.shape)
    share[3, 100:180] = 0.4
    share[4, 150:] = 0.0
    cleaned, frame, _ = frame_of(values, starts, share)
    origins, windows, levels = np.array([5, 150, 164, 178, 300]), np.array([3, 7, 14, 200]), (0.5, 0.8, 0.95)

    quantiles, mean = empirical.past_quantiles(
        cleaned.actual, cleaned.exposure, cleaned.starts, origins, windows, 7, 210, 0.75, np.array(levels)
    )

    for j, origin in enumerate(origins):
        for k, window in enumerate(windows):
            plain, centre, _ = empirical_window(
                frame, cleaned.actual, cleaned.exposure, int(origin), int(window), levels
            )
            assert quantiles[:, j, k] == pytest.approx(plain, rel=1e-9, abs=1e-9)
            assert mean[:, j, k] == pytest.approx(centre, rel=1e-9, abs=1e-9)


def test_window_sums_of_every_method_are_those_of_its_floored_path():
    _, frame, _ = frame_of(shop(20, 200))
    floor = np.random.default_rng(3).uniform(0, 2, (20, len(frame.origins)))
    spans = np.array([(0, 1), (0, 7), (3, 4), (5, 14)])

    for method in PATH_METHODS:
        path = np.maximum(method.path(frame), floor[:, :, None] * frame.factor)

        sums = method.line(frame).sums(frame, floor, spans)

        plain = np.stack([path[:, :, a:b].sum(axis=2) for a, b in spans], axis=2)
        assert sums == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_a_line_multiplies_its_level_by_block():
    factor = np.ones((1, 1, 4))
    line = Line(np.array([[2.0]]), blocks=np.array([[[1.0, 3.0]]]), trend=np.array([[1.0]]))

    path = line.unroll(factor, np.array([9]), ((0, 1), (1, 4)))

    assert path[0, 0] == pytest.approx(np.array([2.0, 6, 6, 6]) + damped_sum(4, 0.95))
    assert lines.line_sums is not None


def test_table_scores_equal_plain_interpolation_and_pinball():
    rng = np.random.default_rng(2)
    taus = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
    actual, centre, key = rng.poisson(4, (6, 2, 1)) * 1.0, rng.uniform(1, 6, (6, 2, 1)), rng.normal(0, 2, (6, 2, 1))
    keys, ratios = np.array([-1.0, 0.5, 0.5, 2.0]), np.sort(rng.uniform(0, 3, (4, 5)), axis=1)
    loss, within, band = np.zeros((6, 2, 1)), np.zeros((6, 2, 1)), np.zeros((6, 2, 1, 2))
    cells = np.full((2, 1), 4)
    many = np.broadcast_to(keys, (2, 1, 4)).copy(), np.broadcast_to(ratios, (2, 1, 4, 5)).copy()

    scoring.score_tables(actual, centre, key, cells, *many, np.full((6, 1), 2.0), taus, loss, within, band)

    for i in range(6):
        for f in range(2):
            place = np.interp(key[i, f, 0], keys, np.arange(4.0))
            low, high = int(place), min(int(place) + 1, 3)
            row = centre[i, f, 0] * (ratios[low] + (place - low) * (ratios[high] - ratios[low]))
            gaps = actual[i, f, 0] - row
            plain = np.mean([max(t * g, (t - 1) * g) for t, g in zip(taus, gaps, strict=True)])
            assert loss[i, f, 0] == pytest.approx(plain / 2)
            assert within[i, f, 0] == (actual[i, f, 0] <= row[3])
            assert band[i, f, 0] == pytest.approx(row[[0, 3]])
    assert scoring.ratios_at(key[:, 0, 0], keys, ratios) == pytest.approx(
        np.array([[np.interp(k, keys, ratios[:, q]) for q in range(5)] for k in key[:, 0, 0]])
    )


def test_one_newton_step_adds_up_gradient_and_curvature():
    rng = np.random.default_rng(5)
    design, target, weight, beta = (
        rng.normal(size=(30, 3)),
        rng.uniform(0, 3, 30),
        rng.uniform(0, 1, 30),
        rng.normal(size=3),
    )

    gradient, hessian = regression.poisson_equations(design, target, weight, beta)

    fitted = np.exp(np.clip(design @ beta, -4, 3))
    assert gradient == pytest.approx(design.T @ (weight * (target - fitted)), rel=1e-9)
    assert hessian == pytest.approx((design * (weight * fitted)[:, None]).T @ design, rel=1e-9)


def test_where_no_folder_can_keep_the_machine_code_a_kernel_is_compiled_without(monkeypatch):
    import numba

    from forecasting.engine.kernels.compiled import kernel

    asked = []

    def njit(*, cache=False, **options):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)

    assert kernel(abs) is abs
    assert asked == [True, False]
