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
