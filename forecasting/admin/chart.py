"""The picture of one SKU in its warehouses: sixteen weeks of demand, as sold and as read, and the fan ahead."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import CalendarEvent, Category, Sku
from config.kernel.charts import Figure, OutlookData, Special, bar_chart, outlook_chart
from forecasting.models import DemandHistory, Forecast
from forecasting.selectors import latest_run
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.history import HistoryDay, pair_histories
from forecasting.selectors.nowcast import LiveView, nowcasts
from forecasting.selectors.overrides import Effect, override_effects

PAST_DAYS = 112
LEAST_PAST_DAYS = 28
AHEAD_DAYS = 42
PAST_WEEKS = 52
_MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Outlook:
    """One SKU in one warehouse: its picture, the days it shows, what overrides do and how the orders run now."""

    figure: Figure
    days: list[HistoryDay]
    effect: Effect
    live: LiveView | None

    @property
    def censored(self) -> int:
        return sum(1 for day in self.days if is_dry(day))

    @property
    def corrected(self) -> list[HistoryDay]:
        return [day for day in self.days if day.kind not in ("", "censored")]


def is_dry(day: HistoryDay) -> bool:
    return day.kind == "censored" or (day.demand is None and day.in_stock == 0)


def outlook_of(
    sku: Sku, warehouse: Any, forecast: Forecast | None, *, until: date, title: str, is_live: bool = False
) -> Outlook:
    """`until` is the last day of demand shown: the forecast's `as_of`, or yesterday when there is none."""
    titles = {warehouse.pk: title}
    return outlooks(sku, {warehouse.pk: forecast}, until=until, titles=titles, is_live=is_live)[warehouse.pk]


def outlooks(
    sku: Sku, places: Mapping[int, Forecast | None], *, until: date, titles: Mapping[int, str], is_live: bool = False
) -> dict[int, Outlook]:
    """Warehouse id → outlook, all of them in the queries of one; the forecasts are of one run. `is_live` adds how the
    orders run now, for some ten queries more."""
    if not places:
        return {}
    now, start = timezone.now(), until - timedelta(days=PAST_DAYS - 1)
    histories = pair_histories([(sku.pk, place) for place in places], start=start, end=until)
    run = next((forecast.run for forecast in places.values() if forecast), None)
    effects = override_effects(run, on=timezone.localdate(now), sku_ids=[sku.pk]) if run else {}
    lives = nowcasts(histories.keys(), now=now) if is_live and run and run == latest_run() else {}
    specials = specials_of(sku, start, until + timedelta(days=AHEAD_DAYS))
    found = {}
    for place, forecast in places.items():
        pair = (sku.pk, place)
        data = _data(histories[pair], forecast, effects.get(pair, ()), lives.get(pair), specials, start, until, now)
        figure = outlook_chart(data, title=titles[place])
        found[place] = Outlook(figure, histories[pair], effects.get(pair, ()), lives.get(pair))
    return found


def _data(
    days: Sequence[HistoryDay],
    forecast: Forecast | None,
    effect: Effect,
    live: LiveView | None,
    specials: Sequence[Special],
    start: date,
    until: date,
    now: datetime,
) -> OutlookData:
    first = max(start, min([*(day.day for day in days[:1]), until - timedelta(days=LEAST_PAST_DAYS - 1)]))
    known = {day.day: day for day in days}
    shown = [known.get(first + timedelta(days=n)) for n in range((until - first).days + 1)]
    mean = forecast.mean[:AHEAD_DAYS] if forecast else []
    final = adjusted_days(mean, effect)
    today = (timezone.localdate(now) - until).days - 1
    return OutlookData(
        start=first,
        sold=[day.sold if day else 0.0 for day in shown],
        read=[day.demand if day else None for day in shown],
        kinds=[_kind(day) for day in shown],
        middle=final,
        model=mean if final != list(mean) else (),
        levels=forecast.run.quantile_levels if forecast else (),
        quantiles=[adjusted_days(level[:AHEAD_DAYS], effect) for level in forecast.quantiles] if forecast else (),
        specials=specials,
        now=(today, live.today_observed + live.rest_of_today.mean) if live and 0 <= today < len(mean) else None,
    )


def _kind(day: HistoryDay | None) -> str:
    if day is None:
        return ""
    if is_dry(day):
        return "censored"
    return "cut" if day.kind else ""


def specials_of(sku: Sku, first: date, last: date) -> list[Special]:
    """What the calendar says of these days for the SKU: of everything, of its category or those above, of itself."""
    rows = (
        CalendarEvent.objects.filter(starts_on__lte=last, ends_on__gte=first)
        .filter(Q(sku=None) | Q(sku=sku))
        .filter(Q(category=None) | Q(category__in=family_of(sku.product.category_id)))
        .order_by("starts_on", "pk")[:_MOST_EVENTS]
    )
    return [
        Special(row.starts_on, row.ends_on, f"{row.name}, {row.get_kind_display()}", f"h-{row.kind}") for row in rows
    ]


def family_of(category_id: int | None) -> set[int]:
    """The category and those above it."""
    parents = dict(Category.objects.values_list("pk", "parent_id")) if category_id else {}
    found: set[int] = set()
    while category_id is not None and category_id not in found:
        found.add(category_id)
        category_id = parents.get(category_id)
    return found


def lately(pairs: Collection[tuple[int, int]], *, until: date, weeks: int) -> dict[tuple[int, int], list[float]]:
    """(SKU, warehouse) → units of each of the `weeks` weeks of seven days that end with `until`, the oldest first."""
    first = until - timedelta(days=7 * weeks - 1)
    rows = (
        DemandHistory.objects.filter(sku_id__in={sku for sku, _place in pairs}, day__gte=first, day__lte=until)
        .order_by()
        .values_list("sku_id", "warehouse_id", "day")
        .annotate(units=Sum("quantity"))
    )
    found = {pair: [0.0] * weeks for pair in pairs}
    for sku, place, day, units in rows:
        if (sku, place) in found:
            found[sku, place][(day - first).days // 7] += float(units)
    return found


def weekly_chart(sku_id: int, *, until: date) -> Figure | None:
    """A year of demand by week, all warehouses; None when there was none."""
    monday = until - timedelta(days=until.weekday())
    first = monday - timedelta(weeks=PAST_WEEKS)
    rows = (
        DemandHistory.objects.filter(sku_id=sku_id, day__gte=first, day__lt=monday)
        .values_list(TruncWeek("day"))
        .annotate(units=Sum("quantity"))
    )
    found = dict(rows)
    if not found:
        return None
    weeks = [first + timedelta(weeks=n) for n in range(PAST_WEEKS)]
    return bar_chart(
        weeks,
        [float(found.get(week, 0)) for week in weeks],
        title=_("Demand per week, one year"),
        value_name=_("Units a week"),
        height=150,
    )
