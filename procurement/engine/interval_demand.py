"""Demand over an interval as one of four families with given mean and variance: losses, distribution, quantile."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from procurement.engine import distributions
from procurement.engine.distributions import Losses, critical_score
from procurement.engine.errors import ParameterError
from procurement.engine.poisson import poisson_losses, poisson_tails
from procurement.engine.quantiles import upper_tail

FAMILIES = ("normal", "poisson", "gamma", "negative_binomial")


@dataclass(frozen=True, slots=True)
class IntervalDemand:
    """Units over an interval. Gamma: shape mean²/variance; negative binomial: p = mean/variance, r = mean·p/(1 − p)."""

    family: str
    mean: float
    variance: float

    def __post_init__(self) -> None:
        if self.family == "negative_binomial" and self.mean > 0.0 and self.variance <= self.mean:
            raise ParameterError("demand_sd", "is too small: a negative binomial's variance is above its mean")

    @property
    def is_counted(self) -> bool:
        return self.family in ("poisson", "negative_binomial")

    @property
    def sd(self) -> float:
        return math.sqrt(self.variance)

    @property
    def _shape(self) -> tuple[float, float]:
        if self.family == "gamma":
            return self.mean * (self.mean / self.variance), self.variance / self.mean
        p = self.mean / self.variance
        return self.mean * p / ((self.variance - self.mean) / self.variance), p

    def losses(self, x: float) -> Losses:
        """E[(D − x)⁺] and E[(x − D)⁺]."""
        if self.family == "poisson" or self.mean == 0.0:
            return poisson_losses(x, self.mean)
        if self.family == "normal" or self.variance == 0.0:
            return distributions.normal_losses(x, self.mean, self.sd)
        if self.family == "gamma":
            return distributions.gamma_losses(x, *self._shape)
        return distributions.negative_binomial_losses(x, *self._shape)

    def more_than(self, x: float) -> float:
        """P(D > x)."""
        from scipy.special import betainc, gammaincc

        if self.mean == 0.0 or self.variance == 0.0:
            return float(x < self.mean)
        if self.family == "normal":
            return upper_tail((x - self.mean) / self.sd)
        if x < 0.0:
            return 1.0
        if self.family == "poisson":
            return poisson_tails(math.floor(x), self.mean)[1]
        if self.family == "gamma":
            return float(gammaincc(self._shape[0], x / self._shape[1]))
        r, p = self._shape
        return float(betainc(math.floor(x) + 1.0, r, 1.0 - p))

    def at_most(self, x: float) -> float:
        return 1.0 - self.more_than(x)

    def quantile(self, excess: float, shortage: float) -> float:
        """The smallest x with P(D > x) ≤ excess/(excess + shortage); whole where demand is counted."""
        if self.mean == 0.0 or self.variance == 0.0:
            return self.mean
        if self.family == "normal":
            return self.mean + critical_score(shortage, excess) * self.sd
        tail = excess / (excess + shortage)
        if self.family == "gamma":
            from scipy.special import gammainccinv, gammaincinv

            shape, scale = self._shape
            inverse = gammainccinv(shape, tail) if tail < 0.5 else gammaincinv(shape, shortage / (excess + shortage))
            return float(scale * inverse)
        return self.smallest(lambda x: self.more_than(x) <= tail * (1.0 + 1e-12))

    def smallest(self, enough: Callable[[float], bool]) -> float:
        """The smallest x at which `enough` holds, as it does from some x on: by bisection, whole where counted."""
        low, step = (-1.0, 1.0 + 2.0 * self.sd) if self.is_counted else (self.mean - 2.0 * self.sd, 1.0 + self.sd)
        while not self.is_counted and enough(low):
            low -= step
            step *= 2.0
        high = max(low, math.floor(self.mean)) + (math.ceil(step) if self.is_counted else step)
        while not enough(high):
            low, high = high, high + 2.0 * (high - low)
        for _ in range(200):
            middle = math.floor((low + high) / 2.0) if self.is_counted else (low + high) / 2.0
            if middle in (low, high):
                break
            low, high = (low, middle) if enough(middle) else (middle, high)
        return int(high) if self.is_counted else high
