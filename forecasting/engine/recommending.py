"""Which items a recommender should show more, and which it should hold back: a score from −1 to 1 with its reasons.

Per item, in units and days: F free to be promised now, A arriving within the protection interval of P days, D demand
expected over it, and N ≤ D demand expected until the next supply (an arrival, else the end of the interval).

    hold     F < N            about to run out            s = −1 + ½ F / N            −1 … −.5
    else     r = (F + A) / D  cover in intervals          s = (r − 1) / (r + 1)       up to 1; r = 1 → 0, 3 → .5
             phasing out                                  s ← s + ½ (1 − s)           stock that must go
             no forecast                                  s = 0, or ½ when phasing out
             nothing free                                 s = −1, whatever else
             not for sale                                 s = −1, whatever else

So more stock never lowers a score, what is about to run out is held whatever else is true of it, and a verdict follows
from the score alone: push from .25, hold below 0, neutral between. No demand at all: r counts as RICH, its largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.engine.types import BoolArray, FloatArray

PUSH, RICH = 0.25, 20.0
VERDICTS = ("hold", "neutral", "push")
REASONS = (
    "not_for_sale",
    "out_of_stock",
    "runs_out",
    "overstocked",
    "healthy",
    "thin",
    "arriving",
    "phase_out",
    "no_demand",
    "no_forecast",
)


@dataclass(frozen=True, slots=True)
class Situation:
    """Of n items (n,): see the module. `arriving` counts what comes within the interval, however soon."""

    free: FloatArray
    arriving: FloatArray
    demand: FloatArray
    until_supply: FloatArray
    is_phase_out: BoolArray
    is_for_sale: BoolArray
    is_forecast: BoolArray


@dataclass(frozen=True, slots=True)
class Advice:
    """(n,) score and index into VERDICTS; (n, len(REASONS)) which reasons hold; cover in intervals (n,)."""

    score: FloatArray
    verdict: FloatArray
    reasons: BoolArray
    cover: FloatArray


def advise(items: Situation) -> Advice:
    """The scores of n items. F = 30, A = 0, D = N = 10: r = 3, s = .5, push: overstocked. F = 4, N = 10: s = −.8."""
    free = np.maximum(items.free, 0.0)
    demand = np.maximum(items.demand, 0.0)
    some = demand > 0
    cover = np.where(some, np.minimum((free + items.arriving) / np.where(some, demand, 1.0), RICH), RICH)
    is_short = free < items.until_supply
    is_empty = free <= 0
    score = np.where(items.is_forecast, (cover - 1.0) / (cover + 1.0), 0.0)
    score = np.where(items.is_phase_out, score + 0.5 * (1.0 - score), score)
    due = np.where(items.until_supply > 0, items.until_supply, 1.0)
    score = np.where(is_short, -1.0 + 0.5 * np.minimum(free / due, 1.0), score)
    score = np.where(is_empty | ~items.is_for_sale, -1.0, score)
    verdict = np.where(score >= PUSH, 2, np.where(score < 0, 0, 1))
    there = items.is_for_sale & ~is_empty & ~is_short
    stands = there & items.is_forecast
    held = {
        "not_for_sale": ~items.is_for_sale,
        "out_of_stock": items.is_for_sale & is_empty,
        "runs_out": items.is_for_sale & ~is_empty & is_short,
        "overstocked": stands & some & (cover >= _cover_of(PUSH)),
        "healthy": stands & some & (cover >= 1.0) & (cover < _cover_of(PUSH)),
        "thin": stands & some & (cover < 1.0),
        "arriving": items.is_for_sale & (items.arriving > 0),
        "phase_out": items.is_for_sale & items.is_phase_out,
        "no_demand": stands & ~some,
        "no_forecast": there & ~items.is_forecast,
    }
    return Advice(score, verdict, np.stack([held[name] for name in REASONS], axis=1), cover)


def _cover_of(score: float) -> float:
    """r of a score: .25 → 1.667."""
    return (1.0 + score) / (1.0 - score)
