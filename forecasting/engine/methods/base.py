"""The one interface of all forecasters: a panel in, quantiles per step out; and what those that draw paths share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from forecasting.engine.cleaning import clean
from forecasting.engine.types import FloatArray, Panel

SAMPLES = 512
CELLS = 6_000_000


@runtime_checkable
class Forecaster(Protocol):
    """A method under its name. `rank` orders by simplicity (ties go to the lower), `words` says what it does.

    fit_predict learns from the panel alone and answers (n, horizon, q) quantiles in the panel's units: ascending in q,
    never negative, deterministic. It raises ValueError only for arguments that make no sense; a series it cannot
    handle comes back as NaN and is left to others.
    """

    @property
    def name(self) -> str: ...
    @property
    def rank(self) -> int: ...
    @property
    def words(self) -> str: ...

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray: ...


@dataclass(frozen=True)
class PathForecaster(ABC):
    """A forecaster that draws sample paths, so that sums of steps get quantiles of their own (a sum of quantiles is
    none)."""

    name: str
    rank: int
    words: str
    samples: int = SAMPLES
    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    def count(self, event: str) -> None:
        """How often what happened: "fitted", and the named fallbacks of a method. A number for reports, never read
        back."""
        self.counts[event] += 1

    @abstractmethod
    def paths(self, panel: Panel, rates: FloatArray, chances: FloatArray) -> FloatArray:
        """(n, S, H) possible futures of a few series; NaN for a series that cannot be handled.

        rates (n, T) demand a period, NaN where unknown; chances (S, H) numbers in (0, 1), the same for every series.
        """

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        """(n, horizon, q) quantiles of single steps."""
        levels = checked(horizon, quantiles)
        return self._read(panel, horizon, horizon, lambda paths: np.moveaxis(quantiles_of(paths, levels), 0, -1))

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray:
        """(n, w, q) quantiles of the SUM over the first windows[j] steps, read off the same paths."""
        if not windows:
            raise ValueError("windows must name at least one")
        levels, ends = checked(min(windows), quantiles), np.array(windows, dtype=np.int64) - 1

        def read(paths: FloatArray) -> FloatArray:
            return np.moveaxis(quantiles_of(paths.cumsum(axis=2)[:, :, ends], levels), 0, -1)

        return self._read(panel, int(max(windows)), len(windows), read)

    def _read(self, panel: Panel, horizon: int, width: int, reader: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """Paths of a few series at a time (at most 6 million numbers), clipped at 0 and read."""
        chances = even_chances(self.samples, horizon, self.seed)
        rates = observed_rates(panel)
        size = max(1, CELLS // (self.samples * horizon))
        parts = []
        for begin in range(0, len(rates), size):
            rows = slice(begin, begin + size)
            with np.errstate(all="ignore"):
                paths = self.paths(panel.take(rows), rates[rows], chances)
            whole = np.asarray(np.isfinite(paths).all(axis=(1, 2)))
            paths = np.where(whole[:, None, None], np.maximum(paths, 0.0), np.nan)
            parts.append(reader(paths))
        return np.concatenate(parts) if parts else reader(np.zeros((0, self.samples, horizon)))


def checked(horizon: int, quantiles: Sequence[float]) -> tuple[float, ...]:
    """The levels as they were given; ValueError unless they ascend inside (0, 1) and horizon ≥ 1."""
    levels = tuple(float(q) for q in quantiles)
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1 period, got {horizon}")
    if not levels or levels[0] <= 0 or levels[-1] >= 1 or list(levels) != sorted(set(levels)):
        raise ValueError(f"quantiles must ascend strictly between 0 and 1, got {list(quantiles)}")
    return levels


def observed_rates(panel: Panel) -> FloatArray:
    """(n, T) cleaned demand per whole period in stock; NaN before the start, in gaps and while out of stock."""
    cleaned = clean(panel)
    seen = cleaned.exposure > 0
    return np.where(seen, cleaned.demand / np.where(seen, cleaned.exposure, 1.0), np.nan)


def even_chances(samples: int, horizon: int, seed: int) -> FloatArray:
    """(S, H) a Latin hypercube: each step holds (i + ½) / S once each in random order, so that quantiles of steps have
    hardly any sampling error and those of sums little (McKay, Beckman & Conover 1979)."""
    rng = np.random.default_rng(seed)
    grid = np.repeat((np.arange(samples)[:, None] + 0.5) / samples, horizon, axis=1)
    return rng.permuted(grid, axis=0)


def quantiles_of(paths: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """(q, n, h) quantiles over the S paths (n, S, h), linear between the middles of the sorted values (Hazen), so that
    the 99 % of 512 paths is not drawn inward."""
    ordered = np.sort(paths, axis=1)
    count = ordered.shape[1]
    place = np.clip(np.array(levels) * count - 0.5, 0, count - 1)
    low = np.floor(place).astype(np.int64)
    share = (place - low)[None, :, None]
    found = ordered[:, low] * (1 - share) + ordered[:, np.minimum(low + 1, count - 1)] * share
    return np.moveaxis(found, 1, 0)
