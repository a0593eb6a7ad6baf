"""Quantiles of a series' own past sums at many origins: the sorted sums move along with the origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecasting.engine.kernels.compiled import kernel
from forecasting.engine.types import FloatArray, IntArray


@kernel
def _cells(
    top: FloatArray, seen: FloatArray, window: int, start: int, least: float, sums: FloatArray, shares: FloatArray
) -> None:
    """Sum and observed share of the window that begins at each column; share 0 where it may not be learnt from."""
    last = len(top) - 1
    for begin in range(last):
        end = min(begin + window, last)
        share = (seen[end] - seen[begin]) / window
        usable = share >= least - 1e-9 and share > 1e-9 and (begin >= start or least <= 0.0)
        shares[begin] = share if usable else 0.0
        sums[begin] = top[end] - top[begin] if usable else 0.0


@kernel
def _sort(held: FloatArray, count: Any, spare: FloatArray) -> None:
    """Ascending order of held[:count]: runs of eight by insertion, then merged pairwise without branches."""
    for first in range(0, count, 8):
        for k in range(first + 1, min(first + 8, count)):
            value, at = held[k], k
            while at > first and held[at - 1] > value:
                held[at] = held[at - 1]
                at -= 1
            held[at] = value
    width = 8
    while width < count:
        for first in range(0, count, 2 * width):
            left, right = first, min(first + width, count)
            middle, end = right, min(first + 2 * width, count)
            for k in range(first, end):
                from_left = right >= end or (left < middle and held[left] <= held[right])
                spare[k] = held[left] if from_left else held[right]
                left += from_left
                right += not from_left
        for k in range(count):
            held[k] = spare[k]
        width *= 2


@kernel
def _exchange(
    held: FloatArray, count: Any, gone: FloatArray, lost: Any, fresh: FloatArray, come: Any, spare: FloatArray
) -> int:
    """One pass over the ascending held[:count]: without gone[:lost] (all of them in it), with fresh[:come], both
    ascending."""
    left = new = out = 0
    for k in range(count):
        value = held[k]
        if left < lost and value == gone[left]:
            left += 1
            continue
        while new < come and fresh[new] < value:
            spare[out] = fresh[new]
            out += 1
            new += 1
        spare[out] = value
        out += 1
    for k in range(new, come):
        spare[out] = fresh[k]
        out += 1
    for k in range(out):
        held[k] = spare[k]
    return out


@kernel
def _read(held: FloatArray, count: Any, levels: FloatArray, out: FloatArray) -> None:
    for q in range(len(levels)):
        position = (count - 1) * levels[q]
        low = int(position)
        high = min(low + 1, count - 1)
        out[q] = held[low] + (position - low) * (held[high] - held[low])


@kernel
def _collect(
    sums: FloatArray, shares: FloatArray, oldest: int, newest: int, stride: int, held: FloatArray, spare: FloatArray
) -> tuple[Any, float]:
    """Sorted sums ÷ share of the windows beginning at newest, newest − stride, … ≥ oldest, and their mean Σ sum / Σ
    share."""
    count: Any = np.int64(0)
    total = weight = 0.0
    for begin in range(newest, oldest - 1, -stride):
        if shares[begin] > 0.0:
            held[count] = sums[begin] / shares[begin]
            count += 1
            total += sums[begin]
            weight += shares[begin]
    _sort(held, count, spare)
    return count, total / weight if weight > 0.0 else 0.0


@kernel
def _slide(
    sums: FloatArray,
    shares: FloatArray,
    old: tuple[int, int],
    new: tuple[int, int],
    held: FloatArray,
    count: Any,
    spare: FloatArray,
) -> tuple[Any, float]:
    """The sorted sums of the windows beginning in old = first, last turned into those of new; their number and mean."""
    gone, fresh = spare[len(held) : 2 * len(held)], spare[2 * len(held) :]
    lost: Any = np.int64(0)  # typed: a literal 0 would compile _exchange once more
    come: Any = np.int64(0)
    for begin in range(old[0], new[0]):
        if shares[begin] > 0.0:
            gone[lost] = sums[begin] / shares[begin]
            lost += 1
    for begin in range(old[1] + 1, new[1] + 1):
        if shares[begin] > 0.0:
            fresh[come] = sums[begin] / shares[begin]
            come += 1
    _sort(gone, lost, spare)
    _sort(fresh, come, spare)
    count = _exchange(held, count, gone, lost, fresh, come, spare)
    total = weight = 0.0
    for begin in range(new[1], new[0] - 1, -1):
        total += sums[begin]
        weight += shares[begin]
    return count, total / weight if weight > 0.0 else 0.0


@kernel
def _at_last(
    top: FloatArray, seen: FloatArray, window: int, start: int, span: tuple[int, int], origin: int, least: float
) -> tuple[FloatArray, float]:
    """Sorted sums and mean for a series none of whose usual windows was seen: every phase, then any observed share."""
    held = np.zeros(max(span[1] - span[0] + 1, 1))
    for attempt in range(2):
        floor = least if attempt == 0 else 0.0
        count: Any = np.int64(0)
        total = weight = 0.0
        for begin in range(span[1], span[0] - 1, -1):
            end = min(begin + window, origin)
            share = (seen[end] - seen[begin]) / window
            if share >= floor - 1e-9 and share > 1e-9 and (begin >= start or attempt == 1):
                held[count] = (top[end] - top[begin]) / share
                count += 1
                total += top[end] - top[begin]
                weight += share
        if count:
            _sort(held, count, np.zeros(count))
            return held[:count], total / weight
    return held[:0], 0.0


@kernel
def past_quantiles(
    actual: FloatArray,
    exposure: FloatArray,
    starts: IntArray,
    origins: IntArray,
    windows: IntArray,
    season: int,
    memory: int,
    least: float,
    levels: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Quantiles (n, O, K, q) and means (n, O, K) of the sums of windows[k] periods that ended before each ascending
    origin, within the last max(memory, 3 · window) periods: `empirical_window` at all origins.

    Windows of at least a season begin anywhere: from one origin to the next only the new sums enter and the oldest
    leave.
    """
    n, periods = actual.shape
    shape = (n, len(origins), len(windows))
    out, mean = np.zeros((*shape, len(levels))), np.zeros(shape)
    top, seen = np.zeros(periods + 1), np.zeros(periods + 1)
    sums, shares, held = np.zeros(periods + 1), np.zeros(periods + 1), np.zeros(periods + 2)
    spare = np.zeros(3 * len(held))
    for i in range(n):
        for t in range(periods):
            top[t + 1] = top[t] + actual[i, t]
            seen[t + 1] = seen[t] + exposure[i, t]
        for k in range(len(windows)):
            window = windows[k]
            _cells(top, seen, window, starts[i], least, sums, shares)
            stride = season if window < season else 1
            count: Any = np.int64(0)
            old = (0, -1)
            for j in range(len(origins)):
                newest = origins[j] - window
                new = (max(origins[j] - max(memory, 3 * window), 0), newest)
                if newest < 0:
                    count, average = np.int64(0), 0.0
                elif stride > 1 or new[0] > old[1]:
                    begin = newest if stride == 1 else origins[j] - stride
                    count, average = _collect(sums, shares, new[0], begin, stride, held, spare)
                else:
                    count, average = _slide(sums, shares, old, new, held, count, spare)
                old = new if newest >= 0 else old
                if count:
                    _read(held, count, levels, out[i, j, k])
                    mean[i, j, k] = average
                    continue
                rest, mean[i, j, k] = _at_last(
                    top, seen, window, starts[i], (new[0], max(newest, 0)), origins[j], least
                )
                if len(rest):
                    _read(rest, len(rest), levels, out[i, j, k])
    return out, mean
