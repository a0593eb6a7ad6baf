"""What starting a draft would mean: who would take part, and how many days it would need to see what."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import NormalDist

from config.kernel.errors import ValidationFailed
from forecasting.selectors import last_demand_day
from procurement.models import Experiment, ExperimentItem
from procurement.services.experiments.looking import LEAST_DAYS
from procurement.services.experiments.measures import Fared, fared
from procurement.services.experiments.starting import candidates, drawn_items

#: Effects to look for: shares of the mean, and of the fill rate itself.
EFFECTS = (0.05, 0.1, 0.2)
FILL_EFFECTS = (0.005, 0.01, 0.02)


@dataclass(frozen=True, slots=True)
class Preview:
    """`segments`: name → (champions, challengers). `days`: (effect, days needed or None) in the metric's own unit.
    `refused`: why it could not start."""

    skus: int
    busy: int
    segments: Mapping[str, tuple[int, int]]
    mean: float
    days: Sequence[tuple[float, int | None]]
    refused: str = ""


def count_candidates(experiment: Experiment) -> int:
    return len(candidates(experiment)[0])


def preview_experiment(experiment: Experiment) -> Preview:
    """Draw as starting would, write nothing. The days are those of the always-valid interval, with 80 % power."""
    last = last_demand_day()
    known, busy = candidates(experiment)
    if last is None:
        return Preview(len(known), busy, {}, 0.0, ())
    half = max(experiment.pre_days // 2, 2)
    spans = ((last - timedelta(2 * half - 1), last - timedelta(half)), (last - timedelta(half - 1), last))
    early, late = (
        fared(known, first=first, until=until, warehouse_id=experiment.warehouse_id) for first, until in spans
    )
    try:
        drawn = drawn_items(experiment, sorted(late), late)
    except ValidationFailed as refused:
        return Preview(len(known), busy, {}, 0.0, (), str(refused))
    arms = Counter((item.stratum, item.arm) for item in drawn)
    champion, challenger = ExperimentItem.Arm.CHAMPION, ExperimentItem.Arm.CHALLENGER
    segments = {name: (arms[name, champion], arms[name, challenger]) for name in sorted({i.stratum for i in drawn})}
    mean = sum(one.of(experiment.metric) for one in late.values()) / len(late)
    quarter = _of_days(experiment, known, last, half // 2)
    days = _days(experiment, drawn, mean, _Halves(early, late, half), quarter)
    return Preview(len(drawn), busy, segments, mean, days)


@dataclass(frozen=True, slots=True)
class _Halves:
    early: Mapping[int, Fared]
    late: Mapping[int, Fared]
    days: int


def _of_days(experiment: Experiment, known: Sequence[int], last: date, days: int) -> Mapping[int, Fared]:
    return fared(known, first=last - timedelta(days - 1), until=last, warehouse_id=experiment.warehouse_id)


def _days(
    experiment: Experiment, drawn: Sequence[ExperimentItem], mean: float, halves: _Halves, quarter: Mapping[int, Fared]
) -> list[tuple[float, int | None]]:
    """The variance of an item over T days is a² + d²/T: two lengths of days tell both parts."""
    from procurement.engine.experiments import days_needed

    long, short = (
        _item_variance(experiment, drawn, halves, halves.late),
        _item_variance(experiment, drawn, halves, quarter),
    )
    span, part = halves.days, max(halves.days // 2, 1)
    daily = max(short - long, 0.0) / (1.0 / part - 1.0 / span) if part < span else long * span
    lasting = max(long - daily / span, 0.0)
    counts = Counter(item.arm for item in drawn)
    is_fill = experiment.metric == Experiment.Metric.FILL_RATE
    effects = FILL_EFFECTS if is_fill else tuple(share * mean for share in EFFECTS)
    found = {
        effect: days_needed(
            effect=effect,
            item_sd=sqrt(lasting),
            daily_sd=sqrt(daily),
            champions=counts[ExperimentItem.Arm.CHAMPION],
            challengers=counts[ExperimentItem.Arm.CHALLENGER],
            alpha=_alpha_of_one_look(float(experiment.alpha)),
        )
        for effect in effects
        if effect > 0.0
    }
    return [(effect, None if days is None else max(days, LEAST_DAYS)) for effect, days in found.items()]


def _item_variance(
    experiment: Experiment, drawn: Sequence[ExperimentItem], halves: _Halves, outcome: Mapping[int, Fared]
) -> float:
    """Of an item, once what is known of the early half is taken away."""
    from procurement.engine.experiments import compare_arms

    found = compare_arms(
        [outcome[item.sku_id].of(experiment.metric) for item in drawn],
        [item.arm == ExperimentItem.Arm.CHALLENGER for item in drawn],
        [item.stratum for item in drawn],
        [halves.early[item.sku_id].of(experiment.metric) for item in drawn],
    )
    return float(found.error**2 / (1.0 / found.champions + 1.0 / found.challengers))


def _alpha_of_one_look(alpha: float) -> float:
    """The risk of a single look whose interval is as wide as the always-valid one at the planned end. 0.05 → 0.0024."""
    from procurement.engine.experiments import always_valid, mixture_variance

    reach = always_valid(0.0, 1.0, variance=mixture_variance(1.0, alpha), alpha=alpha).high
    return 2.0 * (1.0 - NormalDist().cdf(reach))
