"""What cleaning hands on: the history that methods may see, and a list of all that was changed in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from forecasting.engine.types import BoolArray, FloatArray, IntArray

KINDS = ("outlier", "dropped", "censored")
"""outlier: capped; dropped: taken out by a person; censored: estimated upwards, the sale being a lower bound."""


@dataclass(frozen=True)
class Changes:
    """One entry a changed cell, by series and period: what was observed, what is used instead, and why (index in
    KINDS)."""

    row: IntArray
    period: IntArray
    observed: FloatArray
    used: FloatArray
    kind: IntArray

    def __len__(self) -> int:
        return len(self.row)


def no_changes() -> Changes:
    whole, numbers = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Changes(whole, whole, numbers, numbers, whole)


@dataclass(frozen=True)
class Cleaned:
    """What the methods may see: `demand` (n, T) ≥ 0, bulk orders capped; `actual` (n, T) the same, capped at three
    times that; `exposure` (n, T) 0..1, how much a period tells of demand (0 before the start, in gaps and where nothing
    is known); rate of a period = demand / exposure.

    Censored periods hold their estimated demand × exposure, so that level = Σ demand / Σ exposure counts no lost day
    as demand. The rest are counts a series, and `changes` names every cell that is not what was observed.
    """

    demand: FloatArray
    actual: FloatArray
    exposure: FloatArray
    live: BoolArray
    starts: IntArray
    gaps: IntArray
    negatives: IntArray
    infinite: IntArray
    huge: IntArray
    censored: IntArray
    outliers: IntArray
    changes: Changes = field(default_factory=no_changes)
