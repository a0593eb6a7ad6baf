"""X, Y or Z of each series of a chunk: how far its weeks stray from what season and growth of the panel explain."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecasting.engine import Panel

WEEK = 7
DAYS_LOOKED_AT = 364


def variability_classes(panel: "Panel", pooled: Any) -> list[str]:
    """One letter a row, from the weeks of the past year under the calendar that the run learnt; '' for all where it
    learnt none."""
    import numpy as np

    from forecasting.engine.classify import residual_variation, variation_classes
    from forecasting.engine.cleaning import clean
    from forecasting.engine.frame import build_frame

    if pooled is None or not panel.ids:
        return [""] * len(panel.ids)
    cleaned = clean(panel)
    frame = build_frame(cleaned, pooled.calendar, np.array([len(pooled.calendar.origins) - 1]))
    year = slice(-DAYS_LOOKED_AT, None)
    return variation_classes(residual_variation(cleaned.demand[:, year], frame.weight[:, year], WEEK))
