"""Which day a plan is made as of: the last one with sales that is over everywhere, or an earlier one asked for."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import ValidationFailed
from forecasting import selectors as demand


def last_whole_day(now: datetime) -> date | None:
    """The last day with sales that is over in every channel, wherever its clock stands; None when there is none yet."""
    zones = set(Channel.objects.filter(is_active=True).values_list("time_zone", flat=True)) or {"UTC"}
    yesterday = min(now.astimezone(ZoneInfo(zone)).date() for zone in zones) - timedelta(days=1)
    first, last = demand.first_demand_day(), demand.last_demand_day()
    if first is None or last is None or first > yesterday:
        return None
    return min(last, yesterday)


def asked_day(asked: str | None, last: date) -> date:
    """The day to plan as of: the one asked for, else the last whole one."""
    if not asked:
        return last
    day = date.fromisoformat(asked)
    refuse_other_days(day, last)
    return day


def refuse_other_days(day: date, last: date) -> None:
    first = demand.first_demand_day()
    if first is None or not first <= day <= last:
        raise ValidationFailed(
            _("A plan can be made as of %(first)s to %(last)s, the days with sales that are over.")
            % {"first": first, "last": last}
        )
