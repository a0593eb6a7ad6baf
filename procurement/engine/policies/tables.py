"""Tables computed once with SciPy, so that the kernels need no special functions.

`shape_table`: quantiles of unit-mean gamma and lognormal laws at the given levels, one row a shape. `lead_time_table`:
the gamma lead time of mean 1 cut into bins, with each bin's probability, mean and variance, one row a coefficient of
variation; matching both moments bin by bin keeps the mixture smooth with few bins.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from procurement.engine.quantiles import _score

Array = NDArray[np.float64]

_GAMMA_SHAPES = np.geomspace(0.03, 400.0, 72)
_LOGNORMAL_SIGMAS = np.linspace(0.3, 1.8, 24)
_BIN_EDGES = np.array(
    [0.0, 0.03, 0.1, 0.2, 0.32, 0.45, 0.58, 0.7, 0.8, 0.88, 0.93, 0.96, 0.978, 0.987, 0.993, 0.997, 0.999, 1.0]
)
LEAD_TIME_CVS = np.concatenate([np.linspace(0.01, 1.2, 60), np.linspace(1.25, 3.0, 15)])


class ShapeTable(NamedTuple):
    """`quantiles` (G, K) of unit-mean laws, `variances` (G,), `is_lognormal` (G,), `scores` (K,) of the levels."""

    levels: Array
    scores: Array
    quantiles: Array
    variances: Array
    is_lognormal: NDArray[np.bool_]


@lru_cache(maxsize=64)
def shape_table(levels: tuple[float, ...]) -> ShapeTable:
    """Unit-mean quantiles at `levels`: gamma shapes 0.03 … 400, then lognormal sigmas 0.3 … 1.8."""
    from scipy.special import gammaincinv

    probabilities = np.array(levels)
    scores = np.array([_score(level) for level in levels])
    gamma = gammaincinv(_GAMMA_SHAPES[:, None], probabilities[None, :]) / _GAMMA_SHAPES[:, None]
    sigmas = _LOGNORMAL_SIGMAS[:, None]
    lognormal = np.exp(sigmas * scores[None, :] - sigmas * sigmas / 2.0)
    variances = np.concatenate([1.0 / _GAMMA_SHAPES, np.expm1(_LOGNORMAL_SIGMAS**2)])
    kind = np.arange(len(variances)) >= len(_GAMMA_SHAPES)
    return ShapeTable(probabilities, scores, np.ascontiguousarray(np.vstack([gamma, lognormal])), variances, kind)


@lru_cache(maxsize=1)
def lead_time_table() -> tuple[Array, Array, Array]:
    """(weights (J,), means (C, J), variances (C, J)) of the bins of a gamma lead time of mean 1, by its CV."""
    from scipy.special import gammainc, gammaincinv

    shapes = 1.0 / LEAD_TIME_CVS[:, None] ** 2
    edges = gammaincinv(shapes, _BIN_EDGES[None, :])
    weights = np.diff(_BIN_EDGES)
    first = np.diff(gammainc(shapes + 1.0, edges), axis=1) / weights
    second = np.diff(gammainc(shapes + 2.0, edges), axis=1) / weights * (1.0 + 1.0 / shapes)
    return weights, np.ascontiguousarray(first), np.ascontiguousarray(np.maximum(second - first * first, 0.0))
