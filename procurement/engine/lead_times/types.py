"""Observations of lead times, and what is learned from them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """M receipts and open orders, one row a line: `days` from order to receipt, or so far where `is_open`.

    `shipment` names what came together: lines of one shipment are one observation of the supplier, and part receipts
    of one line (same item and shipment) are one observation of the item, at the unit-weighted mean day. `promised` days
    (nan unknown) give the bias of promises. All in calendar days.
    """

    supplier: NDArray[np.int64]
    item: NDArray[np.int64]
    shipment: NDArray[np.int64]
    days: Array
    is_open: NDArray[np.bool_]
    units: Array
    promised: Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class Profile:
    """A gamma lead time in days. `observations` of its own (shipments), `own_weight` the share they decide.

    `promised_bias`: mean days later than promised (negative: earlier), nan without promises.
    """

    mean: float
    sd: float
    observations: int
    own_weight: float
    promised_bias: float = float("nan")

    @property
    def shape(self) -> float:
        return (self.mean / self.sd) ** 2 if self.sd > 0.0 else float("inf")

    @property
    def scale(self) -> float:
        return self.sd * self.sd / self.mean if self.mean > 0.0 else 0.0

    def quantile(self, probability: float) -> float:
        """Days not exceeded with `probability`. Mean 20, sd 11.2: quantile(0.95) = 41.5."""
        from scipy.special import gammaincinv

        if self.sd <= 0.0 or self.mean <= 0.0:
            return self.mean
        return float(gammaincinv(self.shape, probability) * self.scale)
