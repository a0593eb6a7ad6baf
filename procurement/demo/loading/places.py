"""The demo company's warehouses with their locations, and which warehouse serves which channel."""

from catalog.models import Channel
from procurement.demo.world import DemoWorld
from warehouses.models import ChannelRoute, Location, Warehouse

# Code and kind; the first one holds all stock. Codes of storage sort after it, because goods that come back go to the
# first storage location by code.
LOCATIONS = (
    ("STOCK", Location.Kind.STORAGE),
    ("STOCK-02", Location.Kind.STORAGE),
    ("STOCK-03", Location.Kind.STORAGE),
    ("DOCK", Location.Kind.RECEIVING),
    ("RETURNS", Location.Kind.RETURNS),
    ("HOLD", Location.Kind.QUARANTINE),
)


def load_warehouses(world: DemoWorld) -> tuple[list[Warehouse], list[Location]]:
    """The warehouses, and of each the location that holds its stock."""
    warehouses = Warehouse.objects.bulk_create(
        Warehouse(code=row.code, name=row.name, city=row.city, country=row.country, time_zone=row.time_zone)
        for row in world.warehouses
    )
    locations = Location.objects.bulk_create(
        Location(warehouse=warehouse, code=code, kind=kind) for warehouse in warehouses for code, kind in LOCATIONS
    )
    return warehouses, locations[:: len(LOCATIONS)]


def load_routes(world: DemoWorld, *, channels: list[Channel], warehouses: list[Warehouse]) -> None:
    channel_at = {row.code: row for row in channels}
    warehouse_at = {row.code: row for row in warehouses}
    ChannelRoute.objects.bulk_create(
        ChannelRoute(channel=channel_at[row.channel], warehouse=warehouse_at[row.warehouse], rank=row.priority)
        for row in world.routes
    )
