"""Local days and seconds of the demo company to UTC, for many rows at once."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

HOUR = 3600


def to_utc(*, day: np.ndarray, second: np.ndarray, zone: str, start_day: date) -> np.ndarray:
    """Local day and second to UTC; on the two days a year when clocks change, the change is before this hour or not."""
    tz = ZoneInfo(zone)
    length = int(day.max()) + 1 if len(day) else 0
    morning, noon, turn = (np.zeros(length, dtype=np.int64) for _ in range(3))
    for place in range(length):
        midnight = datetime.combine(start_day + timedelta(days=place), datetime.min.time(), tzinfo=tz)
        before, after = midnight.utcoffset(), midnight.replace(hour=12).utcoffset()
        morning[place], noon[place] = (offset.total_seconds() if offset else 0 for offset in (before, after))
        turn[place] = HOUR + min(morning[place], noon[place])  # clocks change at 01:00 UTC in all of Europe
    offset = np.where(second < turn[day], morning[day], noon[day])
    return np.datetime64(start_day, "s") + (day * 24 * HOUR + second - offset).astype("m8[s]")


def by_zone(zones: list[str], which: np.ndarray, day: np.ndarray, second: np.ndarray, start_day: date) -> np.ndarray:
    """`to_utc` where row i is in zones[which[i]]."""
    moment = np.zeros(len(day), dtype="M8[s]")
    for place, zone in enumerate(zones):
        mine = which == place
        moment[mine] = to_utc(day=day[mine], second=second[mine], zone=zone, start_day=start_day)
    return moment
