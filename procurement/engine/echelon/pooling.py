"""Risk pooling: what one stock for several places needs less than a stock at each.

The spread of a sum is √(Σ_i Σ_j ρ_ij·σ_i·σ_j) = √(Σσ_i² + 2·Σ_{i<j} ρ_ij·σ_i·σ_j). Only for n places that are alike
and independent is that σ·√n (Eppen 1979).
"""

import math
from collections.abc import Sequence

from procurement.engine.errors import ParameterError


def pooled_sd(sds: Sequence[float], correlations: Sequence[Sequence[float]] | None = None) -> float:
    """Standard deviation of the demand of all places together; independent where no correlations (n, n) are given.

    Four places of sd 10: 20 when independent, 40 when they move as one; 3 and 4 with ρ = −1: 1.
    """
    count = len(sds)
    if any(not math.isfinite(sd) or sd < 0.0 for sd in sds):
        raise ParameterError("sds", "must be finite numbers, at least 0")
    if correlations is None:
        return math.sqrt(math.fsum(sd * sd for sd in sds))
    if len(correlations) != count or any(len(row) != count for row in correlations):
        raise ParameterError("correlations", f"must be a table of {count} by {count}")
    for i in range(count):
        for j in range(count):
            if not abs(correlations[i][j]) <= 1.0 or correlations[i][j] != correlations[j][i]:
                raise ParameterError("correlations", "must be symmetric, between -1 and 1")
    variance = math.fsum(
        sds[i] * sds[j] * (correlations[i][j] if i != j else 1.0) for i in range(count) for j in range(count)
    )
    if variance < -1e-9 * math.fsum(sd * sd for sd in sds):
        raise ParameterError("correlations", "cannot hold together; the variance of the sum would be negative")
    return math.sqrt(max(variance, 0.0))
