"""The true demand of the demo company: what customers want each day, before stock has its say.

Rate of order lines = level × mix × route × trend × year × week × holidays × promotions × life cycle × price × noise.
Lines are Poisson given the rate; units per line are geometric (in cases for wholesale), so that demand is compound.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from procurement.demo.catalogue import Sku
from procurement.demo.events import CalendarEvent
from procurement.demo.partners import CHANNELS, ROUTES, WAREHOUSES
from procurement.demo.vocabulary import THEMES

LINES_PER_DAY = 225.0
CLASS_SHARES = {"steady": 0.52, "erratic": 0.16, "slow": 0.17, "project": 0.15}
WEEK = np.array(  # Monday … Sunday for web shop, marketplace, wholesale
    [
        [1.14, 1.02, 0.97, 0.95, 0.88, 0.92, 1.12],
        [1.08, 1.00, 0.97, 0.96, 0.92, 0.97, 1.10],
        [1.20, 1.60, 1.65, 1.50, 1.05, 0.00, 0.00],
    ]
)
CHANNEL_GROWTH = (0.07, 0.16, 0.02)  # a year
POST_PROMOTION_DAYS, POST_PROMOTION_DIP = 7, 0.90


@dataclass(frozen=True, slots=True)
class SkuTraits:
    """The hidden truth about each SKU's demand (arrays over SKUs, `mix` and `units_per_line` SKU × channel)."""

    kind: np.ndarray
    lines_per_day: np.ndarray
    mix: np.ndarray
    units_per_line: np.ndarray
    case_units: np.ndarray
    route: np.ndarray  # SKU × channel × warehouse, shares adding up to 1
    growth: np.ndarray
    price_change_day: np.ndarray  # −1: none
    price_change: np.ndarray  # the price before it, relative to the present one

    @property
    def units_per_day(self) -> np.ndarray:
        return self.lines_per_day * (self.mix * self.units_per_line).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Season:
    """Known seasonal factor SKU × day (mean about 1), as a planner with a good memory would know it."""

    factor: np.ndarray
    listed: np.ndarray


