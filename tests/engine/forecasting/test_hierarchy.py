"""Forecasts of all levels add up: exactly, by every method of reconciliation, and draw by draw of the joint samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from forecasting.engine.hierarchy import (
    METHODS,
    Dependence,
    Tree,
    channel_shares,
    reconcile,
    sample_groups,
    split_channels,
    sums_of_groups,
    to_grid,
)
from forecasting.engine.hierarchy.joint import common_path, weights_given

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def grouped_tree() -> Tree:
    return Tree.of({"category": np.array([0, 0, 1, 1, 1]), "warehouse": np.array([0, 1, 0, 1, 1])})


def test_a_tree_sums_its_series_to_every_level() -> None:
    tree = grouped_tree()

    levels = tree.aggregate(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))

    assert levels.tolist() == [15.0, 3.0, 12.0, 4.0, 11.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@given(st.lists(st.floats(0, 5e5), min_size=5, max_size=5), st.randoms())
@settings(max_examples=60, deadline=None)
def test_on_the_grid_sums_are_equal_in_any_order(values: list[float], order: object) -> None:
    parts = to_grid(np.array(values)).tolist()
    shuffled = list(parts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    assert sum(parts) == sum(shuffled)
    assert np.float32(parts[0]) == parts[0]


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_method_is_coherent_and_never_negative(method: str, seed: int) -> None:
    tree = grouped_tree()
    base = np.random.default_rng(seed).gamma(1.0, 10.0, (10, 3)) - 2.0

    bottom = to_grid(reconcile(tree, base, method=method, middle="category"))

    levels = tree.aggregate(bottom)
    assert (bottom >= 0).all()
    assert (levels[0] == levels[tree.level("category")].sum(axis=0)).all()
    assert (levels[0] == levels[tree.level("warehouse")].sum(axis=0)).all()


def test_mint_shares_the_gap_by_the_variances_as_worked_by_hand() -> None:
    tree = Tree((("total"),), (np.zeros(2, dtype=np.int64),), (1,), 2)

    bottom = reconcile(tree, np.array([[110.0], [40.0], [60.0]]), method="mint", variances=np.array([2.0, 1.0, 1.0]))

    assert bottom[:, 0] == pytest.approx([42.5, 62.5], rel=1e-12)


def test_mint_equals_the_projection_of_generalised_least_squares() -> None:
    """b̃ = (SᵀW⁻¹S)⁻¹SᵀW⁻¹ŷ (Hyndman & Athanasopoulos, fpp3 §11.3), solved densely."""
    tree, rng = grouped_tree(), np.random.default_rng(3)
    weights = rng.gamma(2.0, 1.0, 10)
    base = tree.aggregate(rng.gamma(50.0, 1.0, (5, 4))) * rng.uniform(0.9, 1.1, (10, 4))
    summing = np.concatenate([tree.above.toarray(), np.eye(5)])
    inverse = np.diag(1 / weights)
    expected = np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse @ base)

    assert reconcile(tree, base, method="mint", variances=weights) == pytest.approx(expected, rel=1e-9)


def test_mint_leaves_coherent_forecasts_alone() -> None:
    tree = grouped_tree()
    base = tree.aggregate(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]))

    assert reconcile(tree, base, method="mint")[:, 0] == pytest.approx([1, 2, 3, 4, 5], rel=1e-12)


def test_top_down_shares_the_total_by_forecast_proportions() -> None:
    tree = grouped_tree()
    base = np.array([[30.0], [0], [0], [0], [0], [1.0], [2.0], [3.0], [4.0], [5.0]])

    assert reconcile(tree, base, method="top_down")[:, 0] == pytest.approx([2, 4, 6, 8, 10])


def test_middle_out_keeps_the_middle_level() -> None:
    tree = grouped_tree()
    base = np.array([[99.0], [6.0], [24.0], [0], [0], [1.0], [2.0], [3.0], [4.0], [5.0]])

    bottom = reconcile(tree, base, method="middle_out", middle="category")

    assert bottom[:, 0] == pytest.approx([2, 4, 6, 8, 10])
    assert tree.aggregate(bottom)[tree.level("category"), 0] == pytest.approx([6, 24])


def test_a_wrong_shape_method_or_level_is_refused_by_name() -> None:
    tree = grouped_tree()

    with pytest.raises(ValueError, match="base must have shape"):
        reconcile(tree, np.zeros((9, 1)))
    with pytest.raises(ValueError, match="method must be one of"):
        reconcile(tree, np.zeros((10, 1)), method="magic")
    with pytest.raises(ValueError, match="middle must be one of"):
        reconcile(tree, np.zeros((10, 1)), method="middle_out", middle="brand")


def normal_series(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n series of one day, normal with mean 100 and standard deviation 10: quantiles at LEVELS."""
    q = np.broadcast_to(100 + 10 * norm.ppf(LEVELS), (n, 1, len(LEVELS))).copy()
    return np.full((n, 1), 100.0), q


