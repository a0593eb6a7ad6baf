"""What a change of policy brought: the days after it against the replay of the policy as it was, less what the same
comparison says of the days before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from forecasting.models import ForecastRun
from forecasting.selectors import complete_runs, last_demand_day
from procurement.models import ExperimentItem, PolicyChange, PolicyReplay
from procurement.services.experiments.measures import fared_pairs, rates_of
from procurement.services.policies import values_of
from procurement.services.replay_history import KNOWN_DAYS, past_of
from procurement.services.replay_levels import WARM_UP_DAYS, Chunk, levels_over_time, replay_of
from procurement.services.trials import Trial, trials_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns = dict[str, NDArray[np.float64]]

LEAST_DAYS = 28  # that are measured
MOST_DAYS = 120  # from the change to the last of them
# Sold for less than the year that levels are learned from, the replay's levels would drift while it fills.
LEAST_KNOWN = KNOWN_DAYS
WORLDS = 8  # of lead times; the demand is the one that happened
ROWS_AT_A_TIME = 400
FIGURES = ("stock_value", "fill_rate", "cost")


def evaluate_policy_changes(now: datetime) -> dict[str, int]:
    """Evaluate every change that is old enough and was not evaluated yet; a change is evaluated once.

    Old enough: `LEAST_DAYS` and the longest lead time, at most `MOST_DAYS` in all. The days within that lead time are
    not measured: what came in them was ordered before.
    """
    last = last_demand_day()
    counts = {"evaluated": 0, "left_out": 0, "waiting": 0}
    for change in PolicyChange.objects.filter(evaluated_at=None).select_related("policy").order_by("changed_at"):
        found = _evaluated(change, last) if last else None
        if found is None:
            counts["waiting"] += 1
            continue
        rows = PolicyChange.objects.filter(pk=change.pk, evaluated_at=None)
        if rows.update(effect=found, evaluated_at=now, days=found.get("days")):
            counts["left_out" if "reason" in found else "evaluated"] += 1
    return counts


def as_it_was(change: PolicyChange) -> dict[str, Any]:
    """The changed fields of the policy before this change: those of today, each later change undone."""
    later = PolicyChange.objects.filter(policy=change.policy_id, changed_at__gte=change.changed_at)
    was: dict[str, Any] = {}
    for one in later.order_by("-changed_at", "-pk"):
        was |= one.before
    return was


@dataclass(frozen=True, slots=True)
class _Span:
    """Days measured after the change, and as many that ended on the eve of it."""

    changed_on: date
    first: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        return self.changed_on - timedelta(self.days), self.changed_on - timedelta(1)


@dataclass(slots=True)
class _Measured:
    """figure → its four columns: real after, replayed after, real before, replayed before; and units wanted a day."""

    columns: dict[str, list[list[Any]]] = field(default_factory=lambda: {name: [[], [], [], []] for name in FIGURES})
    wanted: list[Any] = field(default_factory=list)
    left_out: int = 0


def _evaluated(change: PolicyChange, last: date) -> dict[str, Any] | None:
    """The effect as JSON, {"reason": …} where there can be none, None while it is too early."""
    if change.policy is None:
        return {"reason": "policy_deleted"}
    was = as_it_was(change)
    if {name: values_of(change.policy)[name] for name in was} == was:
        return {"reason": "taken_back"}
    replay = PolicyReplay(policy=change.policy, changes=was)
    trials = trials_of(replay, today=timezone.localdate(change.changed_at))
    if not trials:
        return {"reason": "no_items"}
    span = _span(change, last, max(trial.today.lead_time_days for trial in trials))
    if not isinstance(span, _Span):
        return span
    busy = _in_experiments(span)
    free = [trial for trial in trials if trial.pair[0] not in busy]
    measured = _Measured(left_out=len(trials) - len(free))
    runs = list(complete_runs()[:60])
    for begin in range(0, len(free), ROWS_AT_A_TIME):
        _measure(free[begin : begin + ROWS_AT_A_TIME], span, runs, measured)
    return _result(span, measured) if measured.wanted else {"reason": "no_history"}


def _span(change: PolicyChange, last: date, lead_time_days: int) -> "_Span | dict[str, Any] | None":
    """The days to measure, up to the next change of the same policy."""
    changed_on = timezone.localdate(change.changed_at)
    burn_in = min(lead_time_days, MOST_DAYS - LEAST_DAYS)
    following = PolicyChange.objects.filter(policy=change.policy_id, changed_at__gt=change.changed_at)
    ended = following.order_by("changed_at").values_list("changed_at", flat=True).first()
    until = min(last, changed_on + timedelta(MOST_DAYS - 1))
    first = changed_on + timedelta(burn_in)
    if ended is not None:
        until = min(until, timezone.localdate(ended) - timedelta(1))
    if (until - first).days + 1 >= LEAST_DAYS:
        return _Span(changed_on, first, until)
    return {"reason": "changed_again"} if ended is not None and until < last else None


def _in_experiments(span: _Span) -> set[int]:
    """SKUs that tried a challenger on some of the days."""
    rows = ExperimentItem.objects.filter(
        Q(experiment__ends_on=None) | Q(experiment__ends_on__gte=span.before[0]),
        arm=ExperimentItem.Arm.CHALLENGER,
        experiment__starts_on__lte=span.until,
    )
    return set(rows.values_list("sku_id", flat=True))


def _measure(trials: Sequence[Trial], span: _Span, runs: Sequence[ForecastRun], measured: _Measured) -> None:
    """Add the rows of these trials that were sold long enough before."""
    import numpy as np

    kept, replayed_before = _replayed(trials, *span.before, runs)
    measured.left_out += len(trials) - len(kept)
    if not len(kept):
        return
    trials = [trials[int(place)] for place in kept]
    places, replayed_after = _replayed(trials, span.first, span.until, runs)
    trials = [trials[int(place)] for place in places]
    measured.left_out += len(kept) - len(places)
    replayed_before = {name: values[places] for name, values in replayed_before.items()}
    items = {trial.pair: trial.today for trial in trials}
    pairs = list(items)
    after = fared_pairs(pairs, items, first=span.first, until=span.until)
    before = fared_pairs(pairs, items, first=span.before[0], until=span.before[1])
    for name in FIGURES:
        parts = (getattr(after, name), replayed_after[name], getattr(before, name), replayed_before[name])
        for column, part in zip(measured.columns[name], parts, strict=True):
            column.append(np.asarray(part))
    measured.wanted.append(after.wanted / span.days)


def _replayed(
    trials: Sequence[Trial], first: date, until: date, runs: Sequence[ForecastRun]
) -> "tuple[NDArray[np.int64], Columns]":
    """(places of the trials that can be replayed, figure → its value for each of them) of the policy as it was, on the
    demand of these days."""
    import numpy as np

    from procurement.engine.replay.history import HistoryScenarios
    from procurement.engine.replay.simulate import simulate

    days = (until - first).days + 1 + WARM_UP_DAYS
    past = past_of([trial.pair for trial in trials], until=until, days=days)
    kept = np.flatnonzero((past.known >= LEAST_KNOWN) & (past.demand.sum(axis=1) > 0))
    if not len(kept):
        return kept, {}
    past = type(past)(past.demand[kept], past.known[kept], past.filled)
    chosen = [trials[int(place)] for place in kept]
    chunk = Chunk(chosen, past, first - timedelta(WARM_UP_DAYS), days, runs)
    worlds = np.tile(np.arange(KNOWN_DAYS, KNOWN_DAYS + days), (WORLDS, 1))
    levels = levels_over_time(chunk, _challenger)
    demand = HistoryScenarios(past.demand, worlds, np.ones(len(kept)))
    result = simulate(replay_of(chunk, _challenger, levels, demand, seed=0))
    counted, replay = days - WARM_UP_DAYS, result.replay
    rates = np.array([rates_of(trial.today.item.sku, trial.today) for trial in chosen])
    short, wanted = result.short.mean(axis=0), result.demand.mean(axis=0)
    value = result.stock_days.mean(axis=0) * replay.unit_cost / counted
    cost = value * rates[:, 0] / 365.0 + rates[:, 1] * short / counted
    return kept, {"stock_value": value, "fill_rate": 1.0 - short / np.where(wanted > 0, wanted, 1.0), "cost": cost}


def _challenger(trial: Trial) -> Any:
    """The policy as it was is what the replay tries."""
    return trial.challenger


def _result(span: _Span, measured: _Measured) -> dict[str, Any]:
    import numpy as np

    wanted = np.concatenate(measured.wanted)
    return {
        "first_day": span.first.isoformat(),
        "last_day": span.until.isoformat(),
        "days": span.days,
        "before_first_day": span.before[0].isoformat(),
        "items": len(wanted),
        "left_out": measured.left_out,
        "currency": settings.COMPANY_CURRENCY,
        "figures": _figures(measured, wanted),
    }


def _figures(measured: _Measured, wanted: Any) -> Mapping[str, dict[str, float]]:
    """Stock value and cost a day of all rows together; the fill rate weighed by the units wanted."""
    import numpy as np

    from procurement.engine.experiments import evaluate_effect

    found = {}
    for name in FIGURES:
        if name == "fill_rate" and not wanted.sum() > 0.0:
            continue
        columns: list[Any] = [np.concatenate(column) for column in measured.columns[name]]
        effect = evaluate_effect(*columns, weights=wanted if name == "fill_rate" else None)
        times = 1.0 if name == "fill_rate" else float(effect.items)
        told = ("value", "low", "high", "real", "counterfactual", "bias")
        found[name] = {part: round(getattr(effect, part) * times, 6) for part in told}
    return found
