"""Who the demo company trades with: channels, warehouses, the routes between them, suppliers and what each supplies."""

from dataclasses import dataclass

import numpy as np

from procurement.demo.catalogue import Sku


@dataclass(frozen=True, slots=True)
class Channel:
    code: str
    name: str
    kind: str  # web_shop, marketplace or wholesale
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    code: str
    name: str
    city: str
    country: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Route:
    """The usual share of a channel's orders that one warehouse ships; shares of a channel add up to 100."""

    channel: str
    warehouse: str
    share_percent: int
    priority: int


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier as quoted, and as it truly behaves: actual lead time in days ~ Gamma(shape, scale)."""

    code: str
    name: str
    email: str
    country: str
    currency: str
    lead_time_days: int
    actual_lead_time_shape: float
    actual_lead_time_scale: float
    review_days: int
    fixed_order_cost_pence: int
    minimum_order_value_pence: int
    over_receipt_tolerance_percent: int
    split_share: float  # share of its orders that arrive in two deliveries
    short_share: float  # share of its lines that arrive short for good
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupplierItem:
    supplier: str
    sku: str
    supplier_sku: str
    unit_cost_pence: int
    minimum_order_quantity: int
    pack_size: int
    lead_time_days: int | None  # None: the supplier's own
    is_preferred: bool


@dataclass(frozen=True, slots=True)
class PriceBreak:
    """All-units price from this quantity on."""

    supplier: str
    sku: str
    minimum_quantity: int
    unit_cost_pence: int


CHANNELS = (
    Channel("WEB", "Harbour & Hearth web shop", "web_shop", "GBP", "Europe/London"),
    Channel("MKT", "Marketplace", "marketplace", "GBP", "Europe/Amsterdam"),
    Channel("WHS", "Wholesale", "wholesale", "GBP", "Europe/London"),
)
WAREHOUSES = (
    Warehouse("FXT", "Felixstowe main warehouse", "Felixstowe", "GB", "Europe/London"),
    Warehouse("LDS", "Leeds north warehouse", "Leeds", "GB", "Europe/London"),
    Warehouse("VEN", "Venlo warehouse", "Venlo", "NL", "Europe/Amsterdam"),
)
ROUTES = (
    Route("WEB", "FXT", 58, 1),
    Route("WEB", "LDS", 27, 2),
    Route("WEB", "VEN", 15, 3),
    Route("MKT", "VEN", 46, 1),
    Route("MKT", "FXT", 36, 2),
    Route("MKT", "LDS", 18, 3),
    Route("WHS", "LDS", 50, 1),
    Route("WHS", "FXT", 30, 2),
    Route("WHS", "VEN", 20, 3),
)

# code, name, country, quoted days, bias of the mean, CV, review days, order cost £, minimum value £, tolerance %,
# split share, short share, categories
_SUPPLIERS = (
    ("NHH", "Ningbo Haiyuan Housewares", "CN", 55, 1.05, 0.28, 14, 140, 1150, 5, 0.25, 0.03, ("KIT", "BAK", "STO")),
    ("GLW", "Guangdong Lantern Works", "CN", 50, 1.10, 0.40, 14, 140, 1000, 5, 0.32, 0.04, ("LGT", "XMS")),
    ("JTC", "Jaipur Textile Collective", "IN", 45, 1.08, 0.35, 14, 120, 900, 3, 0.27, 0.03, ("TXT",)),
    ("CAT", "Cerâmica Atlântica", "PT", 24, 1.00, 0.22, 7, 70, 650, 2, 0.14, 0.04, ("TAB", "PLT")),
    ("BSK", "Bohemia Sklo", "CZ", 18, 0.98, 0.18, 7, 60, 550, 2, 0.11, 0.05, ("TAB", "LGT", "XMS")),
    ("BCF", "Black Country Forge", "GB", 9, 1.00, 0.20, 7, 30, 300, 0, 0.09, 0.01, ("KIT", "GDN")),
    ("PNM", "Pennine Mills", "GB", 10, 0.95, 0.15, 7, 30, 300, 0, 0.07, 0.01, ("BTH", "TXT")),
    ("VBT", "Van der Berg Tuin", "NL", 7, 1.05, 0.30, 7, 35, 300, 0, 0.13, 0.02, ("GDN", "PLT", "OUT")),
    ("AEV", "Anadolu Ev Tekstil", "TR", 28, 1.15, 0.50, 14, 90, 650, 5, 0.35, 0.04, ("BTH", "OUT")),
    ("GDR", "Gdańskie Drewno", "PL", 14, 1.04, 0.30, 7, 50, 450, 2, 0.14, 0.02, ("STO", "DEC")),
    ("SRC", "Saigon Rattan Craft", "VN", 58, 1.10, 0.45, 14, 140, 1000, 5, 0.32, 0.04, ("DEC", "STO", "OUT")),
    ("ECS", "Emilia Casa", "IT", 16, 1.00, 0.20, 7, 55, 500, 2, 0.11, 0.02, ("BAK", "KIT", "DEC")),
)


def build_suppliers() -> tuple[Supplier, ...]:
    """The twelve suppliers; Gamma shape = 1/CV², scale = mean/shape, mean = quoted × bias."""
    suppliers = []
    for code, name, country, days, bias, cv, review, cost, least, tolerance, split, short, categories in _SUPPLIERS:
        shape = 1 / cv**2
        suppliers.append(
            Supplier(
                code=code,
                name=name,
                email=f"orders@{code.lower()}.example",
                country=country,
                currency="GBP",
                lead_time_days=days,
                actual_lead_time_shape=shape,
                actual_lead_time_scale=days * bias / shape,
                review_days=review,
                fixed_order_cost_pence=cost * 100,
                minimum_order_value_pence=least * 100,
                over_receipt_tolerance_percent=tolerance,
                split_share=split,
                short_share=short,
                categories=categories,
            )
        )
    return tuple(suppliers)


def build_supplier_items(
    rng: np.random.Generator,
    *,
    skus: tuple[Sku, ...],
    case_units: dict[str, int],
    suppliers: tuple[Supplier, ...],
    units_per_day: np.ndarray,
) -> tuple[tuple[SupplierItem, ...], tuple[PriceBreak, ...]]:
    """Preferred supplier by category (one product stays with one supplier), a dearer second one for about a quarter.

    `units_per_day` (sku) makes minimum quantities sensible: about two weeks of the whole company's demand at most.
    """
    items: list[SupplierItem] = []
    breaks: list[PriceBreak] = []
    chosen: dict[str, list[Supplier]] = {}
    for sku, daily in zip(skus, units_per_day.tolist(), strict=True):
        if sku.product not in chosen:
            able = [supplier for supplier in suppliers if sku.category in supplier.categories]
            chosen[sku.product] = [able[place] for place in rng.permutation(len(able)).tolist()]
        second = rng.random() < 0.3
        for rank, supplier in enumerate(chosen[sku.product][: 2 if second else 1]):
            pack = _pack_size(case_units[sku.product], daily)
            packs = int(np.clip(round(daily * 14 * float(rng.uniform(0.4, 1.0)) / pack), 1, 8))
            premium = 1.0 if rank == 0 else float(rng.uniform(1.04, 1.18))
            item = SupplierItem(
                supplier=supplier.code,
                sku=sku.code,
                supplier_sku=f"{supplier.code}{int(rng.integers(10_000, 99_999))}",
                unit_cost_pence=round(sku.unit_cost_pence * premium),
                minimum_order_quantity=packs * pack,
                pack_size=pack,
                lead_time_days=supplier.lead_time_days + int(rng.integers(3, 11)) if rng.random() < 0.1 else None,
                is_preferred=rank == 0,
            )
            items.append(item)
            breaks.extend(_price_breaks(rng, item))
    return tuple(items), tuple(breaks)


def _pack_size(case_units: int, daily: float) -> int:
    """The outer case, halved while it would last one warehouse longer than about four months."""
    while case_units > 1 and case_units > daily / 3 * 120:
        case_units //= 2
    return case_units


def _price_breaks(rng: np.random.Generator, item: SupplierItem) -> list[PriceBreak]:
    if rng.random() > 0.55:
        return []
    steps = ((4, 0.04), (10, 0.08)) if rng.random() < 0.5 else ((5, 0.05),)
    return [
        PriceBreak(
            item.supplier,
            item.sku,
            item.minimum_order_quantity * times,
            round(item.unit_cost_pence * (1 - discount)),
        )
        for times, discount in steps
    ]
