"""Where a replay's demand comes from: held in memory, or made chunk by chunk."""

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay.checks import Array, as_numbers, within


class DemandSource(Protocol):
    """Demand that is made when it is needed; the same items always get the same days, whatever the chunk."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(M, N, T)."""

    def block(self, start: int, stop: int) -> Array:
        """(M, stop − start, T) units of the items start … stop − 1."""


@dataclass(frozen=True, slots=True)
class GivenDemand:
    """Demand held in memory: (N, T) for one scenario, or (M, N, T); finite and not negative."""

    units: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        return cast("tuple[int, int, int]", self.units.shape)

    def block(self, start: int, stop: int) -> Array:
        return self.units[:, start:stop]


def demand_source(demand: Any) -> DemandSource:
    if hasattr(demand, "block") and hasattr(demand, "shape"):
        source = cast(DemandSource, demand)
    else:
        units = as_numbers("demand", demand)
        if units.ndim not in (2, 3):
            raise ParameterError("demand", f"must be items × days or scenarios × items × days, not {units.shape}")
        within("demand", units)
        source = GivenDemand(np.ascontiguousarray(units if units.ndim == 3 else units[None]))
    if len(source.shape) != 3 or min(source.shape) < 1:
        raise ParameterError("demand", f"must hold at least one scenario, item and day, not {source.shape}")
    return source
