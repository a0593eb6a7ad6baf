"""A requested fill rate, met by replaying the policy on what is already known: caution → fill rate, read backwards.

Every four weeks the last weeks' replay under each caution is added to what earlier replays of the shop said, and the
caution whose pooled fill rate is the requested one is used for the next four weeks. No day that lies ahead is read.
"""

from __future__ import annotations

import numpy as np

from benchmarks.optimisation.mission_data import DAYS, REVIEW, Array
from benchmarks.optimisation.mission_policies import WEEKS, Setting, levels_of
from benchmarks.optimisation.mission_replay import Replayed, replay
from procurement.engine.policies.aggregate_target import SharedTarget, levels_for

CAUTIONS = np.arange(0.8, 9.0, 0.3)
WARM_UP, STEP = 28, 28


def served_by(setting: Setting, asked: list[SharedTarget], days: int, weight: Array) -> Array:
    """(cautions, 2): demand and served, weighted, of the replay of the first `days` days under each caution."""
    found = []
    for caution in CAUTIONS:
        levels = levels_of(asked, float(caution))
        done = replay(setting.half.demand[:, :days], levels, setting.lead.drawn, step=REVIEW, warm_up=WARM_UP)
        found.append(((done.demand * weight).sum(), (done.served * weight).sum()))
    return np.array(found)


def caution_for(fill_rate: float, pooled: Array) -> float:
    rates = np.maximum.accumulate(pooled[:, 1] / pooled[:, 0])
    return float(np.interp(fill_rate, rates, CAUTIONS))


def requested(
    setting: Setting, asked: list[SharedTarget], fill_rate: float, weight: Array, earlier: Array | None
) -> Replayed:
    """Replay a half year at a requested fill rate. Without an earlier replay the first weeks trust the formula."""
    cautions = np.zeros(WEEKS)
    for day in range(0, DAYS, STEP):
        pooled = np.zeros((len(CAUTIONS), 2)) if earlier is None else earlier.copy()
        if day >= WARM_UP + STEP:
            pooled += served_by(setting, asked, day, weight)
        week = day // REVIEW
        here = slice(week, week + STEP // REVIEW)
        if pooled[0, 0] > 0.0:
            cautions[here] = caution_for(fill_rate, pooled)
        else:
            cautions[here] = levels_for(asked[week], fill_rate).caution
    levels = levels_of(asked, cautions)
    return replay(setting.half.demand, levels, setting.lead.drawn, step=REVIEW, warm_up=WARM_UP)