def test_without_dependence_the_spread_of_a_sum_grows_with_the_root() -> None:
    mean, quantiles = normal_series(400)

    sums = sums_of_groups(np.zeros(400, dtype=np.int64), 1, mean, quantiles, LEVELS)
    draws = sample_groups(sums, dependence=Dependence(0.0, 0.0), samples=4000)[0, 0]

    single = sums_of_groups(np.zeros(1, dtype=np.int64), 1, mean[:1], quantiles[:1], LEVELS)
    alone = sample_groups(single, dependence=Dependence(0.0, 0.0), samples=4000)[0, 0]
    assert draws.mean() == pytest.approx(40_000, rel=1e-9)
    assert draws.std() / alone.std() == pytest.approx(20.0, rel=0.05)


def test_with_dependence_the_spread_of_a_sum_hardly_shrinks() -> None:
    """Of equal normals with correlation ρ the sum of many has standard deviation n·σ·√ρ."""
    mean, quantiles = normal_series(400)
    sums = sums_of_groups(np.zeros(400, dtype=np.int64), 1, mean, quantiles, LEVELS)

    loose = sample_groups(sums, dependence=Dependence(0.0, 0.0), samples=4000)[0, 0].std()
    bound = sample_groups(sums, dependence=Dependence(0.25, 0.0), samples=4000)[0, 0].std()

    assert bound / loose == pytest.approx(np.sqrt(0.25 * 400 + 0.75), rel=0.12)


def test_a_quantile_of_a_sum_is_not_the_sum_of_quantiles() -> None:
    """21 independent Poisson days of mean 1: the .95 quantile of the sum is 29, the sum of the .95 quantiles is 63."""
    levels = tuple(float(x) for x in np.arange(0.01, 1.0, 0.01))
    quantiles = np.broadcast_to(poisson.ppf(levels, 1.0), (1, 21, 99)).copy()

    sums = sums_of_groups(np.zeros(1, dtype=np.int64), 1, np.ones((1, 21)), quantiles, levels)
    draws = sample_groups(sums, dependence=Dependence(0.0, 0.0), samples=4000)[0].sum(axis=0)

    assert np.quantile(draws, 0.95) == pytest.approx(poisson.ppf(0.95, 21), abs=1.5)
    assert quantiles[0, :, 94].sum() == 63


def test_parents_are_the_sums_of_their_childrens_draws_and_a_seed_repeats_them() -> None:
    rng = np.random.default_rng(1)
    quantiles = np.sort(rng.gamma(2.0, 3.0, (30, 5, len(LEVELS))), axis=2)
    codes = np.arange(30) % 6
    sums = sums_of_groups(codes, 6, quantiles.mean(axis=2), quantiles, LEVELS)

    one, two = (sample_groups(sums, dependence=Dependence(), samples=50, seed=4) for _ in range(2))

    assert (one == two).all()
    assert (one >= 0).all()
    assert one.mean(axis=2) == pytest.approx(sums.mean, rel=1e-9)


