"""From the pooled fit to the boosted one: learn, test on held-out folds, calibrate, and tell the classes' verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecasting.engine.backtest import Actuals
from forecasting.engine.boosted import LEAST_SERIES
from forecasting.engine.boosted.calibrate import learn_shifts
from forecasting.engine.boosted.candidate import with_boosted
from forecasting.engine.boosted.cases import build_cases
from forecasting.engine.boosted.learn import Gatherer, learn_moment, spread_steps
from forecasting.engine.boosted.model import Boosted, Moment
from forecasting.engine.boosted.reader import BoostedReader
from forecasting.engine.cleaning import Cleaned
from forecasting.engine.frame import Frame
from forecasting.engine.methods.pooled import Features, features_of, pooled_path
from forecasting.engine.predict import Pooled
from forecasting.engine.selection import Losses
from forecasting.engine.types import Covariates

MOST_CORRECTED_STEPS = 62
LEAST_TESTED = 1
REFIT_FOLDS = 3


def too_small(series: int) -> str | None:
    """Why a panel is not boosted, in words."""
    if series < LEAST_SERIES:
        return f"boosted trees left out: {series} series, {LEAST_SERIES} needed"
    return None


def learn_boosted(
    pooled: Pooled, frame: Frame, features: Features, cleaned: Cleaned, covariates: Covariates | None, seed: int
) -> Boosted | None:
    """The models of the present and of every third fold, which serve the two folds after it too; None where the
    panel holds too few cases. frame: all training origins of the
    sampled series."""
    plan, calendar = pooled.plan, pooled.calendar
    if len(frame.demand) < LEAST_SERIES or not plan.folds:
        return None
    by_step = covariates is not None and bool(covariates.known) and calendar.horizon <= MOST_CORRECTED_STEPS
    means = spread_steps(calendar.horizon) if by_step else list(calendar.blocks)
    cases = build_cases(frame, features, cleaned, covariates, np.zeros(frame.factor.shape))
    moments: list[Moment] = []
    group: list[int] = []
    for fold, fit in enumerate(pooled.fits):
        last = fold == len(plan.folds)
        if not last and moments and group.count(len(moments) - 1) < REFIT_FOLDS:
            group.append(len(moments) - 1)
            continue
        end = int(plan.origins[plan.present if last else plan.folds[fold]])
        here = cases.under(pooled_path(frame, features, fit.betas))
        gatherer = Gatherer(frame, Actuals(cleaned), here, end, seed)
        steps = spread_steps(calendar.horizon) if last else []
        moment = learn_moment(gatherer, means, plan.windows if last else plan.scored, steps, seed)
        group.append(-1 if moment is None else len(moments))
        moments += [] if moment is None else [moment]
    return Boosted(tuple(moments), tuple(group), by_step) if group[-1] >= 0 and len(moments) > LEAST_TESTED else None


def fit_boosted(
    pooled: Pooled,
    frame: Frame,
    features: Features,
    cleaned: Cleaned,
    losses: Losses,
    covariates: Covariates | None,
    seed: int,
) -> tuple[Pooled, Losses]:
    """Learn, calibrate on the folds and score there. frame, features: all origins; losses: the other methods' on the
    same series."""
    boosted = learn_boosted(pooled, frame, features, cleaned, covariates, seed)
    if boosted is None:
        return pooled, losses
    small = frame.at(pooled.plan.columns)
    reader = BoostedReader(pooled, boosted, small, features_of(small), cleaned, covariates)
    shifts = learn_shifts(reader, losses, pooled.plan.scored)
    boosted = replace(boosted, shifts=shifts)
    reader.boosted = boosted
    return replace(pooled, boosted=boosted), with_boosted(losses, reader)
