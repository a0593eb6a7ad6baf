"""A predecessor's past becomes its successor's: level and profile, scaled by what the successor sold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecasting.engine.newcomers.kinship import Kinship
from forecasting.engine.types import FloatArray, Panel

STRENGTH = 4.0
LONGEST_CHAIN = 5


def hand_over(panel: Panel, kinship: Kinship, block: int) -> Panel:
    """The panel with each successor's row holding the demand of the pair: before its launch the predecessor's × factor,
    then its own and what the predecessor still sold. Chains are followed from the oldest on, five links at most."""
    values, starts = panel.values.copy(), panel.starts.copy()
    stock = None if panel.in_stock is None else panel.in_stock.copy()
    ramps = kinship.lengths(block)
    for row in order_of_succession(kinship):
        old, launch = int(kinship.predecessor[row]), min(int(kinship.launch[row]), values.shape[1])
        own = np.where(np.arange(values.shape[1]) >= max(launch, int(panel.starts[row])), panel.values[row], 0.0)
        past = np.where(np.arange(values.shape[1]) >= starts[old], values[old], np.nan)
        factor = level_factor(own, past, launch, int(ramps[row]), expected_share(kinship, row))
        values[row] = np.where(np.arange(values.shape[1]) < launch, past * factor, own + np.nan_to_num(past) * factor)
        starts[row] = starts[old]
        if stock is not None:
            stock[row, :launch] = stock[old, :launch]
    return replace(panel, values=values, starts=starts, in_stock=stock)


def order_of_succession(kinship: Kinship) -> list[int]:
    """Rows with a predecessor, every predecessor before its successor; a circle or a longer chain is refused."""
    depth = np.zeros(len(kinship.predecessor), dtype=np.int64)
    row = kinship.predecessor.copy()
    for _ in range(LONGEST_CHAIN):
        inside = row >= 0
        depth += inside
        row = np.where(inside, kinship.predecessor[np.maximum(row, 0)], -1)
    if (row >= 0).any():
        raise ValueError(f"kinship: a chain of successors runs in a circle or has more than {LONGEST_CHAIN} links")
    return [int(i) for i in np.argsort(depth, kind="stable") if depth[i]]


def expected_share(kinship: Kinship, row: int) -> float:
    return 1.0 if kinship.share is None else float(kinship.share[row])


def level_factor(own: FloatArray, past: FloatArray, launch: int, ramp: int, expected: float = 1.0) -> float:
    """Gamma–Poisson level of the successor relative to its predecessor: e · (4 + O/φ) / (4 + E/φ), e = `expected`.

    O units sold since the launch beside E expected of it by then (e × predecessor's rate × its share on the ramp), φ
    units a sale: four sales' worth of what was expected. e = 1, O = 30, E = 20, φ = 5: (4 + 6) / (4 + 4) = 1.25.
    """
    before = past[:launch][np.isfinite(past[:launch])]
    rate = float(before.mean()) if len(before) else 0.0
    since = len(own) - launch
    if since <= 0 or rate <= 0:
        return expected
    size = float(before[before > 0].mean())
    share = np.clip(np.arange(1, since + 1) / ramp, 0.0, 1.0)
    hoped = expected * rate * float(share.sum())
    return expected * (STRENGTH + float(np.nansum(own[launch:])) / size) / (STRENGTH + hoped / size)
