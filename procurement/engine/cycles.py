"""Items ordered together at whole multiples of one base cycle: the exact search behind `jrp` and `power_of_two`.

Item n with k (money per order of it) and b = h·λ/2 (money per time and time between orders) ordered every m·T costs
k/(m·T) + b·m·T, and the shared fixed cost K is paid every T. For a given T each item's best m is known, and it changes
only at known breakpoints of T; between two of them the cost is A/T + B·T with least value 2·√(A·B). So the least over
all stretches between breakpoints is the optimum. Source: Goyal (1974), Management Science 20; van Eijs (1993).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Breakpoints looked at, at most. Only a shared cost next to nothing can ask for more; see `_shortest_cycle`.
MOST_BREAKPOINTS = 4_000_000


@dataclass(frozen=True, slots=True)
class Cycle:
    """T, the multiples m, and the cost per time of ordering item n every m[n]·T."""

    base: float
    multiples: list[int]
    cost: float


def cycle_of(shared: float, setups: Sequence[float], rates: Sequence[float], multiples: list[int]) -> Cycle:
    """The best T for given multiples: √(A/B) with A = K + Σ k/m, B = Σ b·m."""
    paid = math.fsum([shared, *(k / m for k, m in zip(setups, multiples, strict=True))])
    held = math.fsum(b * m for b, m in zip(rates, multiples, strict=True))
    return Cycle(math.sqrt(paid / held), multiples, 2.0 * math.sqrt(paid * held))


def best_cycle(shared: float, setups: Sequence[float], rates: Sequence[float], *, powers: bool = False) -> Cycle:
    """The cheapest base cycle with whole multiples, or with powers of two; all rates above 0, some setup above 0.

    K = 600, k = 120, 840, 300, b = 80, 10, 25 → T = 3.1032, multiples 1, 3, 1, cost 837.85.
    """
    import numpy as np

    k, b = np.asarray(setups, dtype=float), np.asarray(rates, dtype=float)
    own = np.sqrt(k / b)
    shortest = _shortest_cycle(shared, k, b, own, powers)
    points, paid, held = _breakpoints(k, b, own / shortest, powers)
    order = np.argsort(-points, kind="stable")
    sums = np.concatenate([[shared + k.sum()], paid[order]]).cumsum()
    slopes = np.concatenate([[b.sum()], held[order]]).cumsum()
    best = int(np.argmin(sums * slopes))
    cycle = math.sqrt(sums[best] / slopes[best])
    return cycle_of(shared, setups, rates, [multiple(ratio / cycle, powers) for ratio in own.tolist()])


def _breakpoints(k: "Floats", b: "Floats", ratios: "Floats", powers: bool) -> tuple["Floats", "Floats", "Floats"]:
    """Where an item goes from m to the next multiple as T falls, and what that adds to A and to B."""
    import numpy as np

    counts = np.where(k > 0.0, np.floor(np.log2(np.maximum(ratios, 1.0)) if powers else ratios) + 1.0, 0.0).astype(int)
    item = np.repeat(np.arange(len(k)), counts)
    step = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
    m = 2.0**step if powers else step + 1.0
    following = 2.0 * m if powers else m + 1.0
    points = np.sqrt(k[item] / b[item] / (m * following))
    return points, k[item] * (1.0 / following - 1.0 / m), b[item] * (following - m)


def multiple(ratio: float, powers: bool) -> int:
    """The best m when the item's own cycle √(k/b) is `ratio` base cycles: m(m − 1) ≤ ratio² ≤ m(m + 1), or 2^j."""
    if powers:
        return 1 << max(0, math.ceil(math.log2(ratio / math.sqrt(2.0)) - 1e-12)) if ratio > 0.0 else 1
    return max(1, math.ceil(math.sqrt(0.25 + ratio * ratio) - 0.5 - 1e-12))


def _shortest_cycle(shared: float, k: "Floats", b: "Floats", own: "Floats", powers: bool) -> float:
    """A T below which nothing can be optimal: K/T alone would pass what a known plan costs above Σ 2·√(k·b).

    Without a shared cost (or next to none) ever shorter base cycles come ever closer to Σ 2·√(k·b), which no plan
    reaches; the search then ends at a thousandth of the shortest own cycle, within 10⁻⁶ of it.
    """
    import numpy as np

    alone = float(2.0 * np.sqrt(k * b).sum())
    shortest_own = float(own[own > 0.0].min())
    floor = shortest_own / (4.0 if powers else 1000.0)
    longest = math.sqrt((shared + k.sum()) / b.sum())
    known = math.inf
    for base in np.geomspace(min(longest, floor), max(longest, shortest_own), 64).tolist():
        m = np.array([multiple(ratio / base, powers) for ratio in own.tolist()], dtype=float)
        known = min(known, 2.0 * math.sqrt((shared + float((k / m).sum())) * float((b * m).sum())))
    proof = shared / (known - alone) if known > alone else longest
    proof = min(proof * (1.0 - 1e-9), longest, shortest_own if powers else longest)
    most = float(own.sum()) / MOST_BREAKPOINTS
    return max(proof, most, min(floor, proof) if shared > 0.0 else floor)


def lower_bound(shared: float, setups: Sequence[float], rates: Sequence[float]) -> float:
    """What no policy whatever costs less than: the base cycle with multiples m ≥ 1 that need not be whole.

    Items whose own cycle is shorter than the joint one order every time; the others keep their own √(k/b).
    Source: Jackson, Maxwell & Muckstadt (1985). For the example of `best_cycle`: 836.51.
    """
    paid, held, alone = shared, 0.0, 0.0
    for k, b in sorted(zip(setups, rates, strict=True), key=lambda pair: pair[0] / pair[1]):
        if held == 0.0 or k * held <= paid * b:
            paid, held = paid + k, held + b
        else:
            alone += 2.0 * math.sqrt(k * b)
    return 2.0 * math.sqrt(paid * held) + alone
