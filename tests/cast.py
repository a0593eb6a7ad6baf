"""The small cast of the tests: two warehouses, three SKUs, two channels, Northwind and the outsider, and the people.

Plain factories (`make_…`, `put_stock`) and one fixture, `world`. A conftest that wants the fixture imports it by name.
The clock of the cast stands at NOW, a Monday morning.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from catalog.models import Category, Channel, Listing, Product, Sku
from config.kernel.policy import CLERK, INTEGRATION, PLANNER, SUPPLIER, VIEWER
from procurement.models import PriceBreak, Supplier, SupplierItem, SupplierMembership
from warehouses.models import ChannelRoute, Location, Lot, StockLevel, StockMovement, Warehouse
from warehouses.services.stock import Move, post_movements

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OPENED_AT = NOW - timedelta(days=30)
PASSWORD = "a long password of the tests"


@dataclass(frozen=True)
class World:
    """Opening stock at MAIN/A-01: 100 mugs, 20 lamps; at NORTH/A-01: 40 mugs. No tea anywhere.

    The web shop is served by MAIN first, then NORTH; the marketplace by NORTH alone. Northwind is the preferred
    supplier of mugs (4.00, from 100 units 3.50) and lamps, the outsider of tea.
    """

    main: Warehouse
    north: Warehouse
    shelf: Location
    receiving: Location
    returns: Location
    quarantine: Location
    north_shelf: Location
    web: Channel
    market: Channel
    mug: Sku
    lamp: Sku
    tea: Sku
    northwind: Supplier
    outsider: Supplier
    planner: Any
    viewer: Any
    clerk: Any
    integration: Any
    northwind_user: Any
    outsider_user: Any


@pytest.fixture
def world(db: None) -> World:
    """Works with `db` and with `transactional_db` (whose flush takes the groups of the migration away: made anew)."""
    return build_world()


def build_world() -> World:
    main, north = make_warehouse("MAIN", name="Leeds"), make_warehouse("NORTH", name="Glasgow")
    web = make_channel("WEB", priority=10, routes=(main, north))
    market = make_channel("MARKET", priority=20, routes=(north,))
    mug, lamp, tea = make_sku("MUG", unit_price="9.00"), make_sku("LAMP", unit_price="45.00"), make_sku("TEA")
    northwind, outsider = make_supplier("NORTHWIND"), make_supplier("OUTSIDER")
    mug_item = make_item(northwind, mug, unit_cost="4.00", minimum_order_quantity=10, pack_size=5)
    PriceBreak.objects.create(item=mug_item, minimum_quantity=100, unit_cost=Decimal("3.50"))
    make_item(northwind, lamp, unit_cost="20.00")
    make_item(outsider, tea, unit_cost="2.00")
    northwind_user, outsider_user = make_user("nora", SUPPLIER), make_user("otto", SUPPLIER)
    SupplierMembership.objects.create(user=northwind_user, supplier=northwind)
    SupplierMembership.objects.create(user=outsider_user, supplier=outsider)
    for sku in (mug, lamp, tea):
        Listing.objects.create(channel=web, sku=sku, unit_price=sku.unit_price)
    world = World(
        main=main,
        north=north,
        shelf=make_location(main, "A-01"),
        receiving=make_location(main, "DOCK", Location.Kind.RECEIVING),
        returns=make_location(main, "RET", Location.Kind.RETURNS),
        quarantine=make_location(main, "HOLD", Location.Kind.QUARANTINE),
        north_shelf=make_location(north, "A-01"),
        web=web,
        market=market,
        mug=mug,
        lamp=lamp,
        tea=tea,
        northwind=northwind,
        outsider=outsider,
        planner=make_user("pia", PLANNER),
        viewer=make_user("vera", VIEWER),
        clerk=make_user("carl", CLERK),
        integration=make_user("shop", INTEGRATION),
        northwind_user=northwind_user,
        outsider_user=outsider_user,
    )
    put_stock(mug, world.shelf, 100)
    put_stock(lamp, world.shelf, 20)
    put_stock(mug, world.north_shelf, 40)
    return world


def make_warehouse(code: str, *, name: str = "") -> Warehouse:
    return Warehouse.objects.create(code=code, name=name or code.title(), country="GB")


def make_location(warehouse: Warehouse, code: str, kind: str = Location.Kind.STORAGE) -> Location:
    return Location.objects.create(warehouse=warehouse, code=code, kind=kind)


def make_channel(code: str, *, priority: int = 100, routes: tuple[Warehouse, ...] = ()) -> Channel:
    """Its warehouses are ranked in the order given."""
    channel = Channel.objects.create(code=code, name=code.title(), priority=priority)
    for rank, warehouse in enumerate(routes, start=1):
        ChannelRoute.objects.create(channel=channel, warehouse=warehouse, rank=rank)
    return channel


def make_sku(code: str, *, unit_price: str = "5.00", unit_cost: str = "2.00", **more: Any) -> Sku:
    category, _ = Category.objects.get_or_create(code="HOME", defaults={"name": "Home"})
    product = Product.objects.create(code=code, name=code.title(), category=category)
    return Sku.objects.create(
        code=code,
        name=code.title(),
        product=product,
        unit_price=Decimal(unit_price),
        unit_cost=Decimal(unit_cost),
        **more,
    )


def make_lot(sku: Sku, code: str, *, expires_on: date | None = None) -> Lot:
    return Lot.objects.create(sku=sku, code=code, expires_on=expires_on)


def make_supplier(code: str, **more: Any) -> Supplier:
    fields_ = {"name": code.title(), "email": f"orders@{code.lower()}.example", "lead_time_days": 14, **more}
    return Supplier.objects.create(code=code, **fields_)


def make_item(supplier: Supplier, sku: Sku, *, unit_cost: str = "2.00", **more: Any) -> SupplierItem:
    return SupplierItem.objects.create(supplier=supplier, sku=sku, unit_cost=Decimal(unit_cost), **more)


def make_user(username: str, role: str | None = None, **more: Any) -> Any:
    """A user whose password is PASSWORD; people of the company may enter the admin."""
    user = get_user_model().objects.create_user(
        username, f"{username}@entrepot.example", PASSWORD, is_staff=role in {PLANNER, CLERK, VIEWER}, **more
    )
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def put_stock(sku: Sku, location: Location, quantity: int | str | Decimal, *, lot: Lot | None = None) -> StockLevel:
    """Opening stock through the one writer; may be called again for more of the same."""
    key = {"sku_id": sku.pk, "location_id": location.pk, "lot_id": lot and lot.pk}
    nth = StockMovement.objects.filter(**key).count()
    move = Move(
        kind=StockMovement.Kind.OPENING,
        quantity=Decimal(quantity),
        idempotency_key="opening:" + ":".join(str(part) for part in (*key.values(), nth)),
        **key,
    )
    post_movements([move], happened_at=OPENED_AT)
    return StockLevel.objects.get(**key)
