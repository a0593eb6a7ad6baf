"""How far a day has gone by in a channel, learnt from the hours of its orders, and which days went unseen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from catalog.models import CalendarEvent, Channel

PROFILE_DAYS = 28
HOURS = 24
# A channel that should have had so many orders by now and had none is closed, or its feed has ended: P(0) = e⁻⁵.
SILENCE = 5.0
_PSEUDO_ORDERS = 24.0
_REMEMBERED: dict[tuple[object, ...], dict[int, list[float]]] = {}


@dataclass(frozen=True, slots=True)
class ChannelClock:
    """How far each day has gone by in a channel. `by_hour`: its orders an hour of the day, over 28 days."""

    channel_id: int
    zone: ZoneInfo
    by_hour: Sequence[float]

    def orders_a_day(self) -> float:
        return sum(self.by_hour) / PROFILE_DAYS

    def elapsed(self, day: date, now: datetime) -> float:
        """Share of the day's orders that come before `now`: by the profile of its hours, each smoothed by one order."""
        local = now.astimezone(self.zone)
        if day != local.date():
            return float(day < local.date())
        weights = [orders + _PSEUDO_ORDERS / HOURS for orders in self.by_hour]
        gone = sum(weights[: local.hour]) + weights[local.hour] * (local.minute * 60 + local.second) / 3600
        return gone / sum(weights)


def channel_clocks(*, now: datetime) -> dict[int, ChannelClock]:
    """channel id → its clock. The profiles are learnt anew every hour; until then a process remembers them."""
    zones = {channel.pk: ZoneInfo(channel.time_zone) for channel in Channel.objects.only("pk", "time_zone")}
    hour = now.replace(minute=0, second=0, microsecond=0)
    key = (connection.settings_dict["NAME"], hour, *sorted(zones.items(), key=lambda item: item[0]))
    if key not in _REMEMBERED:
        _REMEMBERED.clear()
        _REMEMBERED[key] = _profiles(hour)
    return {pk: ChannelClock(pk, zone, _REMEMBERED[key].get(pk, [0.0] * HOURS)) for pk, zone in zones.items()}


def _profiles(now: datetime) -> dict[int, list[float]]:
    profiles: dict[int, list[float]] = defaultdict(lambda: [0.0] * HOURS)
    with connection.cursor() as cursor:
        cursor.execute(_PROFILE, {"since": now - timedelta(PROFILE_DAYS), "now": now})
        for channel_id, hour, orders in cursor.fetchall():
            profiles[channel_id][hour] = float(orders)
    return dict(profiles)


def day_exposures(
    clocks: Mapping[int, ChannelClock], days: Sequence[date], *, now: datetime
) -> dict[int, tuple[list[float], list[float]]]:
    """channel id → (gone, seen): share of each day gone by, and of it what could be seen (two queries).

    Nothing is seen of closed and of silent days; a closed one is gone by whole. Silent are days without any order of
    the whole channel, in a row long enough that `SILENCE` orders are missing; all of them where the channel has had no
    order for weeks.
    """
    closed, empty = _closed_days(days), _empty_days(clocks.values(), days)
    found = {}
    for pk, clock in clocks.items():
        elapsed = [clock.elapsed(day, now) for day in days]
        is_shut = [day in closed[pk] or day in closed[None] for day in days]
        open_ = [0.0 if shut else share for share, shut in zip(elapsed, is_shut, strict=True)]
        seen = _without_silence(open_, [(pk, day) in empty for day in days], clock.orders_a_day())
        found[pk] = ([1.0 if shut else share for share, shut in zip(elapsed, is_shut, strict=True)], seen)
    return found


def _without_silence(gone: Sequence[float], is_empty: Sequence[bool], rate: float) -> list[float]:
    seen, run = list(gone), list[int]()
    for day in range(len(gone) + 1):
        if day < len(gone) and is_empty[day]:
            run.append(day)
            continue
        missing = rate * sum(gone[one] for one in run)
        if run and (missing >= SILENCE or rate == 0):
            for one in run:
                seen[one] = 0.0
        run = []
    return seen


def _closed_days(days: Sequence[date]) -> dict[int | None, set[date]]:
    closed: dict[int | None, set[date]] = defaultdict(set)
    if not days:
        return closed
    events = CalendarEvent.objects.filter(
        kind=CalendarEvent.Kind.CLOSURE, sku=None, category=None, starts_on__lte=days[-1], ends_on__gte=days[0]
    )
    for channel_id, first, last in events.values_list("channel_id", "starts_on", "ends_on"):
        closed[channel_id].update(day for day in days if first <= day <= last)
    return closed


def _empty_days(clocks: Iterable[ChannelClock], days: Sequence[date]) -> set[tuple[int, date]]:
    """The days on which nobody ordered anything in a channel."""
    spans = [
        (clock.channel_id, day, *(datetime.combine(edge, time(), clock.zone) for edge in (day, day + timedelta(1))))
        for clock in clocks
        for day in days
    ]
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, [list(column) for column in zip(*spans, strict=True)] if spans else [[], [], [], []])
        return set(cursor.fetchall())


# Orders at midnight sharp say the day, not the hour: imported files often know no more.
_PROFILE = """
SELECT channel.id, extract(hour FROM local)::int, count(*)
FROM warehouses_salesorder placed JOIN catalog_channel channel ON channel.id = placed.channel_id,
     LATERAL (SELECT placed.ordered_at AT TIME ZONE channel.time_zone) AS clock (local)
WHERE placed.ordered_at > %(since)s AND placed.ordered_at <= %(now)s AND local::time <> '00:00'
GROUP BY 1, 2
"""

_EMPTY = """
SELECT day.channel_id, day.day
FROM unnest(%s::bigint[], %s::date[], %s::timestamptz[], %s::timestamptz[]) AS day (channel_id, day, first, until)
WHERE NOT EXISTS (
    SELECT FROM warehouses_salesorder placed
    WHERE placed.channel_id = day.channel_id AND placed.ordered_at >= day.first AND placed.ordered_at < day.until
)
"""
