"""Who tries the challenger: by lot within segments, the same for the same seed whatever else takes part.

Within a segment the keys are put in the order of a hash of (seed, key), and the first so many become challengers; a
remainder goes up or down by lot, so that the share holds on average and each segment is off by less than one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import floor

from procurement.engine.errors import ParameterError

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True)
class Assignment:
    """`arms` by key, and how many of each arm a segment has: segment → (champions, challengers)."""

    arms: Mapping[str, str]
    counts: Mapping[str, tuple[int, int]]


def assign(keys: Sequence[str], strata: Sequence[str], *, share: float = 0.5, seed: int = 0) -> Assignment:
    """Draw the challengers. Raises ParameterError for a share outside (0, 1), a key named twice, unequal lengths.

    100 keys of one segment, share 0.3 → 30 challengers, whatever the seed; which ones, the seed says.
    """
    if not 0.0 < share < 1.0:
        raise ParameterError("share", f"must lie strictly between 0 and 1, not {share:g}")
    if len(keys) != len(strata):
        raise ParameterError("strata", "must name one segment a key")
    if len(set(keys)) < len(keys):
        raise ParameterError("keys", "must not name a key twice")
    members: dict[str, list[str]] = defaultdict(list)
    for key, stratum in zip(keys, strata, strict=True):
        members[stratum].append(key)
    arms: dict[str, str] = {}
    counts: dict[str, tuple[int, int]] = {}
    for stratum, inside in sorted(members.items()):
        drawn = sorted(inside, key=lambda key: (_lot(seed, key), key))
        count = floor(share * len(drawn) + _lot(seed, f"segment {stratum}"))
        arms |= {key: CHALLENGER if place < count else CHAMPION for place, key in enumerate(drawn)}
        counts[stratum] = (len(drawn) - count, count)
    return Assignment(arms, counts)


def strata_of(value_classes: Sequence[str], demand_classes: Sequence[str], *, least: int = 4) -> list[str]:
    """ "A lumpy" for each key; segments of fewer than `least` keys are put together as "other"."""
    named = [
        f"{value} {demand}".strip() or "other" for value, demand in zip(value_classes, demand_classes, strict=True)
    ]
    sizes: dict[str, int] = defaultdict(int)
    for name in named:
        sizes[name] += 1
    return [name if sizes[name] >= least else "other" for name in named]


def _lot(seed: int, key: str) -> float:
    """A number in [0, 1) that (seed, key) decides alone."""
    digest = blake2b(f"{seed}\x1f{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
