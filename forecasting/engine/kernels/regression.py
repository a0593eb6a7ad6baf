"""One Newton step of the quasi-Poisson regression: no temporaries, and one thread whatever the BLAS is set to."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray


@kernel
def poisson_equations(
    design: FloatArray, target: FloatArray, weight: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient (p,) Σ w x (y − μ) and Hessian (p, p) Σ w μ x xᵀ, μ = exp(x·β) with x·β kept within −4 … 3."""
    count, width = design.shape
    gradient, hessian = np.zeros(width), np.zeros((width, width))
    for i in range(count):
        line = 0.0
        for a in range(width):
            line += design[i, a] * beta[a]
        fitted = np.exp(min(max(line, -4.0), 3.0))
        miss, curve = weight[i] * (target[i] - fitted), weight[i] * fitted
        for a in range(width):
            gradient[a] += miss * design[i, a]
            part = curve * design[i, a]
            for b in range(width):
                hessian[a, b] += part * design[i, b]
    return gradient, hessian
