"""The demo company's calendar: public holidays, peaks, warehouse closures and promotions, past and already planned."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from procurement.demo.catalogue import Category, Sku


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Both days included; empty tuples mean "not restricted by this" (a holiday has only a country)."""

    kind: str  # holiday, promotion, peak or closure
    name: str
    starts_on: date
    ends_on: date
    country: str | None = None
    warehouse: str | None = None
    channels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    discount_percent: int = 0


def easter(year: int) -> date:
    """Easter Sunday, Gregorian (Meeus/Jones/Butcher); worked: 2024 → 31 March."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _monday_on_or_after(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def public_holidays(year: int) -> list[CalendarEvent]:
    """England's bank holidays (with substitute days) and the Dutch public holidays of one year."""
    sunday = easter(year)
    new_year = date(year, 1, 1)
    if new_year.weekday() >= 5:
        new_year = _monday_on_or_after(new_year)
    christmas = [date(year, 12, 25), date(year, 12, 26)]
    moved = {4: [0, 2], 5: [2, 2], 6: [2, 0]}.get(christmas[0].weekday(), [0, 0])
    days = [
        ("GB", "New Year's Day", new_year),
        ("GB", "Good Friday", sunday - timedelta(days=2)),
        ("GB", "Easter Monday", sunday + timedelta(days=1)),
        ("GB", "Early May bank holiday", _monday_on_or_after(date(year, 5, 1))),
        ("GB", "Spring bank holiday", _monday_on_or_after(date(year, 5, 25))),
        ("GB", "Summer bank holiday", _monday_on_or_after(date(year, 8, 25))),
        ("GB", "Christmas Day", christmas[0] + timedelta(days=moved[0])),
        ("GB", "Boxing Day", christmas[1] + timedelta(days=moved[1])),
        ("NL", "Nieuwjaarsdag", date(year, 1, 1)),
        ("NL", "Tweede Paasdag", sunday + timedelta(days=1)),
        ("NL", "Koningsdag", date(year, 4, 26) if date(year, 4, 27).weekday() == 6 else date(year, 4, 27)),
        ("NL", "Hemelvaartsdag", sunday + timedelta(days=39)),
        ("NL", "Tweede Pinksterdag", sunday + timedelta(days=50)),
        ("NL", "Eerste Kerstdag", christmas[0]),
        ("NL", "Tweede Kerstdag", christmas[1]),
    ]
    return [CalendarEvent("holiday", name, day, day, country=country) for country, name, day in days]


def build_events(
    rng: np.random.Generator,
    *,
    first_day: date,
    last_day: date,
    categories: tuple[Category, ...],
    skus: tuple[Sku, ...],
) -> tuple[CalendarEvent, ...]:
    """Every event that touches first_day … last_day (which lies after the history: planned events are known)."""
    events: list[CalendarEvent] = []
    codes = [category.code for category in categories]
    for year in range(first_day.year, last_day.year + 1):
        events.extend(public_holidays(year))
        events.extend(_fixed_campaigns(rng, year, codes))
        events.extend(_closures(year))
    day = first_day
    while day < last_day:
        events.append(_category_promotion(rng, day, codes))
        events.append(_sku_promotion(rng, day, skus))
        day += timedelta(days=int(rng.integers(14, 24)))
    inside = [event for event in events if event.ends_on >= first_day and event.starts_on <= last_day]
    return tuple(sorted(inside, key=lambda event: (event.starts_on, event.ends_on, event.kind, event.name)))


def _fixed_campaigns(rng: np.random.Generator, year: int, codes: list[str]) -> list[CalendarEvent]:
    thanksgiving = date(year, 11, 1) + timedelta(days=(3 - date(year, 11, 1).weekday()) % 7 + 21)
    friday = thanksgiving + timedelta(days=1)
    offered = tuple(sorted(codes[place] for place in rng.choice(len(codes), size=6, replace=False).tolist()))
    retail = ("WEB", "MKT")
    monday = friday + timedelta(days=3)
    return [
        CalendarEvent("peak", "Black Friday weekend", friday, monday, channels=retail),
        CalendarEvent("promotion", "Black Friday", friday, monday, None, None, retail, offered, (), 25),
        CalendarEvent(
            "promotion", "January sale", date(year, 1, 2), date(year, 1, 14), None, None, ("WEB",), ("TXT", "BTH"), (), 20
        ),
        CalendarEvent(
            "promotion", "Garden opening", date(year, 3, 28), date(year, 4, 6), None, None, retail, ("GDN",), (), 15
        ),
    ]


def _closures(year: int) -> list[CalendarEvent]:
    return [
        CalendarEvent("closure", "Annual stock count", date(year, 1, 4), date(year, 1, 5), warehouse="FXT"),
        CalendarEvent("closure", "Annual stock count", date(year, 1, 6), date(year, 1, 7), warehouse="LDS"),
        CalendarEvent("closure", "Christmas closure", date(year, 12, 27), date(year, 12, 31), warehouse="LDS"),
        CalendarEvent("closure", "Racking inspection", date(year, 8, 3), date(year, 8, 4), warehouse="VEN"),
    ]


def _category_promotion(rng: np.random.Generator, day: date, codes: list[str]) -> CalendarEvent:
    code = codes[int(rng.integers(len(codes)))]
    depth = (10, 15, 20, 25)[int(rng.integers(4))]
    starts = day + timedelta(days=int(rng.integers(0, 10)))
    channels = (("WEB",), ("WEB", "MKT"), ("MKT",))[int(rng.integers(3))]
    ends = starts + timedelta(days=int(rng.integers(6, 12)))
    return CalendarEvent("promotion", f"{code} {depth} % off", starts, ends, None, None, channels, (code,), (), depth)


def _sku_promotion(rng: np.random.Generator, day: date, skus: tuple[Sku, ...]) -> CalendarEvent:
    depth = (15, 20, 30)[int(rng.integers(3))]
    starts = day + timedelta(days=int(rng.integers(0, 10)))
    ends = starts + timedelta(days=int(rng.integers(3, 9)))
    picked = sorted(rng.choice(len(skus), size=int(rng.integers(3, 9)), replace=False).tolist())
    codes = tuple(skus[place].code for place in picked)
    return CalendarEvent("promotion", f"Picks of the week −{depth} %", starts, ends, None, None, ("WEB",), (), codes, depth)
