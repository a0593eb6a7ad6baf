"""What the demo company trades: categories, about 110 products and exactly 300 SKUs with codes, barcodes and prices."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from procurement.demo.vocabulary import AXES, COLLECTIONS, THEMES, Noun, Theme

SKU_COUNT = 300
LAUNCH_COUNT = 30
PHASE_OUT_COUNT = 22


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Product:
    code: str
    name: str
    category: str
    brand: str
    case_units: int


@dataclass(frozen=True, slots=True)
class Sku:
    """One stock-keeping unit; money in pence, dates None when it was always sold or is still sold."""

    code: str
    name: str
    product: str
    category: str
    variant: str
    gtin: str
    weight_g: int
    volume_cm3: int
    unit_cost_pence: int
    list_price_pence: int
    country_of_origin: str
    launched_on: date
    discontinued_on: date | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    categories: tuple[Category, ...]
    products: tuple[Product, ...]
    skus: tuple[Sku, ...]


def gtin13(body: str) -> str:
    """Twelve digits with the GS1 check digit after them; worked: 400638133393 → 4006381333931."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def build_catalogue(rng: np.random.Generator, *, start_day: date, end_day: date) -> Catalogue:
    """The whole range; variants per product are dealt out until there are exactly SKU_COUNT SKUs."""
    pairs = [(theme, noun) for theme in THEMES for noun in theme.nouns]
    variants = _deal_variants(rng, pairs)
    products: list[Product] = []
    skus: list[Sku] = []
    for number, ((theme, noun), count) in enumerate(zip(pairs, variants, strict=True), start=1):
        collection = COLLECTIONS[int(rng.integers(len(COLLECTIONS)))]
        product = Product(
            code=f"{theme.code}-{number:04d}",
            name=f"{collection} {noun.name}",
            category=theme.code,
            brand=f"Harbour & Hearth {collection}" if rng.random() < 0.7 else collection,
            case_units=noun.case,
        )
        products.append(product)
        skus.extend(_build_variants(rng, product, noun, count, first=len(skus), start_day=start_day))
    skus = _date_lifecycles(rng, skus, start_day=start_day, end_day=end_day)
    return Catalogue(tuple(Category(theme.code, theme.name) for theme in THEMES), tuple(products), tuple(skus))


def _deal_variants(rng: np.random.Generator, pairs: list[tuple[Theme, Noun]]) -> list[int]:
    room = [len(AXES[noun.axis]) for _, noun in pairs]
    counts = [1] * len(pairs)
    while sum(counts) < SKU_COUNT:
        pick = int(rng.integers(len(pairs)))
        if counts[pick] < min(room[pick], 6):
            counts[pick] += 1
    return counts


def _build_variants(
    rng: np.random.Generator, product: Product, noun: Noun, count: int, *, first: int, start_day: date
) -> list[Sku]:
    axis = AXES[noun.axis]
    graded = noun.axis in {"size", "span", "bed", "set"}
    chosen = sorted(rng.choice(len(axis), size=count, replace=False).tolist())
    origin_by_category = {"TXT": "IN", "BTH": "TR", "TAB": "PT", "PLT": "PT", "XMS": "CN", "LGT": "CN", "GDN": "GB"}
    origin = origin_by_category.get(product.category, ("CN", "PL", "IT", "VN", "GB")[int(rng.integers(5))])
    level = float(rng.uniform(0.15, 0.75))
    margin = float(rng.uniform(0.44, 0.63))  # share of the price without VAT that is not the cost of goods
    skus = []
    for offset, place in enumerate(chosen):
        variant_code, variant_name = axis[place]
        grade = place / (len(axis) - 1) if graded else 0.5
        price = noun.low_pence + (noun.high_pence - noun.low_pence) * (0.45 * level + 0.55 * grade)
        price_pence = max(round(price / 100) * 100 - 5, 195)  # 14.95, not 15.03
        scale = 0.7 + 0.6 * grade
        skus.append(
            Sku(
                code=f"{product.code}-{variant_code}",
                name=f"{product.name}, {variant_name}",
                product=product.code,
                category=product.category,
                variant=variant_name,
                gtin=gtin13(f"50600{4271:04d}{first + offset + 1:03d}"),
                weight_g=int(noun.weight_g * scale),
                volume_cm3=int(noun.volume_cm3 * scale),
                unit_cost_pence=max(round(price_pence / 1.2 * (1 - margin)), 40),
                list_price_pence=price_pence,
                country_of_origin=origin,
                launched_on=start_day - timedelta(days=int(rng.integers(30, 1500))),
                discontinued_on=None,
            )
        )
    return skus


def _date_lifecycles(rng: np.random.Generator, skus: list[Sku], *, start_day: date, end_day: date) -> list[Sku]:
    """Some SKUs are launched inside the history, others are phased out (a few of those only in the next two months)."""
    days = (end_day - start_day).days
    touched = rng.choice(len(skus), size=LAUNCH_COUNT + PHASE_OUT_COUNT, replace=False).tolist()
    dated = list(skus)
    for place in touched[:LAUNCH_COUNT]:
        launched_on = start_day + timedelta(days=int(rng.integers(100, days - 25)))
        dated[place] = replace(skus[place], launched_on=launched_on)
    for order, place in enumerate(touched[LAUNCH_COUNT:]):
        ends = int(rng.integers(days + 10, days + 60)) if order < 5 else int(rng.integers(200, days - 5))
        discontinued_on = start_day + timedelta(days=ends)
        dated[place] = replace(skus[place], discontinued_on=discontinued_on)
    return dated
