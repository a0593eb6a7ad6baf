"""Demand classes after Syntetos, Boylan & Croston (2005): how often a SKU sells (ADI) and how varied the sizes are
(CV²)."""

from __future__ import annotations

import numpy as np

from forecasting.engine.types import FloatArray

ADI_CUT = 1.32
CV2_CUT = 0.49
CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "none")


def demand_intervals(demand: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ADI and CV² of each series, both (n,).

    ADI = observed periods / periods with a sale (∞ without a sale); CV² = (population sd / mean)² of the sizes of the
    sales.
    Sales 0 0 3 0 0 5: ADI = 6/2 = 3, sizes 3 and 5: CV² = (1/4)² = 0.0625 → intermittent.
    Closed days carry no exposure, so a shop that never sells on Saturdays is not intermittent for that.
    """
    sold = demand > 0
    events = sold.sum(axis=1)
    safe = np.maximum(events, 1)
    adi = np.where(events > 0, exposure.sum(axis=1) / safe, np.inf)
    mean = demand.sum(axis=1) / safe
    variance = np.maximum((demand**2).sum(axis=1) / safe - mean**2, 0.0)
    cv2 = np.where(events > 0, variance / np.maximum(mean, 1e-12) ** 2, 0.0)
    return adi, cv2


def demand_classes(adi: FloatArray, cv2: FloatArray) -> list[str]:
    """smooth, erratic, intermittent or lumpy; `none` where nothing was ever sold. The cut values belong to the upper
    class."""
    often, even = adi < ADI_CUT, cv2 < CV2_CUT
    code = np.where(often & even, 0, np.where(often, 1, np.where(even, 2, 3)))
    code = np.where(np.isfinite(adi), code, 4)
    return [CLASSES[c] for c in code]


ABC_CUTS = (0.8, 0.95)
XYZ_CUTS = (0.5, 1.0)


def value_classes(value: FloatArray, cuts: tuple[float, float] = ABC_CUTS) -> list[str]:
    """A, B or C of each series by its share of the total value (n,), the most valuable first: A until 80 % of it is
    reached, B until 95 %, C the rest. The series that crosses a cut still belongs to the upper class; without value: C.

    Values 50, 30, 15, 5: shares before each 0, .5, .8, .95 → A, A, B, C. Equal values keep their order.
    """
    worth = np.maximum(np.nan_to_num(np.asarray(value, dtype=float)), 0.0)
    order = np.argsort(-worth, kind="stable")
    total = worth.sum()
    before = np.zeros(len(worth))
    before[order] = np.concatenate([[0.0], worth[order].cumsum()[:-1]])[: len(worth)]
    share = before / total if total > 0 else np.ones(len(worth))
    code = np.where(share < cuts[0] - 1e-12, 0, np.where(share < cuts[1] - 1e-12, 1, 2))
    return ["ABC"[c] for c in np.where(worth > 0, code, 2)]


def residual_variation(demand: FloatArray, weight: FloatArray, period: int) -> FloatArray:
    """(n,) coefficient of variation of what season and zeros before launch do not explain.

    demand and weight (n, T), weight = exposure × seasonal factor (0 before the start, in gaps and on closed days, as in
    Frame.weight); sums over blocks of `period` periods (a week of days), counted from the end, ratio = Σ demand /
    Σ weight of each block at least half exposed; CV = population sd / mean of the ratios. ∞ without a sale or with
    fewer than 2 blocks. Weekly demand 1 0 … repeated is season, not variation: CV 0.
    """
    n, periods = demand.shape
    blocks = periods // period
    kept = slice(periods - blocks * period, periods)
    top, base = (x[:, kept].reshape(n, blocks, period).sum(axis=2) for x in (demand, weight))
    seen = base >= 0.5 * period
    ratio = np.where(seen, top / np.where(seen, base, 1.0), 0.0)
    count = np.maximum(seen.sum(axis=1), 1)
    mean = ratio.sum(axis=1) / count
    variance = np.maximum(((ratio - mean[:, None]) ** 2 * seen).sum(axis=1) / count, 0.0)
    known = (mean > 0) & (seen.sum(axis=1) >= 2)
    return np.where(known, np.sqrt(variance) / np.where(known, mean, 1.0), np.inf)


def variation_classes(variation: FloatArray, cuts: tuple[float, float] = XYZ_CUTS) -> list[str]:
    """X (steady, CV below 0.5), Y (below 1) or Z (erratic or unknown), from `residual_variation` (n,)."""
    return ["XYZ"[c] for c in np.where(variation < cuts[0], 0, np.where(variation < cuts[1], 1, 2))]
