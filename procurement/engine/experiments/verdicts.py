"""When an experiment is over, and who has won: harm first, then the metric, then the end of the time planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from statistics import NormalDist

from procurement.engine.errors import ParameterError


class Verdict(StrEnum):
    NONE = "none"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    HARM = "harm"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: always-valid bounds of the effect on the metric and on the fill rate (a share), and the day of it,
    counted from the first that counts."""

    day: int
    low: float
    high: float
    fill_effect: float
    fill_high: float


def judge(looks: Sequence[Look], *, lower_is_better: bool, harm_limit: float, planned_days: int) -> tuple[Verdict, str]:
    """(verdict, reason code) after the last of these looks.

    `harm`: the fill rate has certainly fallen, and by more than the limit on the best estimate. `challenger` or
    `champion`: the interval of the metric leaves zero out. At the end of the time planned without either the champion
    stays ("no difference shown").
    """
    if not looks:
        return Verdict.NONE, "no_look_yet"
    last = looks[-1]
    if last.fill_high < 0.0 and last.fill_effect <= -harm_limit:
        return Verdict.HARM, "fill_rate_fell"
    if last.high < 0.0:
        return (Verdict.CHALLENGER if lower_is_better else Verdict.CHAMPION), "interval_below_zero"
    if last.low > 0.0:
        return (Verdict.CHAMPION if lower_is_better else Verdict.CHALLENGER), "interval_above_zero"
    if last.day >= planned_days:
        return Verdict.CHAMPION, "no_difference_shown"
    return Verdict.NONE, "goes_on"


def days_needed(
    *,
    effect: float,
    item_sd: float,
    daily_sd: float,
    champions: int,
    challengers: int,
    alpha: float,
    power: float = 0.8,
) -> int | None:
    """Days until an effect of this size would be found with this power by one look at the end; None if never.

    The error has a part that days take away (`daily_sd` of an item's day) and one that only more items do (`item_sd`,
    what differs between items after the covariate): error² = (item_sd² + daily_sd²/T)·(1/n₀ + 1/n₁).
    effect 1, item_sd 0, daily_sd 10, 100 + 100 items, α = 0.05 → 16.
    """
    for name, value in (("champions", champions), ("challengers", challengers), ("effect", abs(effect))):
        if not value > 0:
            raise ParameterError(name, "must be above 0")
    normal = NormalDist()
    wanted = abs(effect) / (normal.inv_cdf(1.0 - alpha / 2.0) + normal.inv_cdf(power))
    both = 1.0 / champions + 1.0 / challengers
    room = wanted**2 / both - item_sd**2
    return max(1, ceil(daily_sd**2 / room - 1e-9)) if room > 0.0 else None
