"""Poisson tails and losses of large means, against plain sums term by term and known values."""

import math

import pytest

from procurement.engine.models.newsvendor_discrete import poisson_base_stock
from procurement.engine.models.rq_poisson import poisson_rates
from procurement.engine.poisson import MANY, poisson_chance, poisson_losses, poisson_tails


def plain(k: int, mean: float) -> tuple[float, float]:
    """The tail away from the mean (without k itself) and its loss, added term by term from lgamma's anchor."""
    step = 1 if k > mean else -1
    term = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1.0))
    terms, losses, units = [], [], 0
    while term > 1e-30 * (terms[0] if terms else 1.0):
        units += 1
        term *= mean / (k + units) if step > 0 else (k - units + 1) / mean
        terms.append(term)
        losses.append(units * term)
    return math.fsum(terms), math.fsum(losses)


@pytest.mark.parametrize("mean", [99_000.0, 101_000.0, 1e6, 1e7])
@pytest.mark.parametrize("sigmas", [-6.0, -2.0, 1.0, 3.0, 4.4, 6.0])
def test_tails_and_losses_hold_their_digits_for_every_large_mean(mean: float, sigmas: float) -> None:
    k = int(mean + sigmas * math.sqrt(mean))

    tails, losses = poisson_tails(k, mean), poisson_losses(k, mean)

    tail, loss = plain(k, mean)
    side = 0 if k > mean else 1
    own = 0.0 if k > mean else poisson_chance(k, mean)
    # lgamma of 10⁷ is itself only right to 2·10⁻⁸
    assert tails[1 - side] == pytest.approx(tail + own, rel=5e-8)
    assert losses[side] == pytest.approx(loss, rel=5e-8)
    assert losses[0] - losses[1] == pytest.approx(mean - k, rel=1e-12)


def test_the_chance_of_the_mean_follows_stirlings_series() -> None:
    assert poisson_chance(1e7, 1e7) == pytest.approx(math.exp(-1.0 / 1.2e8) / math.sqrt(2e7 * math.pi), rel=1e-14)
    assert poisson_chance(5, 3.0) == pytest.approx(3.0**5 * math.exp(-3.0) / 120.0, rel=1e-14)


@pytest.mark.parametrize("sigmas", [-3.0, 0.0, 2.0, 4.5])
def test_the_series_continues_the_sum(sigmas: float) -> None:
    k = int(MANY + sigmas * math.sqrt(MANY))

    below, above = poisson_losses(k, MANY), poisson_losses(k, MANY * (1.0 + 1e-16 * 4.0))

    assert below == pytest.approx(above, rel=1e-9)


@pytest.mark.parametrize(("ratio", "stock"), [(1e7, 1_005_204), (1.0, 1_000_000), (1e-7, 994_805)])
def test_the_base_stock_of_a_million_is_the_smallest_that_reaches_the_ratio(ratio: float, stock: int) -> None:
    found = poisson_base_stock(1.0, ratio, 1e6)

    assert found == stock
    if ratio >= 1.0:
        assert poisson_tails(found, 1e6)[1] <= 1.0 / (1.0 + ratio) < poisson_tails(found - 1, 1e6)[1]
    else:
        assert poisson_tails(found - 1, 1e6)[0] < ratio / (1.0 + ratio) <= poisson_tails(found, 1e6)[0]


@pytest.mark.parametrize("mean", [3.0, 50_000.0, 1e7])
def test_the_rates_of_a_range_are_those_of_its_single_positions(mean: float) -> None:
    low = int(mean + 4.0 * math.sqrt(mean))

    rates = poisson_rates(low, low + 200, mean, 1.0, 1e6)

    for place in (0, 77, 200):
        short, left = poisson_losses(float(low + place), mean)
        assert rates[place] == pytest.approx(left + 1e6 * short, rel=1e-11)


def test_positions_below_zero_are_all_short() -> None:
    rates = poisson_rates(-3, -1, 2e5, 1.0, 10.0)

    assert list(rates) == pytest.approx([2_000_030.0, 2_000_020.0, 2_000_010.0], rel=1e-15)
