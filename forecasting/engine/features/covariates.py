"""Covariates as features: what is known of the window ahead, what was seen lately, what the series is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecasting.engine.features.spans import Spans, log_ratio
from forecasting.engine.types import FloatArray, IntArray, Panel

CATEGORY = "category:"
"""Prefix of features that are codes without an order: give them to a tree as categories."""

LATELY = {"H": 24, "D": 7, "W": 2, "M": 1, "Q": 1, "Y": 1}
USUALLY = {"H": 336, "D": 56, "W": 13, "M": 6, "Q": 4, "Y": 2}


def covariate_features(panel: Panel, origins: IntArray, windows: Sequence[int]) -> tuple[list[str], FloatArray]:
    """(names, x (n, O, W, p)) of `panel.covariates`; p = 0 without any. NaN = unknown; a tree may take it as it is.

    origins (O,) numbers of periods that had passed (column o is the first step ahead); windows (W,) periods ahead.
    For each known covariate c (it may be read ahead of the origin; missing future values are NaN):
        c:ahead    mean over the window, columns o ≤ t < o + k (promotion: share of promoted periods; price: mean price)
        c:change   log_ratio of that mean to the usual one (mean of the 56 days before the origin): price depth, scale
                   free
        c:lately   mean of the last 7 days before the origin: what an event left behind
        c:after    mean over the k periods after the window: demand pulled forward by what comes next
    For each past covariate (never read at or after the origin):
        c:lately   log_ratio of the mean of the last 7 days to the usual one (56 days)
        c:level    log(1 + usual), NaN for a negative one
    Static numbers and category codes (`category:name`, −1 → NaN) are repeated. Days stand for D; other frequencies have
    their own lengths (LATELY, USUALLY). A feature of one origin never changes when anything but `known` changes after
    it.
    """
    n, count = len(panel.ids), len(origins)
    shape = (n, count, len(windows))
    if panel.covariates is None:
        return [], np.zeros((*shape, 0))
    begin = np.asarray(origins, dtype=np.int64)
    lately, usually = LATELY[panel.freq], USUALLY[panel.freq]
    found: list[tuple[str, FloatArray]] = []
    for name, values in sorted(panel.covariates.known.items()):
        found += _known(name, Spans(values), begin, np.asarray(windows, dtype=np.int64), lately, usually)
    for name, values in sorted(panel.covariates.past.items()):
        found += _past(name, Spans(values), begin, lately, usually)
    for name, numbers in sorted(panel.covariates.static.items()):
        found.append((name, np.asarray(numbers, dtype=float)[:, None, None]))
    for name, codes in sorted(panel.covariates.categories.items()):
        found.append((f"{CATEGORY}{name}", np.where(codes < 0, np.nan, codes)[:, None, None]))
    out = np.empty((*shape, len(found)))
    for column, (_name, values) in enumerate(found):
        out[..., column] = values
    return [name for name, _ in found], out


def _known(
    name: str, spans: Spans, origins: IntArray, windows: IntArray, lately: int, usually: int
) -> list[tuple[str, FloatArray]]:
    first = origins[:, None] + 0 * windows[None, :]
    last = origins[:, None] + windows[None, :]
    ahead = spans.mean(first, last)
    usual = spans.mean(origins - usually, origins)[:, :, None]
    return [
        (f"{name}:ahead", ahead),
        (f"{name}:change", log_ratio(ahead, usual)),
        (f"{name}:lately", spans.mean(origins - lately, origins)[:, :, None]),
        (f"{name}:after", spans.mean(last, last + windows[None, :])),
    ]


def _past(name: str, spans: Spans, origins: IntArray, lately: int, usually: int) -> list[tuple[str, FloatArray]]:
    usual = spans.mean(origins - usually, origins)
    recent = spans.mean(origins - lately, origins)
    level = np.log1p(np.where(usual >= 0, usual, np.nan))
    return [(f"{name}:lately", log_ratio(recent, usual)[:, :, None]), (f"{name}:level", level[:, :, None])]
