"""A look at an experiment: the effect so far with an interval that allows peeking, and what follows from it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.kernel.transactions import one_transaction
from forecasting.selectors import last_demand_day
from procurement.models import Experiment, ExperimentItem, ExperimentLook
from procurement.services.experiments.ending import end
from procurement.services.experiments.measures import fared
from procurement.services.experiments.starting import locked, log

if TYPE_CHECKING:
    from procurement.engine.experiments import AlwaysValid, Comparison

# Before that the figures of a week's rhythm would pass for an effect.
LEAST_DAYS = 7
LOWER_IS_BETTER = (Experiment.Metric.COST, Experiment.Metric.STOCK_VALUE)


def look_at_experiments(*, now: datetime) -> dict[str, int]:
    """Look at every running one, each in a transaction of its own."""
    running = Experiment.objects.filter(status=Experiment.Status.RUNNING).order_by("pk").values_list("pk", flat=True)
    looks = [look_at_experiment(pk, now=now) for pk in running]
    return {"running": len(looks), "looked": sum(look is not None for look in looks)}


@one_transaction
def look_at_experiment(experiment_id: int, *, now: datetime) -> ExperimentLook | None:
    """Today's look, kept once a day; None while it is too early, or the experiment has ended. Locks the experiment.

    A verdict ends it: `harm` stops it at once, and its SKUs are planned by the champion from the next plan on.
    """
    experiment, last = locked(experiment_id), last_demand_day()
    if experiment.status != Experiment.Status.RUNNING or last is None or experiment.starts_on is None:
        return None
    counts_from = experiment.starts_on + timedelta(days=experiment.burn_in_days)
    if (last - counts_from).days + 1 < LEAST_DAYS:
        return None
    known = experiment.looks.filter(day=last).first()
    if known is not None:
        return known
    look = _look(experiment, counts_from, last)
    look.save()
    _follow(experiment, look, (last - counts_from).days + 1, now)
    return look


def _look(experiment: Experiment, first: Any, last: Any) -> ExperimentLook:
    items = list(experiment.items.filter(is_active=True).order_by("sku_id"))
    skus = [item.sku_id for item in items]
    now = fared(skus, first=first, until=last, warehouse_id=experiment.warehouse_id)
    started = experiment.events.get(kind="started").detail
    previous = experiment.looks.first()
    metric, valid = _compared(experiment, items, [now[sku].of(experiment.metric) for sku in skus], started, previous)
    fills = [now[sku].fill_rate for sku in skus]
    fill, fill_valid = _filled(experiment, items, fills, started)
    return ExperimentLook(
        experiment=experiment,
        day=last,
        champion_items=metric.champions,
        challenger_items=metric.challengers,
        champion_mean=metric.champion_mean,
        challenger_mean=metric.challenger_mean,
        effect=metric.effect,
        low=valid.low,
        high=valid.high,
        p_value=valid.p_value,
        variance_reduction=metric.removed,
        fill_effect=fill.effect,
        fill_low=fill_valid.low,
        fill_high=fill_valid.high,
    )


def _compared(
    experiment: Experiment, items: list[ExperimentItem], outcome: list[float], started: Any, previous: Any
) -> "tuple[Comparison, AlwaysValid]":
    from procurement.engine.experiments import always_valid, compare_arms, mixture_variance

    found = compare_arms(outcome, _arms(items), [i.stratum for i in items], [item.covariate for item in items])
    alpha = float(experiment.alpha)
    variance = mixture_variance(started["planned_error"], alpha)
    before = previous.p_value if previous else 1.0
    return found, always_valid(found.effect, found.error, variance=variance, alpha=alpha, p_before=before)


def _filled(
    experiment: Experiment, items: list[ExperimentItem], fills: list[float], started: Any
) -> "tuple[Comparison, AlwaysValid]":
    from procurement.engine.experiments import always_valid, compare_arms, mixture_variance

    found = compare_arms(fills, _arms(items), [item.stratum for item in items])
    alpha = float(experiment.alpha)
    variance = mixture_variance(started["planned_fill_error"], alpha)
    return found, always_valid(found.effect, found.error, variance=variance, alpha=alpha)


def _arms(items: list[ExperimentItem]) -> list[bool]:
    return [item.arm == ExperimentItem.Arm.CHALLENGER for item in items]


def _follow(experiment: Experiment, look: ExperimentLook, day: int, now: datetime) -> None:
    from procurement.engine.experiments import Look, Verdict, judge

    seen = Look(day=day, low=look.low, high=look.high, fill_effect=look.fill_effect, fill_high=look.fill_high)
    verdict, reason = judge(
        [seen],
        lower_is_better=experiment.metric in LOWER_IS_BETTER,
        harm_limit=float(experiment.harm_limit),
        planned_days=experiment.planned_days,
    )
    figures = {"day": look.day.isoformat(), "effect": look.effect, "low": look.low, "high": look.high}
    log(experiment, "looked", actor=None, now=now, reason=reason, fill_effect=look.fill_effect, **figures)
    if verdict != Verdict.NONE:
        status = Experiment.Status.STOPPED if verdict == Verdict.HARM else Experiment.Status.COMPLETED
        end(experiment, status=status, verdict=verdict, now=now, actor=None, reason=reason)
