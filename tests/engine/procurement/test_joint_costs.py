"""The arrays of the joint order against the house's one interpolation, quantile by quantile."""

import numpy as np
import pytest

from procurement.engine.joint.costs import expected_shortages
from procurement.engine.quantiles import QuantileCurve

CURVES = {
    "a Pareto tail": {0.5: 100.0, 0.8: 120.0, 0.95: 160.0, 0.99: 230.0},
    "a line": {0.5: 100.0, 0.9: 120.0},
    "a flat end": {0.5: 0.0, 0.9: 8.0, 0.99: 8.0},
    "a flat start": {0.1: 0.0, 0.5: 0.0, 0.9: 4.0, 0.99: 12.0},
    "one quantile": {0.5: 7.0},
}


@pytest.mark.parametrize("name", CURVES)
def test_the_shortages_of_an_array_are_those_of_the_curve(name: str) -> None:
    curve = QuantileCurve.through(CURVES[name])
    stock = np.linspace(-10.0, 900.0, 400)

    shortages = expected_shortages(curve, stock)

    assert shortages == pytest.approx([curve.expected_shortage(float(units)) for units in stock], rel=1e-9, abs=1e-9)
