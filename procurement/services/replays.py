"""A policy on trial: today's and the challenger replayed on the same past, and the curve between stock and service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from config.kernel.jobs import queue_job, report_progress, send_to_worker
from config.kernel.transactions import one_transaction
from forecasting.models import ForecastRun
from forecasting.selectors import complete_runs, last_demand_day
from procurement.models import Policy, PolicyReplay
from procurement.services.jobs import Clock, run_job
from procurement.services.policies import clean_changes, values_of
from procurement.services.policy_book import DEFAULT_POLICY, changed_policy
from procurement.services.replay_history import KNOWN_DAYS, LEAST_KNOWN, past_of, world_places
from procurement.services.replay_levels import WARM_UP_DAYS, Chunk, levels_over_time, replay_of
from procurement.services.replay_sums import ALL, Tally, figures, value_of
from procurement.services.trials import Trial, trials_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "policy_replay"
DAYS, SCENARIOS = (28, 730), (2, 100)
TARGETS = (0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
CURVE_SCENARIOS = 5
ROWS_AT_A_TIME = 400
SEARCHED = 400  # levels tried of each row
SEARCH_SCENARIOS = 8
TODAY, CHALLENGER, SEARCH = "today", "challenger", "search"


@one_transaction
def queue_policy_replay(
    *, name: str, changes: Mapping[str, Any], actor: Any, policy: Policy | None = None,
    scope: Mapping[str, Any] | None = None,
    days: int = 180, scenarios: int = 20, seed: int = 0, searches: bool = False,
) -> PolicyReplay:  # fmt: skip
    """A replay with its job, which a worker is woken for on commit. `scope` narrows by category, sku or warehouse.

    Raises ValidationFailed for wrong changes, or numbers out of range, each named.
    """
    for field_name, value, (least, most) in (("days", days, DAYS), ("scenarios", scenarios, SCENARIOS)):
        if not least <= value <= most:
            words = _("%(name)s lies between %(least)d and %(most)d.")
            told = words % {"name": field_name, "least": least, "most": most}
            raise ValidationFailed(told, items=[{"field": field_name, "message": told}])
    cleaned = clean_changes(policy or DEFAULT_POLICY, changes)
    replay = PolicyReplay.objects.create(
        name=name[:120] or _("Replay"), policy=policy, changes=cleaned, days=days, scenarios=scenarios, seed=seed,
        searches=searches, created_by=actor, **(scope or {}),
    )  # fmt: skip
    replay.job = queue_job(KIND, parameters={"replay": replay.pk}, actor=actor)
    replay.save(update_fields=["job"])
    send_to_worker(replay.job)  # type: ignore[arg-type]
    return replay


def run_policy_replay(job_id: UUID, *, clock: Clock) -> dict[str, Any] | None:
    """The job's work; what is kept with the job says how many, the figures stand with the replay."""

    def work() -> dict[str, Any]:
        replay = PolicyReplay.objects.select_related("policy").get(job_id=job_id)
        found = replay_policy(replay, job_id, clock)
        PolicyReplay.objects.filter(pk=replay.pk).update(result=found)
        return {"replay": replay.pk, "series": found["series"], "left_out": found["left_out"]}

    return run_job(job_id, work, clock=clock)


@dataclass(slots=True)
class _Tallies:
    scenarios: int
    policies: dict[str, Tally] = field(default_factory=dict)
    curve: dict[float, Tally] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    filled: int = 0
    searched: int = 0
    basis: dict[str, int] = field(default_factory=lambda: {"forecasts": 0, "history": 0})


def replay_policy(replay: PolicyReplay, job_id: UUID, clock: Clock) -> dict[str, Any]:
    """Replay chunk by chunk, so that memory does not grow with the rows; reports each chunk to the job."""
    last = last_demand_day()
    if last is None:
        raise ValidationFailed(_("There is no demand yet to replay a policy on."))
    report_progress(job_id, now=clock(), step=_("Reading policies and suppliers"))
    trials = trials_of(replay, today=timezone.localdate(clock()))
    if not trials:
        raise ValidationFailed(_("The policy holds for no SKU that is bought."))
    tallies = _Tallies(replay.scenarios)
    places = world_places(replay.days + WARM_UP_DAYS, replay.scenarios, replay.seed)
    runs = list(complete_runs()[:60])
    for begin in range(0, len(trials), ROWS_AT_A_TIME):
        step = _("Replaying on what was asked for")
        report_progress(job_id, now=clock(), done=begin, total=len(trials), step=step)
        _replay_chunk(replay, trials[begin : begin + ROWS_AT_A_TIME], last, runs, places, tallies)
    if not tallies.policies:
        words = _("None of the %(count)d SKUs and warehouses was sold for %(days)d days before the replay begins.")
        raise ValidationFailed(words % {"count": len(trials), "days": LEAST_KNOWN})
    report_progress(job_id, now=clock(), done=len(trials), total=len(trials), step=_("Adding up"))
    return _result(replay, tallies, last)


