"""The demo company's calendar: public holidays, peaks, warehouse closures and promotions, past and already planned."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from procurement.demo.catalogue import Category, Sku
from procurement.demo.partners import WAREHOUSES


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
        events.append(_category_promotion(rng, day, categories))
        events.append(_sku_promotion(rng, day, skus))
        day += timedelta(days=int(rng.integers(14, 24)))
    inside = [event for event in events if event.ends_on >= first_day and event.starts_on <= last_day]
    return tuple(sorted(inside, key=lambda event: (event.starts_on, event.ends_on, event.kind, event.name)))


def _promotion(
    name: str,
    starts_on: date,
    ends_on: date,
    discount_percent: int,
    *,
    channels: tuple[str, ...],
    categories: tuple[str, ...] = (),
    skus: tuple[str, ...] = (),
) -> CalendarEvent:
    return CalendarEvent(
        kind="promotion",
        name=name,
        starts_on=starts_on,
        ends_on=ends_on,
        channels=channels,
        categories=categories,
        skus=skus,
        discount_percent=discount_percent,
    )


def _fixed_campaigns(rng: np.random.Generator, year: int, codes: list[str]) -> list[CalendarEvent]:
    thanksgiving = date(year, 11, 1) + timedelta(days=(3 - date(year, 11, 1).weekday()) % 7 + 21)
    friday = thanksgiving + timedelta(days=1)
    offered = tuple(sorted(codes[place] for place in rng.choice(len(codes), size=6, replace=False).tolist()))
    retail = ("WEB", "MKT")
    monday = friday + timedelta(days=3)
    return [
        CalendarEvent("peak", "Black Friday weekend", friday, monday, channels=retail),
        _promotion("Black Friday", friday, monday, 25, channels=retail, categories=offered),
        _promotion(
            "January sale", date(year, 1, 2), date(year, 1, 14), 20, channels=("WEB",), categories=("TXT", "BTH")
        ),
        _promotion("Garden opening", date(year, 3, 28), date(year, 4, 6), 15, channels=retail, categories=("GDN",)),
    ]


def _closures(year: int) -> list[CalendarEvent]:
    return [
        CalendarEvent("closure", "Annual stock count", date(year, 1, 4), date(year, 1, 5), warehouse="FXT"),
        CalendarEvent("closure", "Annual stock count", date(year, 1, 6), date(year, 1, 7), warehouse="LDS"),
        CalendarEvent("closure", "Christmas closure", date(year, 12, 27), date(year, 12, 31), warehouse="LDS"),
        CalendarEvent("closure", "Racking inspection", date(year, 8, 3), date(year, 8, 4), warehouse="VEN"),
    ]


def _category_promotion(rng: np.random.Generator, day: date, categories: tuple[Category, ...]) -> CalendarEvent:
    category = categories[int(rng.integers(len(categories)))]
    depth = (10, 15, 20, 25)[int(rng.integers(4))]
    starts = day + timedelta(days=int(rng.integers(0, 10)))
    channels = (("WEB",), ("WEB", "MKT"), ("MKT",))[int(rng.integers(3))]
    ends = starts + timedelta(days=int(rng.integers(6, 12)))
    return _promotion(
        f"{category.name}: {depth} % off", starts, ends, depth, channels=channels, categories=(category.code,)
    )


def _sku_promotion(rng: np.random.Generator, day: date, skus: tuple[Sku, ...]) -> CalendarEvent:
    depth = (15, 20, 30)[int(rng.integers(3))]
    starts = day + timedelta(days=int(rng.integers(0, 10)))
    ends = starts + timedelta(days=int(rng.integers(3, 9)))
    picked = sorted(rng.choice(len(skus), size=int(rng.integers(3, 9)), replace=False).tolist())
    codes = tuple(skus[place].code for place in picked)
    return _promotion(f"Picks of the week: {depth} % off", starts, ends, depth, channels=("WEB",), skus=codes)


def open_days(events: tuple[CalendarEvent, ...], *, start_day: date, days: int, weekdays: int) -> np.ndarray:
    """Warehouse × day: the first day from this one on when the warehouse works (holidays and closures excluded)."""
    following = np.empty((len(WAREHOUSES), days), dtype=np.int64)
    weekday = (start_day.weekday() + np.arange(days)) % 7
    for place, warehouse in enumerate(WAREHOUSES):
        works = weekday < weekdays
        for event in events:
            closed = event.kind == "closure" and event.warehouse == warehouse.code
            if closed or (event.kind == "holiday" and event.country == warehouse.country):
                first = max((event.starts_on - start_day).days, 0)
                works[first : max((event.ends_on - start_day).days + 1, 0)] = False
        works[-1] = True
        own = np.where(works, np.arange(days), days - 1)
        following[place] = np.minimum.accumulate(own[::-1])[::-1]
    return following
