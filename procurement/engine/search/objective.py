"""Policy parameters as a search sees them, and their cost in the replay: the same demand for every candidate."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from procurement.engine.errors import ParameterError
from procurement.engine.replay import measures
from procurement.engine.replay.checks import Array, per_item, within
from procurement.engine.replay.result import kinds_of_cost
from procurement.engine.replay.simulate import simulate_candidates
from procurement.engine.replay.types import ReplayInput
from procurement.engine.search.types import Space

Kind = Literal["levels", "lots", "multipliers"]

#: Sums of so many bytes are held at once.
SUMS_BYTES = 64_000_000
#: A fill rate below the least by a share x multiplies the cost by 1 + so many times x: a point doubles it.
STEEPNESS = 100.0


def mean_demand(replay: ReplayInput) -> Array:
    """Units a day of each item (N,), read a few items at a time."""
    items = replay.shape[1]
    spans = [(first, min(first + 64, items)) for first in range(0, items, 64)]
    return np.concatenate([replay.source.block(*span).mean(axis=(0, 2)) for span in spans])


@dataclass(frozen=True, slots=True)
class PolicyObjective:
    """Kinds: `levels` = s and S − s of each item; `lots` = s and Q of each; `multipliers` = two factors shared by all
    items, the first on s, S and Q alike, the second on S − s or Q besides (S stays): one problem, and the levels may
    change over time.

    Cost: the replay's total a scenario. `least_fill_rate` (N,), where asked for, makes what falls below it dear.
    """

    replay: ReplayInput
    kind: Kind = "levels"
    least_fill_rate: Any = None
    is_whole: bool = True
    threads: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("levels", "lots", "multipliers"):
            raise ParameterError("kind", "must be levels, lots or multipliers")
        if self.kind != "multipliers" and self.replay.level_days.size > 1:
            raise ParameterError("kind", "must be multipliers where levels change over time")
        if self.kind == "lots" and not self.replay.lot.all():
            raise ParameterError("lot", "must be above 0 for every item whose lot is looked for")
        if self.kind == "levels" and self.replay.lot.any():
            raise ParameterError("lot", "must be 0 where an order-up-to level is looked for")
        if self.least_fill_rate is None:
            unpriced = np.isnan(self.replay.stockout_cost) & (self.replay.backorder_cost_per_day == 0.0)
            if unpriced.any():
                raise ParameterError("stockout_cost", "must be known, or least_fill_rate given: else no stock is best")
            return
        least = per_item("least_fill_rate", self.least_fill_rate, self.replay.shape[1])
        within("least_fill_rate", least, 0.0, 1.0)
        object.__setattr__(self, "least_fill_rate", least)

    @property
    def start(self) -> Array:
        """The replay's own policy as parameters."""
        if self.kind == "multipliers":
            return np.ones((1, 2))
        s, S, lot = (level[:, 0] for level in self.levels)
        return np.stack([s, lot if self.kind == "lots" else S - s], axis=1)

    @property
    def levels(self) -> tuple[Array, Array, Array]:
        return self.replay.reorder_point, self.replay.order_up_to_level, self.replay.lot

    def space(self) -> Space:
        """Wide enough for any sensible policy: some reviews of demand and twice the start's stock around the start."""
        if self.kind == "multipliers":
            return Space(np.array([[0.2, 0.0]]), np.array([[5.0, 5.0]]))
        start = self.start
        a_day = mean_demand(self.replay)
        wait = self.replay.review_days + self.replay.lead_times.mean(axis=1)
        scale = np.maximum(np.maximum(a_day * wait, np.abs(start).sum(axis=1)), 1.0)
        below = np.where(self.replay.is_lost, 0.0, scale)
        low = np.stack([np.minimum(start[:, 0], 0.0) - below, np.full(len(start), float(self.kind == "lots"))], axis=1)
        high = np.stack([start[:, 0] + 2.0 * scale, start[:, 1] + 3.0 * scale], axis=1)
        return Space(low, high, self.is_whole)

    def decoded(self, candidates: Array) -> tuple[Array, Array, Array]:
        """Candidates (C, problems, 2) → reorder point, order-up-to level and lot, each (C, N, U)."""
        s, S, lot = self.levels
        if self.kind == "multipliers":
            up, apart = (candidates[:, 0, k][:, None, None] for k in (0, 1))
            top = np.where(lot > 0.0, s, S) * up
            wanted = np.where(lot > 0.0, top, top - (S - s) * up * apart), np.where(lot > 0.0, S, top), lot * up * apart
            s, S, lot = (np.floor(level + 0.5) for level in wanted) if self.is_whole else wanted
            return s, S, np.where(self.replay.lot > 0.0, np.maximum(lot, 1.0 if self.is_whole else 1e-9), 0.0)
        first, second = candidates[:, :, :1], candidates[:, :, 1:]
        if self.kind == "lots":
            return first, first + second, second
        return first, first + second, np.zeros_like(first)

    def __call__(self, candidates: Array) -> Array:
        """(C, problems, 2) → money a scenario, (C, problems)."""
        scenarios, items, _ = self.replay.shape
        size = max(1, SUMS_BYTES // (scenarios * items * self.replay.batches * measures.COUNT * 8))
        parts = [candidates[first : first + size] for first in range(0, len(candidates), size)]
        return np.concatenate([self._cost(part) for part in parts])

    def _cost(self, candidates: Array) -> Array:
        sums = simulate_candidates(self.replay, *self.decoded(candidates), threads=self.threads)
        cost, fill = self.per_scenario(sums)
        cost = cost.mean(axis=1)
        if self.least_fill_rate is not None:
            missing = np.maximum(self.least_fill_rate - fill, 0.0)
            cost = cost * (1.0 + STEEPNESS * missing) + STEEPNESS * missing * self.replay.unit_cost
        return cost.sum(axis=1, keepdims=True) if self.kind == "multipliers" else cost

    def per_scenario(self, sums: Array) -> tuple[Array, Array]:
        """Cost (C, M, N) and fill rate over all scenarios (C, N; 1 without demand)."""
        cost = kinds_of_cost(self.replay, sums)["total"].sum(axis=-1)
        short, demand = (sums[..., place].sum(axis=(1, 3)) for place in (measures.SHORT, measures.DEMAND))
        return cost, 1.0 - np.divide(short, demand, out=np.zeros_like(short), where=demand > 0.0)
