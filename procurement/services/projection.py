"""Stock to come, day by day, from what is there, what is expected to be asked for and what is on its way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from config.kernel.lookups import is_one_of
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import override_effects
from procurement.services.aims import Pair

FURTHEST_DAYS = 730
"""Nothing is projected further: what lasts longer counts as never used up."""
_TAIL_DAYS = 28


@dataclass(frozen=True, slots=True)
class ExpectedDemand:
    """Units a day from today on; `tail` a day once the forecast ends."""

    days: Sequence[float]
    tail: float = 0.0

    def days_covered(self, units: float) -> int | None:
        """How many days from today on `units` last: with 10 a day 25 units last 2 days, and run out on the third.

        None when they last for FURTHEST_DAYS or longer.
        """
        left = units
        for day, asked in enumerate(self.days):
            left -= asked
            if left < -1e-9:
                return day
        if left < -1e-9 or self.tail <= 0.0:
            return None
        day = len(self.days) + int(max(left, 0.0) / self.tail + 1e-9)
        return day if day < FURTHEST_DAYS else None

    def until(self, day: int) -> float:
        """Units asked for before the `day`-th day from today."""
        known = sum(self.days[: max(day, 0)])
        return known + self.tail * max(day - len(self.days), 0)


def expected_demand(
    run: ForecastRun, pairs: Collection[Pair], *, today: date, counted_twice: Mapping[Pair, float]
) -> dict[Pair, ExpectedDemand]:
    """The forecasts of these pairs by day from today on, overrides in force, less what was ordered of today's already.

    At most six queries.
    """
    if not pairs:
        return {}
    skus = {sku for sku, _warehouse in pairs}
    effects = override_effects(run, on=today, sku_ids=skus)
    skip = max((today - run.as_of).days - 1, 0)
    rows = Forecast.objects.filter(is_one_of("sku_id", skus), run=run)
    found = {}
    for sku, warehouse, mean in rows.values_list("sku_id", "warehouse_id", "mean"):
        if (pair := (sku, warehouse)) in pairs:
            days = adjusted_days(mean, effects.get(pair, ()))[skip:]
            if days:
                days[0] = max(days[0] - counted_twice.get(pair, 0.0), 0.0)
            last = mean[-_TAIL_DAYS:]
            found[pair] = ExpectedDemand(days, sum(last) / len(last) if last else 0.0)
    return found


def runs_out_on(
    stock: float, arrivals: Sequence[tuple[date, float]], demand: ExpectedDemand, *, today: date
) -> date | None:
    """The expected day without stock if nothing more is ordered: 100 units, 10 a day and 50 more in time: day 16.

    None when that is FURTHEST_DAYS away or more. What is overdue counts as coming today.
    """
    steps = sorted((max((day - today).days, 0), units) for day, units in arrivals)
    total = stock
    for place in range(len(steps) + 1):
        short = demand.days_covered(total)
        following = steps[place][0] if place < len(steps) else None
        if short is not None and (following is None or short < following):
            return today + timedelta(days=short)
        if following is not None:
            total += steps[place][1]
    return None
