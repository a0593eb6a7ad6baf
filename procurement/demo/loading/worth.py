"""What every movement of the demo was worth: first in, first out, computed at once over whole units and whole pence."""

from dataclasses import dataclass

import numpy as np

MONEY_DIGITS = 100  # ten-thousandths of a pound in a penny


@dataclass(frozen=True, slots=True)
class Worth:
    """Arrays in the order of the movements. `value`: signed pence; `remaining`: of the units it brought."""

    value: np.ndarray
    unit_cost: np.ndarray  # ten-thousandths of a pound, half up
    remaining: np.ndarray  # 0 for what left


def fifo_worth(pool: np.ndarray, quantity: np.ndarray, cost: np.ndarray) -> Worth:
    """Movements of many pools in time order: pool number, signed units, pence a unit of what comes in.

    The units that ever came into a pool, oldest first, make a curve from units to pence; what leaves takes the next
    stretch of it. All curves stand behind each other on one axis, so that one search finds every end of a stretch.
    Units and pence are whole, so nothing is rounded: Σ values = Σ remaining × cost for each pool.

    Worked: 10 at 200, 10 at 300, then 12 leave: −(10 × 200 + 2 × 300) = −2,600; 0 and 8 remain.
    """
    comes = quantity > 0
    entering = np.nonzero(comes)[0][np.argsort(pool[comes], kind="stable")]
    leaving = np.nonzero(~comes)[0][np.argsort(pool[~comes], kind="stable")]
    units = quantity[entering]
    ends = np.cumsum(units)
    pence = np.concatenate([[0], np.cumsum(units * cost[entering])])
    starts_of_pool = _starts(pool[entering], units, int(pool.max()) + 1)

    left = -quantity[leaving]
    stop = np.cumsum(left)
    stop += (starts_of_pool - _starts(pool[leaving], left, len(starts_of_pool)))[pool[leaving]]

    value = np.zeros(len(quantity), dtype=np.int64)
    value[entering] = units * cost[entering]
    value[leaving] = _pence_at(stop - left, ends, pence, units) - _pence_at(stop, ends, pence, units)
    gone = starts_of_pool + np.bincount(pool[leaving], left, len(starts_of_pool)).astype(np.int64)
    remaining = np.zeros(len(quantity), dtype=np.int64)
    remaining[entering] = np.clip(ends - gone[pool[entering]], 0, units)
    size = np.abs(quantity)
    return Worth(value, (2 * np.abs(value) * MONEY_DIGITS + size) // (2 * size), remaining)


def _starts(pool: np.ndarray, units: np.ndarray, count: int) -> np.ndarray:
    """Where each pool's units begin when all pools' stand behind each other."""
    totals = np.bincount(pool, units, count).astype(np.int64)
    return np.cumsum(totals) - totals


def _pence_at(units_before: np.ndarray, ends: np.ndarray, pence: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The curve: what the first so many units cost together."""
    place = np.minimum(np.searchsorted(ends, units_before, side="right"), len(ends) - 1)
    cost = (pence[place + 1] - pence[place]) // units[place]
    return pence[place] + (units_before - (ends[place] - units[place])) * cost