def draw_traits(rng: np.random.Generator, *, skus: tuple[Sku, ...], case_units: dict[str, int]) -> SkuTraits:
    """Pareto-like levels, four kinds of demand, channel mix, ranging of warehouses and one price change for a third."""
    count = len(skus)
    themes = {theme.code: theme for theme in THEMES}
    kind = rng.choice(len(CLASS_SHARES), size=count, p=list(CLASS_SHARES.values()))
    level = rng.lognormal(0.0, 0.95, count) * np.array([1.0, 0.75, 0.09, 0.05])[kind]
    level = np.maximum(level, 0.02 * level.mean())  # the slowest SKU still sells about twice a year
    level *= LINES_PER_DAY / level.sum()
    wholesale = np.array([themes[sku.category].wholesale_share for sku in skus])
    wholesale = np.clip(wholesale * np.array([0.45, 1.9, 0.2, 0.0])[kind] + np.array([0, 0, 0, 0.8])[kind], 0, 0.9)
    web = rng.beta(9, 6, count)
    mix = np.stack([(1 - wholesale) * web, (1 - wholesale) * (1 - web), wholesale], axis=1)
    cases = np.array([case_units[sku.product] for sku in skus])
    sets = np.where(cases >= 12, 1.35, 1.08) + np.array([0, 0.9, 0, 0.3])[kind] * rng.uniform(0.3, 1, count)
    cartons = np.maximum(cases // 4, 1)
    per_wholesale = cartons * np.array([1.5, 2.4, 1.2, 3.2])[kind]
    units = np.stack([sets, 1 + (sets - 1) * 0.6, per_wholesale], axis=1)
    changed = rng.random(count) < 0.35
    return SkuTraits(
        kind=kind,
        lines_per_day=level,
        mix=mix,
        units_per_line=units,
        case_units=cartons,
        route=_draw_routes(rng, count, level),
        growth=rng.normal(0.03, 0.13, count),
        price_change_day=np.where(changed, rng.integers(120, 700, count), -1),
        price_change=np.where(changed, 1 / (1 + rng.uniform(0.03, 0.09, count)), 1.0),
    )


def _draw_routes(rng: np.random.Generator, count: int, level: np.ndarray) -> np.ndarray:
    """Usual shares with a little noise; slow SKUs are not kept everywhere and the main warehouse then takes over."""
    channel_at = {channel.code: place for place, channel in enumerate(CHANNELS)}
    warehouse_at = {warehouse.code: place for place, warehouse in enumerate(WAREHOUSES)}
    share = np.zeros((len(CHANNELS), len(WAREHOUSES)))
    for route in ROUTES:
        share[channel_at[route.channel], warehouse_at[route.warehouse]] = route.share_percent / 100
    shares = share[None] * rng.uniform(0.75, 1.25, (count, len(CHANNELS), len(WAREHOUSES)))
    rank = level.argsort().argsort() / count
    for place, least in ((1, 0.85), (2, 0.70)):
        kept = rng.random(count) < least + 0.3 * (rank - 0.5)
        shares[~kept, :, 0] += shares[~kept, :, place]
        shares[~kept, :, place] = 0
    return shares / shares.sum(axis=2, keepdims=True)


def build_season(
    rng: np.random.Generator, *, skus: tuple[Sku, ...], start_day: date, days: int
) -> tuple[Season, np.ndarray]:
    """The yearly factor and the life cycle (SKU × day): 0 before launch and after the last day, ramps in between."""
    dates = [start_day + timedelta(days=offset) for offset in range(days)]
    day_of_year = np.array([day.timetuple().tm_yday for day in dates], dtype=float)
    curves = {}
    for theme in THEMES:
        full = np.ones(366)
        grid = np.arange(1, 367, dtype=float)
        for centre, width, height in theme.season:
            gap = np.abs(grid - centre)
            gap = np.minimum(gap, 366 - gap)
            full += height * np.exp(-0.5 * (gap / width) ** 2)
        if theme.code == "XMS":
            full = full - 0.93  # next to nothing outside the season
        curves[theme.code] = (full / full.mean())[day_of_year.astype(int) - 1]
    strength = rng.uniform(0.7, 1.15, len(skus))
    factor = np.stack([curves[sku.category] ** power for sku, power in zip(skus, strength.tolist(), strict=True)])
    life = np.ones((len(skus), days))
    offset_days = np.arange(days)
    for place, sku in enumerate(skus):
        age = offset_days - (sku.launched_on - start_day).days
        life[place] *= np.where(age < 0, 0.0, np.minimum(0.35 + 0.65 * age / 60, 1.0))
        if sku.discontinued_on is not None:
            left = (sku.discontinued_on - start_day).days - offset_days
            life[place] *= np.where(left < 0, 0.0, np.minimum(0.3 + 0.7 * left / 120, 1.0))
    return Season(factor=factor, listed=life > 0), life


def promotion_discounts(
    events: tuple[CalendarEvent, ...], *, skus: tuple[Sku, ...], start_day: date, days: int
) -> np.ndarray:
    """Discount percent of each SKU × channel × day; the deepest one holds where promotions overlap."""
    discount = np.zeros((len(skus), len(CHANNELS), days), dtype=np.int16)
    for event in events:
        if event.kind != "promotion":
            continue
        first = max((event.starts_on - start_day).days, 0)
        last = (event.ends_on - start_day).days + 1
        if last <= 0 or first >= days:
            continue
        chosen = [p for p, sku in enumerate(skus) if sku.code in event.skus or sku.category in event.categories]
        for place, channel in enumerate(CHANNELS):
            if channel.code in event.channels:
                window = discount[chosen, place, first:last]
                discount[chosen, place, first:last] = np.maximum(window, event.discount_percent)
    return discount


def line_rates(
    rng: np.random.Generator,
    *,
    traits: SkuTraits,
    season: Season,
    life: np.ndarray,
    discount: np.ndarray,
    events: tuple[CalendarEvent, ...],
    start_day: date,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected order lines SKU × channel × day, and the same times the day-to-day noise that nobody can foresee."""
    count, days = life.shape
    years = (np.arange(days) - 365) / 365.25
    rate = traits.lines_per_day[:, None, None] * traits.mix[:, :, None]
    growth = traits.growth[:, None, None] + np.array(CHANNEL_GROWTH)[None, :, None]
    rate = rate * np.exp(growth * years[None, None, :])
    rate = rate * (season.factor * life)[:, None, :]
    weekday = (start_day.weekday() + np.arange(days)) % 7
    rate = rate * WEEK[:, weekday][None]
    rate = rate * _holiday_factors(events, start_day=start_day, days=days)[None]
    response = rng.uniform(2.0, 3.6, (count, 1, 1))
    rate = rate * np.exp(response * discount / 100)
    rate = rate * np.where(_after_promotion(discount), POST_PROMOTION_DIP, 1.0)
    before = np.arange(days)[None, :] < traits.price_change_day[:, None]
    rate = rate * np.where(before, traits.price_change[:, None] ** -1.3, 1.0)[:, None, :]
    return rate, rate * _noise(rng, traits, days)[:, None, :]


def _holiday_factors(events: tuple[CalendarEvent, ...], *, start_day: date, days: int) -> np.ndarray:
    factor = np.ones((len(CHANNELS), days))
    country = ("GB", "NL", "GB")
    for event in events:
        span = slice(max((event.starts_on - start_day).days, 0), max((event.ends_on - start_day).days + 1, 0))
        for place, channel in enumerate(CHANNELS):
            if event.kind == "peak" and channel.code in event.channels:
                factor[place, span] *= 1.6
            elif event.kind == "holiday" and event.country == country[place]:
                factor[place, span] *= 0.0 if channel.kind == "wholesale" else 0.75
    return factor


def _after_promotion(discount: np.ndarray) -> np.ndarray:
    on = discount > 0
    recent = np.zeros_like(on)
    for lag in range(1, POST_PROMOTION_DAYS + 1):
        recent[..., lag:] |= on[..., :-lag]
    return recent & ~on


def _noise(rng: np.random.Generator, traits: SkuTraits, days: int) -> np.ndarray:
    """Mean-one lognormal noise: an AR(1) mood of the market per SKU (ρ = 0.93) and a fresh shock each day."""
    count = len(traits.kind)
    mood = np.array([0.12, 0.35, 0.2, 0.3])[traits.kind]
    fresh = np.array([0.10, 0.55, 0.1, 0.2])[traits.kind]
    shocks = rng.standard_normal((days, count))
    path = np.empty((days, count))
    path[0] = shocks[0]
    for day in range(1, days):
        path[day] = 0.93 * path[day - 1] + (1 - 0.93**2) ** 0.5 * shocks[day]
    logs = path * mood + rng.standard_normal((days, count)) * fresh
    return np.exp(logs - (mood**2 + fresh**2) / 2).T


def draw_lines(
    rng: np.random.Generator, *, traits: SkuTraits, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Wanted order lines as columns (sku, channel, warehouse, day, quantity), in no meaningful order within a day."""
    split = np.einsum("scw,scd->dcws", traits.route, rate)
    counts = rng.poisson(split)
    day, channel, warehouse, sku = np.nonzero(counts)
    repeats = counts[day, channel, warehouse, sku]
    day, channel, warehouse, sku = (np.repeat(column, repeats) for column in (day, channel, warehouse, sku))
    mean = traits.units_per_line[sku, channel]
    case = np.where(channel == 2, traits.case_units[sku], 1)
    quantity = case * rng.geometric(np.minimum(case / mean, 1.0))
    return sku, channel, warehouse, day, quantity
