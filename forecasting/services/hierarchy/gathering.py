"""Saved forecasts gathered into groups, part by part: sums that the joint samples are drawn from."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from forecasting.models import ForecastRun
from forecasting.selectors.stored import StoredForecasts, channel_parts, single_channels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.hierarchy import GroupSums

Key = TypeVar("Key", bound=Hashable)
_SUMS = ("first", "product", "mean")


def nothing_like(sums: "GroupSums") -> "GroupSums":
    """Of the same days and levels, without a group."""
    return type(sums)(sums.knots, *(getattr(sums, name)[:0] for name in _SUMS))


class Gathering(Generic[Key]):
    """Groups by key, in the order they were first met; sums grow as parts come in."""

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.keys: dict[Key, int] = {}
        self.series: list[int] = []
        self.sums: GroupSums | None = None

    def add(self, keys: Sequence[Key], mean: "NDArray[np.float64]", quantiles: "NDArray[np.float64]") -> None:
        """mean (n, h) and quantiles (n, q, h) of series that belong to these groups."""
        import numpy as np

        from forecasting.engine.hierarchy import sums_of_groups

        if not keys:
            return
        for key in keys:
            self.keys.setdefault(key, len(self.keys))
        codes = np.array([self.keys[key] for key in keys])
        counted = np.bincount(codes, minlength=len(self.keys))
        self.series += [0] * (len(self.keys) - len(self.series))
        self.series = [old + int(new) for old, new in zip(self.series, counted, strict=True)]
        sums = sums_of_groups(codes, len(self.keys), mean, np.swapaxes(quantiles, 1, 2), self.levels)
        self.sums = sums if self.sums is None else self.sums.grown(len(self.keys)) + sums

    def join(self, keys: Sequence[Key], series: Sequence[int], sums: "GroupSums") -> None:
        """Add what was gathered elsewhere; every key once."""
        import numpy as np

        for key in keys:
            self.keys.setdefault(key, len(self.keys))
        places = [self.keys[key] for key in keys]
        self.series += [0] * (len(self.keys) - len(self.series))
        for place, number in zip(places, series, strict=True):
            self.series[place] += int(number)
        self.sums = (nothing_like(sums) if self.sums is None else self.sums).grown(len(self.keys))
        for name in _SUMS:
            getattr(self.sums, name)[np.array(places, dtype=np.int64)] += getattr(sums, name)

    def ordered(self) -> "Gathering[Key]":
        """The same by key: joint samples are drawn group after group, in an order that chunks must not decide."""
        import numpy as np

        order = sorted(self.keys, key=repr)
        places = np.array([self.keys[key] for key in order], dtype=np.int64)
        out: Gathering[Key] = Gathering(self.levels)
        if self.sums is not None:
            values = (getattr(self.sums, name)[places] for name in _SUMS)
            out.join(order, [self.series[place] for place in places], type(self.sums)(self.sums.knots, *values))
        return out


def gather_channels(gathering: "Gathering[int]", run: ForecastRun, part: StoredForecasts) -> None:
    """Add a part's channels: those with a share of their own, and the only channels of the rest."""
    first, last = int(part.pairs[0, 0]), int(part.pairs[-1, 0])
    shared = channel_parts(run, first, last)
    gathering.add([int(c) for c in shared.channels], shared.mean, shared.quantiles)
    only = single_channels(run, first, last)
    rows = [i for i, pair in enumerate(part.pairs.tolist()) if tuple(pair) in only]
    keys = [only[tuple(part.pairs[i].tolist())] for i in rows]
    gathering.add(keys, part.mean[rows], part.quantiles[rows])
