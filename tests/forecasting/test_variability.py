"""X, Y and Z by how far a series strays from its own season."""

from datetime import date

import numpy as np

from forecasting.engine import Panel, fit_pooled
from forecasting.services.variability import variability_classes


def test_an_even_seller_is_x_and_a_wild_one_z() -> None:
    draw = np.random.default_rng(1)
    even = np.tile([5.0, 3.0, 4.0, 4.0, 6.0, 8.0, 2.0], 60)
    wild = np.where(draw.random(420) < 0.01, 60.0, 0.0)
    wild[-1] = 60.0
    rows = np.stack([even, wild, *draw.poisson(2.0, (30, 420)).astype(float)])
    panel = Panel(
        ids=tuple(str(n) for n in range(32)),
        values=rows,
        starts=np.zeros(32, dtype=np.int64),
        freq="D",
        origin_ds=date(2025, 1, 6),
    )

    classes = variability_classes(panel, fit_pooled(panel, horizon=7))

    assert classes[:2] == ["X", "Z"]
    assert variability_classes(panel, None) == [""] * 32
