"""Who succeeds whom, when items launch and when they end: what a planner knows and no history tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.types import FloatArray, IntArray

RAMP_BLOCKS = 4


@dataclass(frozen=True)
class Kinship:
    """predecessor (n,) row of the panel, −1 = none; launch (n,) column of the first day on sale, −1 = as the panel
    says; end (n,) first column without sale, −1 = none. Columns may lie beyond the history. ramp: periods in which a
    successor takes over, 0 = four blocks (4 weeks of days or weeks, 4 months); ramps (n,) each row's own, 0 = `ramp`.
    share (n,) of its predecessor's demand that a successor is expected to have, until its own sales tell; None = all.
    """

    predecessor: IntArray
    launch: IntArray
    end: IntArray
    ramp: int = 0
    ramps: IntArray | None = None
    share: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.predecessor)
        for name in ("predecessor", "launch", "end"):
            values = getattr(self, name)
            if values.shape != (n,) or (n and values.min() < -1):
                raise ValueError(f"kinship: {name} must hold {n} whole numbers of at least -1")
        if n and (self.predecessor.max() >= n or (self.predecessor == np.arange(n)).any()):
            raise ValueError("kinship: predecessor must be another row of the panel")
        if ((self.predecessor >= 0) & (self.launch < 0)).any():
            raise ValueError("kinship: launch must be known where there is a predecessor")
        if self.ramp < 0:
            raise ValueError(f"kinship: ramp must not be negative, got {self.ramp}")
        if self.ramps is not None and (self.ramps.shape != (n,) or (n and self.ramps.min() < 0)):
            raise ValueError(f"kinship: ramps must hold {n} whole numbers of at least 0")
        if self.share is not None and (self.share.shape != (n,) or not (self.share > 0).all()):
            raise ValueError(f"kinship: share must hold {n} numbers above 0")

    def touched(self, present: int) -> IntArray:
        """Rows whose forecast is not that of an ordinary series: successors and their predecessors, launches still to
        come, items that end."""
        out = (self.predecessor >= 0) | (self.end >= 0) | (self.launch > present)
        out[self.predecessor[self.predecessor >= 0]] = True
        return np.flatnonzero(out)

    def lengths(self, block: int) -> IntArray:
        """(n,) periods in which each successor takes over."""
        usual = np.full(len(self.predecessor), self.ramp or RAMP_BLOCKS * block, dtype=np.int64)
        return usual if self.ramps is None else np.where(self.ramps > 0, self.ramps, usual)

    def take_over(self, present: int, horizon: int, block: int) -> FloatArray:
        """(n, H) share of the pair's demand that a successor has at each step: linear over the ramp; 1 for all others.

        Launched 7 days ago, ramp 28 days: the first step ahead has 8 / 28.
        """
        length = self.lengths(block)
        step = present + np.arange(horizon)
        share = np.clip((step[None, :] - self.launch[:, None] + 1) / length[:, None], 0.0, 1.0)
        return np.where((self.predecessor >= 0)[:, None], share, 1.0)
