"""Sums of a mean path over many windows without keeping the path."""

from __future__ import annotations

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray, IntArray


@kernel
def line_sums(
    level: FloatArray,
    trend: FloatArray,
    cycle: FloatArray,
    blocks: FloatArray,
    factor: FloatArray,
    floor: FloatArray,
    damped: FloatArray,
    block_of: IntArray,
    origins: IntArray,
    spans: IntArray,
    seasonal: bool,
) -> FloatArray:
    """(n, O, S) sums over steps first+1 … last, spans (S, 2) = first, last, of the path

    v_h = max(ℓ·blocks[b(h)] + b·damped_h + cycle[(o + h) mod m], 0) × factor_h (if seasonal), ≥ floor × factor_h.

    level, floor (n, O); trend (n, O) or (0, 0) = none; cycle (n, O, m) and blocks (n, O, B) likewise.
    """
    n, count, horizon = factor.shape
    out = np.zeros((n, count, len(spans)))
    path, sums = np.zeros(horizon), np.zeros(horizon + 1)
    season = max(cycle.shape[2], 1)
    for i in range(n):
        for j in range(count):
            phase = origins[j] % season
            for h in range(horizon):
                value = level[i, j]
                if len(blocks):
                    value *= blocks[i, j, block_of[h]]
                if len(trend):
                    value += trend[i, j] * damped[h]
                if len(cycle):
                    value += cycle[i, j, phase]
                    phase = phase + 1 if phase + 1 < season else 0
                value = max(value, 0.0)
                if seasonal:
                    value *= factor[i, j, h]
                value = max(value, floor[i, j] * factor[i, j, h])
                path[h] = value
                sums[h + 1] = sums[h] + value
            for s in range(len(spans)):
                first, last = spans[s, 0], spans[s, 1]
                out[i, j, s] = path[first] if last == first + 1 else sums[last] - sums[first]
    return out
