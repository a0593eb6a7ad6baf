"""The mean path of a method, kept as the few states it is made of; sums over windows are taken without unrolling it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecasting.engine.kernels.lines import line_sums
from forecasting.engine.types import FloatArray, IntArray

if TYPE_CHECKING:
    from forecasting.engine.frame import Frame

DAMPING = 0.95


def damped_sum(horizon: int, damping: float) -> FloatArray:
    """(H,) φ + φ² + … + φ^h."""
    return np.cumsum(damping ** np.arange(1, horizon + 1))


@dataclass(frozen=True)
class Line:
    """Path of step h: max(ℓ·blocks[b(h)] + b·(φ + … + φ^h) + cycle[(o + h) mod m], 0), × factor_h where seasonal.

    level (n, O); trend (n, O), cycle (n, O, m), blocks (n, O, B): None where the method has none.
    """

    level: FloatArray
    trend: FloatArray | None = None
    cycle: FloatArray | None = None
    blocks: FloatArray | None = None
    seasonal: bool = True

    def path(self, frame: Frame) -> FloatArray:
        """(n, O, H) the path unrolled."""
        return self.unroll(frame.factor, frame.origins, frame.calendar.blocks)

    def unroll(self, factor: FloatArray, origins: IntArray, blocks: tuple[tuple[int, int], ...]) -> FloatArray:
        """(n, O, H) the path under seasonal factors of that shape."""
        horizon = factor.shape[2]
        path = np.repeat(self.level[:, :, None], horizon, axis=2)
        if self.blocks is not None:
            path *= self.blocks[:, :, block_of_steps(blocks)]
        if self.trend is not None:
            path += self.trend[:, :, None] * damped_sum(horizon, DAMPING)
        if self.cycle is not None:
            phases = (origins[:, None] + np.arange(horizon)[None, :]) % self.cycle.shape[2]
            path += np.take_along_axis(self.cycle, np.broadcast_to(phases, path.shape), axis=2)
        path = np.maximum(path, 0.0)
        return path * factor if self.seasonal else path

    def sums(self, frame: Frame, floor: FloatArray, spans: IntArray) -> FloatArray:
        """(n, O, S) sums over steps first + 1 … last of spans (S, 2), each step at least floor (n, O) × its factor."""
        none2, none3 = np.zeros((0, 0)), np.zeros((0, 0, 0))
        return line_sums(
            np.ascontiguousarray(self.level),
            none2 if self.trend is None else np.ascontiguousarray(self.trend),
            none3 if self.cycle is None else np.ascontiguousarray(self.cycle),
            none3 if self.blocks is None else np.ascontiguousarray(self.blocks),
            np.ascontiguousarray(frame.factor),
            np.ascontiguousarray(floor),
            damped_sum(frame.factor.shape[2], DAMPING),
            block_of_steps(frame.calendar.blocks),
            np.ascontiguousarray(frame.origins),
            spans,
            self.seasonal,
        )

    def take(self, columns: IntArray) -> Line:
        """The states at some of the origins."""

        def part(values: FloatArray | None) -> FloatArray | None:
            return None if values is None else values[:, columns]

        return Line(self.level[:, columns], part(self.trend), part(self.cycle), part(self.blocks), self.seasonal)

    def at(self, rows: IntArray, column: int) -> Line:
        """The states of some series at one origin."""

        def part(values: FloatArray | None) -> FloatArray | None:
            return None if values is None else values[rows, column][:, None]

        return Line(
            self.level[rows, column][:, None], part(self.trend), part(self.cycle), part(self.blocks), self.seasonal
        )


def block_of_steps(blocks: tuple[tuple[int, int], ...]) -> IntArray:
    """(H,) the step block of each step ahead."""
    return np.repeat(np.arange(len(blocks)), [last - first for first, last in blocks]).astype(np.int64)


def windows_as_spans(windows: tuple[int, ...]) -> IntArray:
    """(K, 2) the first k steps, for each window k."""
    return np.array([(0, k) for k in windows], dtype=np.int64).reshape(-1, 2)
