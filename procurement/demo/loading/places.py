"""The demo company's warehouses with their trees of locations, what a parcel costs, and who serves which channel."""

from decimal import Decimal

import numpy as np

from catalog.models import Channel
from procurement.demo.world import DemoWorld
from warehouses.models import ChannelRoute, Location, ShippingRate, Warehouse

_Kind, _Level = Location.Kind, Location.Level

ZONES, AISLES, BINS = "ABC", 5, 10  # in one zone, in one aisle
STORED = len(ZONES) * AISLES * BINS
PICK_BINS = 10
# What is no storage: code, kind and whether it is a place that holds stock itself.
OTHERS = (
    ("DOCK", _Kind.RECEIVING),
    ("PACKING", _Kind.PACKING),
    ("RETURNS", _Kind.RETURNS),
    ("HOLD", _Kind.QUARANTINE),
    ("IN-TRANSIT", _Kind.IN_TRANSIT),
)
_AT = {"FXT": ("51.96160", "1.35140"), "LDS": ("53.80080", "-1.54910"), "VEN": ("51.37040", "6.17240")}
# To country (empty: anywhere), up to kg, per parcel, per kg, per km, days.
_RATES = {
    "GB": (("GB", 2, "3.10", "0", "0.0020", 1),
           ("GB", None, "4.60", "0.35", "0.0020", 2), ("", None, "9.50", "0.90", "0.0040", 5)),
    "NL": (("NL", None, "3.80", "0.20", "0.0020", 1),
           ("DE", None, "4.40", "0.25", "0.0020", 2), ("", None, "8.20", "0.70", "0.0040", 4)),
}  # fmt: skip


def load_warehouses(world: DemoWorld) -> tuple[list[Warehouse], np.ndarray]:
    """The warehouses with their locations and rates, and the id of the bin of each SKU in each warehouse.

    A zone and an aisle have codes that sort after the bins' own, so that the first place by code is a bin.
    """
    warehouses = Warehouse.objects.bulk_create(
        Warehouse(
            code=row.code,
            name=row.name,
            city=row.city,
            country=row.country,
            time_zone=row.time_zone,
            latitude=Decimal(_AT[row.code][0]),
            longitude=Decimal(_AT[row.code][1]),
        )
        for row in world.warehouses
    )
    zones = Location.objects.bulk_create(
        Location(warehouse=warehouse, code=f"ZONE-{zone}", level=_Level.ZONE, kind=kind)
        for warehouse in warehouses
        for zone, kind in (*((zone, _Kind.STORAGE) for zone in ZONES), ("P", _Kind.PICKING))
    )
    aisles = Location.objects.bulk_create(
        Location(
            warehouse=zone.warehouse,
            parent=zone,
            code=f"AISLE-{zone.code[-1]}-{n:02d}",
            level=_Level.AISLE,
            kind=zone.kind,
        )
        for zone in zones
        for n in range(1, (AISLES if zone.kind == _Kind.STORAGE else 1) + 1)
    )
    bins = Location.objects.bulk_create(
        Location(
            warehouse=aisle.warehouse,
            parent=aisle,
            code=f"{aisle.code.removeprefix('AISLE-')}-{n:02d}",
            kind=aisle.kind,
            sequence=_walk(aisle, n),
        )
        for aisle in aisles
        for n in range(1, (BINS if aisle.kind == _Kind.STORAGE else PICK_BINS) + 1)
    )
    Location.objects.bulk_create(
        Location(warehouse=warehouse, code=code, kind=kind) for warehouse in warehouses for code, kind in OTHERS
    )
    _load_rates(warehouses)
    stored = np.array([row.pk for row in bins if row.kind == _Kind.STORAGE]).reshape(len(warehouses), STORED)
    place = np.arange(len(world.skus)) % STORED
    return warehouses, stored[:, place].T


def _walk(aisle: Location, n: int) -> int:
    """The picking bins first, then aisle by aisle."""
    if aisle.kind == _Kind.PICKING:
        return n
    _word, zone, number = aisle.code.split("-")
    return 100 * (1 + ZONES.index(zone) * AISLES + int(number)) + n


def _load_rates(warehouses: list[Warehouse]) -> None:
    ShippingRate.objects.bulk_create(
        ShippingRate(
            warehouse=warehouse,
            country=country,
            up_to_kg=up_to,
            base_cost=Decimal(base),
            cost_per_kg=Decimal(per_kg),
            cost_per_km=Decimal(per_km),
            days=days,
        )
        for warehouse in warehouses
        for country, up_to, base, per_kg, per_km, days in _RATES[warehouse.country]
    )


def load_routes(world: DemoWorld, *, channels: list[Channel], warehouses: list[Warehouse]) -> None:
    channel_at = {row.code: row for row in channels}
    warehouse_at = {row.code: row for row in warehouses}
    ChannelRoute.objects.bulk_create(
        ChannelRoute(channel=channel_at[row.channel], warehouse=warehouse_at[row.warehouse], rank=row.priority)
        for row in world.routes
    )