def test_chunks_of_series_add_up_to_the_same_sums() -> None:
    rng = np.random.default_rng(2)
    quantiles = np.sort(rng.gamma(2.0, 3.0, (20, 3, len(LEVELS))), axis=2)
    codes, mean = np.arange(20) % 4, quantiles.mean(axis=2)
    whole = sums_of_groups(codes, 4, mean, quantiles, LEVELS)

    parts = sums_of_groups(codes[:9], 4, mean[:9], quantiles[:9], LEVELS) + sums_of_groups(
        codes[9:], 4, mean[9:], quantiles[9:], LEVELS
    )

    assert parts.product == pytest.approx(whole.product, rel=1e-12)
    assert parts.mean == pytest.approx(whole.mean, rel=1e-12)


def test_conditional_moments_equal_a_plain_loop_over_the_series() -> None:
    """Oracle: every series' quantile function evaluated at every ε, mean and variance taken the long way."""
    rng, rho = np.random.default_rng(5), 0.3
    quantiles = np.sort(rng.gamma(2.0, 3.0, (4, 1, len(LEVELS))), axis=2)
    sums = sums_of_groups(np.zeros(4, dtype=np.int64), 1, quantiles.mean(axis=2), quantiles, LEVELS)
    first, second = weights_given(np.array([0.7]), sums.knots, rho)

    slope = (quantiles[:, 0, -1] - quantiles[:, 0, -2]) / (LEVELS[-1] - LEVELS[-2])
    tail = quantiles[:, 0, -1] + slope * (sums.knots[-1] - LEVELS[-1])
    noise = norm.ppf((np.arange(41) + 0.5) / 41)
    mean = variance = 0.0
    for i in range(4):
        knots = [0.0, *quantiles[i, 0], tail[i]]
        u = np.clip(norm.cdf(np.sqrt(rho) * 0.7 + np.sqrt(1 - rho) * noise), 0, sums.knots[-1])
        values = np.interp(u, sums.knots, knots)
        mean, variance = mean + values.mean(), variance + values.var()

    assert float(sums.first[0, 0] @ first[0]) == pytest.approx(mean, rel=1e-9)
    assert float((sums.product[0, 0] * second[0]).sum()) == pytest.approx(variance, rel=1e-9)


def test_the_common_path_persists_from_day_to_day() -> None:
    path = common_path(30, 4000, Dependence(0.2, 0.9), np.random.default_rng(0))

    assert np.corrcoef(path[10], path[11])[0, 1] == pytest.approx(0.9, abs=0.02)
    assert path[29].std() == pytest.approx(1.0, abs=0.05)


def test_shares_are_drawn_to_the_prior_by_little_data() -> None:
    shares = channel_shares(np.array([[3.0, 1.0], [0.0, 0.0]]), np.array([4.0, 0.0]), np.array([[0.5, 0.5]] * 2), 4.0)

    assert shares.tolist() == [[0.625, 0.375], [0.5, 0.5]]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_channels_add_up_exactly_to_their_series(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mean = to_grid(rng.gamma(0.5, 5.0, (6, 4)))
    quantiles = np.maximum.accumulate(mean[:, :, None] + rng.normal(0, 2, (6, 4, 5)), axis=2).clip(0)
    shares = channel_shares(rng.gamma(0.3, 1.0, (6, 3)), rng.gamma(2.0, 3.0, 6), np.ones((6, 3)))

    split = split_channels(shares, mean, quantiles)

    assert (split.mean.sum(axis=1) == mean).all()
    assert (split.mean >= 0).all()
    assert (np.diff(split.quantiles, axis=3) >= -1e-12).all()


def test_the_only_channel_has_the_whole_forecast() -> None:
    mean, quantiles = to_grid(np.array([[2.5]])), np.array([[[1.0, 2.0, 6.0]]])

    split = split_channels(np.ones((1, 1)), mean, quantiles)

    assert split.mean[0, 0].tolist() == [2.5]
    assert split.quantiles[0, 0, 0] == pytest.approx([1.0, 2.0, 6.0])