def _replay_chunk(
    replay: PolicyReplay, trials: Sequence[Trial], last: date, runs: Sequence[ForecastRun],
    places: "NDArray[np.int64]", tallies: _Tallies,
) -> None:  # fmt: skip
    import numpy as np

    from procurement.engine.replay.history import HistoryScenarios
    from procurement.engine.replay.simulate import simulate

    days = replay.days + WARM_UP_DAYS
    past = past_of([trial.pair for trial in trials], until=last, days=days)
    kept = np.flatnonzero((past.known >= LEAST_KNOWN) & (past.demand.sum(axis=1) > 0))
    tallies.left_out += len(trials) - len(kept)
    tallies.filled += past.filled
    if not len(kept):
        return
    trials = [trials[int(place)] for place in kept]
    past = replace(past, demand=past.demand[kept], known=past.known[kept])
    chunk = Chunk(trials, past, last - timedelta(days - 1), days, runs)
    segments = [trial.segment or "–" for trial in trials]
    for segment in segments:
        tallies.series[segment] = tallies.series.get(segment, 0) + 1
    worlds = HistoryScenarios(past.demand, places, np.ones(len(kept)))
    few = HistoryScenarios(past.demand, places[:CURVE_SCENARIOS], np.ones(len(kept)))
    levels = {TODAY: levels_over_time(chunk, _today), CHALLENGER: levels_over_time(chunk, _challenger)}
    for name, chosen in ((TODAY, _today), (CHALLENGER, _challenger)):
        told = replay_of(chunk, chosen, levels[name], worlds, seed=replay.seed)
        tally = tallies.policies.setdefault(name, Tally(len(places)))
        tally.add(simulate(told), segments)
    if replay.searches:
        _search(replay, chunk, levels[CHALLENGER], worlds, segments, tallies)
    for target in TARGETS:
        found = levels_over_time(chunk, _challenger, target=target)
        curve = tallies.curve.setdefault(target, Tally(len(few.places)))
        curve.add(simulate(replay_of(chunk, _challenger, found, few, seed=replay.seed)), segments)
    tallies.basis["forecasts"] += chunk.from_forecasts
    tallies.basis["history"] += chunk.from_history


def _today(trial: Trial) -> Any:
    return trial.today


def _challenger(trial: Trial) -> Any:
    return trial.challenger


def _search(
    replay: PolicyReplay, chunk: Chunk, levels: Any, worlds: Any, segments: Sequence[str], tallies: _Tallies
) -> None:
    """Levels found by search on worlds of their own, judged on others, and replayed beside the challenger's."""
    import numpy as np

    from procurement.engine.replay.history import HistoryScenarios
    from procurement.engine.replay.simulate import simulate
    from procurement.engine.search.tune import tune_policies
    from procurement.engine.search.types import Budget

    ones = np.ones(len(chunk.trials))

    def on(demand: Any, extra: int) -> Any:
        return replay_of(chunk, _challenger, levels, demand, seed=replay.seed + extra)

    def drawn(extra: int) -> Any:
        places = world_places(chunk.days, SEARCH_SCENARIOS, replay.seed + extra)
        return on(HistoryScenarios(chunk.past.demand, places, ones), extra)

    found = tune_policies(
        drawn(1), drawn(2), budget=Budget(SEARCHED), seed=replay.seed, kind="multipliers", least_fill_rate=ones
    )
    tallies.searched += int(found.is_chosen.sum())
    better = on(worlds, 0).with_levels(
        order_up_to_level=found.order_up_to_level, reorder_point=found.reorder_point, lot=found.lot
    )
    tallies.policies.setdefault(SEARCH, Tally(len(worlds.places))).add(simulate(better), segments)


def _result(replay: PolicyReplay, tallies: _Tallies, last: date) -> dict[str, Any]:
    """All as JSON; every figure is [value, low, high]."""
    policy = replay.policy or DEFAULT_POLICY
    ours, theirs = tallies.policies[TODAY], tallies.policies[CHALLENGER]
    segments = sorted(tallies.series, key=lambda name: (name == "–", name))
    found = {
        "first_day": (last - timedelta(replay.days - 1)).isoformat(),
        "last_day": last.isoformat(),
        "days": replay.days,
        "warm_up_days": WARM_UP_DAYS,
        "known_days": KNOWN_DAYS,
        "scenarios": replay.scenarios,
        "series": sum(tallies.series.values()),
        "left_out": tallies.left_out,
        "filled_days": tallies.filled,
        "basis": tallies.basis,
        "currency": settings.COMPANY_CURRENCY,
        "policies": {TODAY: values_of(policy), CHALLENGER: values_of(changed_policy(policy, replay.changes))},
        "figures": figures(ours, theirs),
        "segments": [
            {"segment": name, "series": tallies.series[name], "figures": figures(ours, theirs, name)}
            for name in segments
        ],
        "curve": [
            {
                "target": target,
                "fill_rate": value_of(tally, "fill_rate", ALL),
                "stock_value": value_of(tally, "stock_value"),
            }
            for target, tally in tallies.curve.items()
        ],
    }
    if SEARCH in tallies.policies:
        found["search"] = {"chosen": tallies.searched, "figures": figures(theirs, tallies.policies[SEARCH])}
    return found
