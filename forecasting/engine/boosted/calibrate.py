"""Conformal correction of the window quantiles on held-out folds."""

from __future__ import annotations

import numpy as np

from forecasting.engine.boosted import ANCHORS
from forecasting.engine.boosted.model import LARGEST_STEP, Shifts, squeeze
from forecasting.engine.boosted.reader import BoostedReader
from forecasting.engine.methods.pooled import log_events
from forecasting.engine.predict import take_rows
from forecasting.engine.selection import Losses
from forecasting.engine.types import FloatArray

CELLS = 4
LEAST_PER_CELL = 400
WEIGHT_OF_NONE = 24.0


def learn_shifts(reader: BoostedReader, losses: Losses, scored: tuple[int, ...]) -> Shifts:
    """Shift of every anchor, per cell of expected sales, on the squeezed scale: the ⌈(n + 1)τ⌉-th smallest residual of
    the held-out folds, drawn to 0 as if four folds had shown none (folds of one panel share their fate), capped at
    ±0.35."""
    residual, events = held_out(reader, losses, scored)
    folds = sum(g >= 0 for g in reader.boosted.group[:-1])
    none = Shifts(np.zeros(0), np.zeros((1, len(ANCHORS))))
    cells = int(np.clip(len(events) // LEAST_PER_CELL, 0, CELLS))
    if cells == 0:
        return none
    edges = np.quantile(events, np.arange(1, cells) / cells)
    cell = np.searchsorted(edges, events)
    shift = np.zeros((cells, len(ANCHORS)))
    for c in range(cells):
        part = residual[cell == c]
        for a, level in enumerate(ANCHORS):
            ordered = np.sort(part[:, a])
            rank = min(int(np.ceil((len(ordered) + 1) * level)), len(ordered)) - 1
            shift[c, a] = ordered[rank] if len(ordered) else 0.0
    drawn = np.clip(shift * folds / (folds + WEIGHT_OF_NONE), -LARGEST_STEP, LARGEST_STEP)
    return Shifts(edges, drawn)


def held_out(reader: BoostedReader, losses: Losses, scored: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """(r, a) squeezed actual − squeezed anchor and (r,) log expected sales of every held-out case."""
    residuals, events = [], []
    for f in range(losses.pinball.shape[1]):
        model = reader.moment(f)
        if model is None:
            continue
        for k, window in enumerate(scored):
            rows = np.flatnonzero(losses.valid[:, f, k])
            rows = rows[reader.cases.mean[rows, f, window] > 1e-6]
            end = np.full(len(rows), window)
            anchors = model.anchors(reader.table(rows, f, np.zeros_like(end), end), steps=False)
            ratio = losses.actual[rows, f, k] / reader.cases.mean[rows, f, window]
            residuals.append(squeeze(ratio)[:, None] - anchors)
            events.append(log_events(take_rows(reader.features, rows, f), reader.cases.ahead[rows, f, window]))
    if not events:
        return np.zeros((0, len(ANCHORS))), np.zeros(0)
    return np.concatenate(residuals), np.concatenate(events)
