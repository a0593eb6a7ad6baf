"""What measuring teaches the next plan: the factor on the safety stock with which a segment meets what was asked."""

from dataclasses import dataclass
from statistics import NormalDist

from procurement.engine.errors import ParameterError

LOWEST, HIGHEST = 0.5, 2.0
#: As many items as the prior (a factor of what it was before) is worth.
PRIOR_ITEMS = 30.0
_EDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Correction:
    """`factor` on the safety stock; `raw` is what the measurement alone says, `weight` how much of it was taken."""

    factor: float
    raw: float
    weight: float


def correct_service(asked: float, realised: float, items: int, *, before: float = 1.0) -> Correction:
    """The next factor of a segment that was asked for one service and gave another over so many items.

    In standard scores: z(asked)/z(realised) is how much more safety the segment needed, for normal errors; drawn
    towards what stood before by items/(items + 30), and kept within 0.5 … 2. asked .95, realised .90, 90 items → raw
    1.283, weight .75, factor 1.213.
    """
    for name, value in (("asked", asked), ("realised", realised)):
        if not 0.0 < value <= 1.0:
            raise ParameterError(name, f"must be above 0 and at most 1, not {value:g}")
    if items < 0:
        raise ParameterError("items", "must be at least 0")
    score = NormalDist().inv_cdf
    wanted = max(score(min(max(asked, 0.5 + _EDGE), 1.0 - _EDGE)), 0.1)
    given = max(score(min(max(realised, 0.5 + _EDGE), 1.0 - _EDGE)), 0.1)
    raw = min(max(before * wanted / given, LOWEST), HIGHEST)
    weight = items / (items + PRIOR_ITEMS)
    return Correction(before + weight * (raw - before), raw, weight)
