"""Learning the trees as of several moments: the present, and earlier ones whose later origins then test them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from forecasting.engine.backtest import Actuals
from forecasting.engine.boosted import ANCHORS, LEAST_CASES
from forecasting.engine.boosted.cases import Cases
from forecasting.engine.boosted.model import Moment, correction, squeeze
from forecasting.engine.boosted.trees import (
    MEAN,
    PAST_TREES,
    TREES,
    Booster,
    Task,
    quantile_settings,
    side_by_side,
    train,
)
from forecasting.engine.frame import Frame
from forecasting.engine.methods.pooled import RATIO_CAP
from forecasting.engine.types import BoolArray, FloatArray

Span = tuple[int, int]

# Cases for the present, for a moment of the backtest: single days and hours are noisier than weeks and months.
MOST_FINE, MOST_COARSE = (60_000, 24_000), (40_000, 16_000)
LEAST_PAST_CASES = 1_000
MOST_STEPS = 28
LEAST_MEAN = 1e-6
LEAST_FACTOR = 0.02
HEAVIEST = 20.0


class Gatherer:
    """Draws training cases that had ended by some moment, the same number from every span, seeded."""

    def __init__(self, frame: Frame, actuals: Actuals, cases: Cases, end: int, seed: int) -> None:
        self.frame, self.actuals, self.cases, self.end, self.seed = frame, actuals, cases, end, seed
        self.known: BoolArray = frame.known() & (cases.features.base > 1e-9)

    def draw(self, spans: Sequence[Span], most: int) -> dict[str, FloatArray]:
        """table (r, p), ratio = actual / pooled mean, unit = pooled mean / scale of the loss, events = log expected
        sales."""
        parts = [self.one(first, last, max(most // max(len(spans), 1), 1)) for first, last in spans]
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]} if parts else {}

    def one(self, first: int, last: int, most: int) -> dict[str, FloatArray]:
        origins = self.frame.origins
        actual, valid = self.actuals.between(origins, first, last)
        mean = self.cases.mean[:, :, last] - self.cases.mean[:, :, first]
        normal = self.cases.ahead[:, :, last] - self.cases.ahead[:, :, first]
        usable = valid & self.known & (origins + last <= self.end)[None, :]
        usable &= (mean > LEAST_MEAN) & (normal > LEAST_FACTOR)
        picked = np.flatnonzero(usable.ravel())
        if len(picked) > most:
            draw = np.random.default_rng((self.seed, first, last))
            picked = np.sort(draw.choice(picked, most, replace=False))
        rows, columns = np.unravel_index(picked, mean.shape)
        begin, stop = np.full(len(rows), first), np.full(len(rows), last)
        table = self.cases.table(rows, columns, begin, stop)
        expected = mean[rows, columns]
        unit = expected / (self.cases.scale[rows, columns] * np.sqrt(last - first))
        return {
            "table": table,
            "ratio": actual[rows, columns] / expected,
            "unit": np.minimum(unit, HEAVIEST),
            "events": table[:, self.cases.history.shape[2]].astype(float),
        }


def spread_steps(horizon: int) -> list[Span]:
    """At most 28 single steps, evenly spread."""
    picks = np.unique(np.linspace(0, horizon - 1, min(horizon, MOST_STEPS)).astype(int))
    return [(int(h), int(h) + 1) for h in picks]


def learn_moment(
    gatherer: Gatherer, mean_spans: Sequence[Span], windows: Sequence[int], steps: Sequence[Span], seed: int
) -> Moment | None:
    """Models of one moment, None with too few cases. Without `steps` a moment of the backtest: means and windows only,
    from fewer cases and with fewer trees."""
    final = bool(steps)
    most = (MOST_FINE if gatherer.frame.calendar.rhythm.block > 1 else MOST_COARSE)[0 if final else 1]
    sums = gatherer.draw([(0, k) for k in windows], most)
    if not sums or len(sums["ratio"]) < (LEAST_CASES if final else LEAST_PAST_CASES):
        return None
    trees = TREES if final else PAST_TREES
    whole = [(0, k) for k in windows]
    blocks = gatherer.draw([*mean_spans, *whole], most)
    mean = train(mean_task(blocks), MEAN, seed, trees)
    wholes = quantile_task(sums, mean)
    jobs = [(wholes, quantile_settings(t)) for t in ANCHORS]
    if final:
        singles = quantile_task(gatherer.draw(steps, most), mean)
        jobs += [(singles, quantile_settings(t)) for t in ANCHORS]
    models = side_by_side([partial(train, task, settings, seed, trees) for task, settings in jobs])
    return Moment(mean, tuple(models[: len(ANCHORS)]), tuple(models[len(ANCHORS) :]))


def mean_task(cases: dict[str, FloatArray]) -> Task:
    """Correction of the pooled mean; ratios are capped as in the pooled regression, rare sellers weigh less."""
    weight = np.minimum(1.0, np.exp(cases["events"]))
    return Task(cases["table"], np.minimum(cases["ratio"], RATIO_CAP), weight)


def quantile_task(cases: dict[str, FloatArray], mean: Booster) -> Task:
    """Quantiles of the squeezed ratio around the corrected mean, each case weighed as the scaled pinball loss weighs
    it."""
    centre = squeeze(correction(mean, cases["table"]))
    return Task(cases["table"], squeeze(cases["ratio"]) - centre, cases["unit"])
