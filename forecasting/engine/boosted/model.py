"""What was learnt, and how a table of cases becomes means and quantiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from forecasting.engine.boosted import ANCHORS
from forecasting.engine.boosted.trees import Booster
from forecasting.engine.types import FloatArray

OFFSET = 0.1
LARGEST_SHIFT = 1.5
LARGEST_RATIO = 60.0
LARGEST_STEP = 0.35
TRUST = 0.8


def squeeze(ratio: FloatArray) -> FloatArray:
    """log(ratio + 0.1): the scale on which quantiles are learnt. Ratio 0 → −2.303, 1 → 0.095."""
    return np.log(np.maximum(ratio, 0.0) + OFFSET)


def unsqueeze(value: FloatArray) -> FloatArray:
    """Back to the ratio, never negative, at most 60."""
    return np.clip(np.exp(np.minimum(value, 5.0)) - OFFSET, 0.0, LARGEST_RATIO)


def correction(mean: Booster, table: FloatArray) -> FloatArray:
    """(r,) factor on the pooled mean, between 1 / 4.5 and 4.5."""
    return np.exp(np.clip(mean.raw(table), -LARGEST_SHIFT, LARGEST_SHIFT))


@dataclass(frozen=True)
class Shifts:
    """Conformal corrections: edges (c − 1,) of log expected sales, shift (c, a) on the squeezed scale per cell and
    anchor."""

    edges: FloatArray
    shift: FloatArray

    def at(self, events: FloatArray) -> FloatArray:
        """(r,) → (r, a)."""
        return self.shift[np.searchsorted(self.edges, events)]


@dataclass(frozen=True)
class Moment:
    """Models as of one moment: the mean of blocks, anchors of windows, and (present only) anchors of steps."""

    mean: Booster
    windows: tuple[Booster, ...]
    steps: tuple[Booster, ...] = ()

    def correction(self, table: FloatArray) -> FloatArray:
        """(r,) factor on the pooled mean."""
        return correction(self.mean, table)

    def anchors(self, table: FloatArray, steps: bool) -> FloatArray:
        """(r, a) squeezed ratios at the anchor levels, ascending."""
        models = self.steps if steps else self.windows
        centre = squeeze(self.correction(table))
        return np.maximum.accumulate(np.stack([centre + m.raw(table) for m in models], axis=1), axis=1)


@dataclass(frozen=True)
class Boosted:
    """moments: one for each group of folds, the last for the present; group (F + 1,) which of them each fold uses, the
    present's last; shifts of windows. by_step: the mean is corrected step by step (something is known ahead)."""

    moments: tuple[Moment, ...]
    group: tuple[int, ...]
    by_step: bool = False
    shifts: Shifts | None = None
    steps_shift: Shifts | None = field(default=None)


def between(values: FloatArray, have: FloatArray, want: FloatArray) -> FloatArray:
    """(…, q) values at `have`, ascending → at `want`, linear and flat beyond."""
    place = np.interp(want, have, np.arange(len(have), dtype=float))
    low = np.floor(place).astype(np.int64)
    share = place - low
    return values[..., low] * (1 - share) + values[..., np.minimum(low + 1, len(have) - 1)] * share


def at_levels(anchors: FloatArray, table: FloatArray, have: tuple[float, ...], want: tuple[float, ...]) -> FloatArray:
    """(r, w) ratio quantiles at the levels `want`: the trees' distance from the pooled table at the anchors, carried to
    other levels linearly in the normal score and flat beyond. anchors (r, a) squeezed; table (r, q) pooled ratios at
    `have`."""
    normal = NormalDist().inv_cdf
    kept, asked, knots = (np.array([normal(t) for t in levels]) for levels in (have, want, ANCHORS))
    rough = squeeze(table)
    gap = TRUST * (anchors - between(rough, kept, knots))
    return unsqueeze(np.maximum.accumulate(between(rough, kept, asked) + between(gap, knots, asked), axis=1))


def pick(ratios: FloatArray, have: tuple[float, ...], want: tuple[float, ...]) -> FloatArray:
    """(r, q) ratios at the wanted levels; between kept levels linear."""
    return between(ratios, np.array(have), np.array(want))
