"""Compiled minimisation for the state-space and ARIMA kernels: Nelder & Mead (1965), one routine for every objective.

Compiled on first use; nothing here is imported before a method needs it.
"""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.methods.arima_kernel import arima_loss
from forecasting.engine.methods.ets_kernel import ets_loss
from forecasting.engine.types import FloatArray, IntArray

ETS, ARIMA = 0, 1


@kernel
def _loss(kind: int, x: FloatArray, y: FloatArray, spec: IntArray, aux: FloatArray) -> float:
    if kind == 0:
        return ets_loss(x, y, spec, aux)
    return arima_loss(x, y, spec, aux)


@kernel
def nelder_mead(
    kind: int, start: FloatArray, step: FloatArray, y: FloatArray, spec: IntArray, aux: FloatArray, most: int
) -> tuple[FloatArray, float, int]:
    """Least x (p,), its loss and the number of evaluations. Reflection 1, expansion 2, contraction ½, shrinkage ½;
    stops when the losses of the simplex lie within 10⁻⁹ of each other (relatively) or after `most` evaluations."""
    p = len(start)
    simplex = np.zeros((p + 1, p))
    value = np.zeros(p + 1)
    for i in range(p + 1):
        simplex[i] = start
        if i:
            simplex[i, i - 1] += step[i - 1]
        value[i] = _loss(kind, simplex[i], y, spec, aux)
    count = p + 1
    while count < most and p > 0:
        order = np.argsort(value)
        simplex, value = simplex[order], value[order]
        if abs(value[p] - value[0]) <= 1e-9 * (abs(value[0]) + 1e-9):
            break
        centre = simplex[:p].sum(axis=0) / p
        trial = 2.0 * centre - simplex[p]
        reached = _loss(kind, trial, y, spec, aux)
        count += 1
        if reached < value[0]:
            further = 3.0 * centre - 2.0 * simplex[p]
            beyond = _loss(kind, further, y, spec, aux)
            count += 1
            if beyond < reached:
                trial, reached = further, beyond
        elif reached >= value[p - 1]:
            inner = 0.5 * (centre + (trial if reached < value[p] else simplex[p]))
            found = _loss(kind, inner, y, spec, aux)
            count += 1
            if found < min(reached, value[p]):
                trial, reached = inner, found
            else:
                for i in range(1, p + 1):
                    simplex[i] = 0.5 * (simplex[0] + simplex[i])
                    value[i] = _loss(kind, simplex[i], y, spec, aux)
                count += p
                continue
        simplex[p], value[p] = trial, reached
    best = np.argmin(value)
    return simplex[best], value[best], count
