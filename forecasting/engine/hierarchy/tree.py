"""Who is summed into whom: the summing matrix of a panel's bottom series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from forecasting.engine.types import FloatArray, IntArray

GRID = 16384.0


def to_grid(values: FloatArray) -> FloatArray:
    """Values rounded to multiples of 1/16,384 (half to even), each exact in four bytes.

    Such numbers add up exactly in float64 whatever the order (Σ < 2³⁹), so that coherence is an equality and no
    tolerance: .1 → .0999755859375. Above 1,024 the four bytes keep 24 bits: still a binary fraction.
    """
    rounded: FloatArray = (np.round(np.asarray(values, dtype=float) * GRID) / GRID).astype(np.float32).astype(float)
    return rounded


@dataclass(frozen=True)
class Tree:
    """n bottom series and the levels above them, coarsest first.

    names  of the levels; codes[l] (n,) group of each bottom series in level l, 0 … counts[l] − 1.
    Nodes are numbered level after level, then the bottom series: N = Σ counts + n.
    """

    names: tuple[str, ...]
    codes: tuple[IntArray, ...]
    counts: tuple[int, ...]
    bottom: int

    @classmethod
    def of(cls, levels: Mapping[str, IntArray]) -> Tree:
        """A total, then the given levels. Codes are whole numbers from 0, one a bottom series; nesting is not needed
        (category and warehouse cross: a grouped hierarchy)."""
        if not levels:
            raise ValueError("levels: at least one is needed, to know the number of series")
        n = len(next(iter(levels.values())))
        names, codes, counts = ["total"], [np.zeros(n, dtype=np.int64)], [1]
        for name, raw in levels.items():
            code = np.asarray(raw, dtype=np.int64)
            if code.shape != (n,) or (n and code.min() < 0):
                raise ValueError(f"level {name}: {n} codes of at least 0 expected")
            names.append(name)
            codes.append(code)
            counts.append(int(code.max(initial=-1)) + 1)
        return cls(tuple(names), tuple(codes), tuple(counts), n)

    @cached_property
    def above(self) -> sparse.csr_matrix:
        """A (Σ counts, n): which bottom series each aggregate sums."""
        offsets = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        rows = np.concatenate([offset + code for offset, code in zip(offsets, self.codes, strict=True)])
        columns = np.tile(np.arange(self.bottom), len(self.codes))
        shape = (int(sum(self.counts)), self.bottom)
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)

    def level(self, name: str) -> slice:
        """Nodes of a level."""
        index = self.names.index(name)
        first = int(sum(self.counts[:index]))
        return slice(first, first + self.counts[index])

    def aggregate(self, bottom: FloatArray) -> FloatArray:
        """(n, …) → (N, …): all levels, then the bottom itself. On the grid the sums are exact."""
        flat = np.asarray(bottom, dtype=float).reshape(self.bottom, -1)
        upper = self.above @ flat
        return np.concatenate([upper, flat]).reshape(-1, *np.shape(bottom)[1:])
