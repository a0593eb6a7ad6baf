"""How much of the stock is too much: beyond what demand takes in the longest cover, before expiry, before the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from procurement.engine.distributions import gamma_losses
from procurement.engine.errors import ParameterError

#: A mean below this is no demand; a smoothed forecast decays for ever.
NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class Excess:
    """`units` not expected to sell within `days`; `sold` those that are, out of `stock`."""

    units: float
    sold: float
    days: float


def expected_sales(stock: float, mean: float, sd: float) -> float:
    """E[min(D, stock)], units, for gamma demand with this mean and sd. Mean 10, sd 5, stock 10 → 8.0463."""
    if mean <= NEGLIGIBLE or stock <= 0.0:
        return 0.0
    if sd <= 0.0:
        return min(mean, stock)
    shape = max((mean / sd) ** 2, 1e-12)
    return min(max(0.0, mean - gamma_losses(stock, shape, mean / shape)[0]), stock, mean)


def demand_over(days: float, daily_mean: float, daily_sd: float, level_error: float = 0.2) -> tuple[float, float]:
    """Mean and sd of the demand of `days`: independent days, and a level that may be wrong by this share of itself.

    4 a day ± 3 over 25 days: 100 ± √(25·9 + 400) = 25.
    """
    mean = daily_mean * days
    return mean, sqrt(days * daily_sd**2 + (level_error * mean) ** 2)


def excess_stock(
    stock: float, *, daily_mean: float, daily_sd: float, days: float, lots: Sequence[tuple[float, float]] = ()
) -> Excess:
    """Units left over after `days`, on average; `lots` are (days to expiry, units), used up first-expired-first-out.

    With lots, each lot's leftover at its own expiry counts; what has expired by then cannot sell. 90 units, 4 ± 3 a
    day, two weeks: 34.246 left.
    """
    for name, value in (("stock", stock), ("daily_mean", daily_mean), ("daily_sd", daily_sd), ("days", days)):
        if not value >= 0.0:
            raise ParameterError(name, "must be a number of at least 0")
    if not lots:
        sold = expected_sales(stock, *demand_over(days, daily_mean, daily_sd))
        return Excess(stock - sold, sold, days)
    sold = gone = 0.0
    reached = 0.0
    for until, units in sorted(lots):
        if until > days or units <= 0.0:
            continue
        by_then = expected_sales(sold + units, *demand_over(max(until, 0.0), daily_mean, daily_sd))
        used = min(max(by_then - sold, 0.0), units)
        sold, gone, reached = sold + used, gone + units - used, until
    return Excess(gone, sold, reached)
