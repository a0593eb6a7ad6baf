"""The whole load, part by part, in one transaction: either the demo company is there, or nothing is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.models import Category, Channel, Sku
from config.kernel.errors import Conflict
from procurement.demo.loading.answers import find_waiting, with_unanswered_orders
from procurement.demo.loading.catalogue import load_calendar, load_catalogue, load_channels
from procurement.demo.loading.diary import load_diary
from procurement.demo.loading.keys import Keys, keys_of
from procurement.demo.loading.people import load_people, write_credentials
from procurement.demo.loading.places import load_routes, load_warehouses
from procurement.demo.loading.policies import load_policies
from procurement.demo.loading.present import load_present
from procurement.demo.loading.purchases import load_purchases
from procurement.demo.loading.sales import load_sales
from procurement.demo.loading.stock import load_stock
from procurement.demo.loading.suppliers import load_suppliers
from procurement.demo.loading.truth import write_truth
from procurement.demo.world import DemoWorld
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderEvent, PurchaseOrderLine, Supplier
from warehouses.models import (
    CostLayer,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    SalesReturnLine,
    Shipment,
    StockLevel,
    StockMovement,
    StockValue,
    Warehouse,
)

MASTERS = (Sku, Category, Channel, Warehouse, Supplier)
LARGE = (
    Sku, Location, SalesOrder, SalesOrderLine, Shipment, SalesReturn, SalesReturnLine, StockLevel, StockMovement,
    StockValue, CostLayer, Reservation,
       PurchaseOrder, PurchaseOrderLine, PurchaseOrderEvent, LineResponse,
)  # fmt: skip
_ONE_LOAD_AT_A_TIME = 0x0DE_0CAFE  # the key of an advisory lock


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What is written beside the database, below the data directory."""

    data_dir: Path

    @property
    def credentials(self) -> Path:
        return self.data_dir / "demo_credentials.json"

    @property
    def truth(self) -> Path:
        return self.data_dir / "demo"


def is_empty() -> bool:
    """Whether nothing is traded yet: only then may the demo be loaded."""
    return not any(model.objects.exists() for model in MASTERS)


def load_world(world: DemoWorld, *, today: date, now: datetime, files: DemoFiles, say: Callable[[str], object]) -> None:
    """All of the world or nothing. `now` is when it was recorded; `say` hears of each part. Raises Conflict."""
    world = with_unanswered_orders(world)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_LOAD_AT_A_TIME])
        if not is_empty():
            raise Conflict(_("The database is not empty; the demo company is loaded only into an empty one."))
        try:
            _load(world, today=today, now=now, files=files, say=say)
        except BaseException:
            files.credentials.unlink(missing_ok=True)
            raise


def analyze_tables() -> None:
    """Fresh statistics for the planner of the database: within the load for its own sake, after it for all others'."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(f'"{model._meta.db_table}"' for model in LARGE))


def _load(world: DemoWorld, *, today: date, now: datetime, files: DemoFiles, say: Callable[[str], object]) -> None:
    skus = load_catalogue(world, today=today)
    channels = load_channels(world, skus)
    warehouses, bins = load_warehouses(world)
    load_routes(world, channels=channels, warehouses=warehouses)
    events = load_calendar(world, skus=skus, channels=channels)
    say(f"catalogue: {len(skus)} SKUs, {len(channels)} channels, {len(warehouses)} warehouses, {events} calendar rows")
    suppliers = load_suppliers(world, skus=skus)
    policies = load_policies(world, skus=skus)
    say(f"suppliers: {len(suppliers)}, selling {len(world.supplier_items)} items; {policies} policies")
    keys = Keys(
        skus=keys_of(skus),
        channels=keys_of(channels),
        warehouses=keys_of(warehouses),
        bins=bins,
        suppliers=keys_of(suppliers),
    )
    waiting = find_waiting(world)
    portal_supplier = suppliers[world.purchase_orders["supplier"][waiting.order]]
    people = load_people(suppliers=suppliers, portal_supplier=portal_supplier)
    say(
        f"people: planner, clerk, viewer, admin, a machine, and a contact of each supplier ({portal_supplier} signs in)"
    )
    sales = load_sales(world, keys, now=now)
    say(f"sales: {len(world.orders)} orders with {len(world.order_lines)} lines, {len(world.returns)} returns")
    purchases = load_purchases(world, keys, waiting=waiting, people=people, now=now)
    entries, answers = load_diary(world, purchases=purchases, people=people, waiting=waiting)
    say(
        f"purchases: {len(world.purchase_orders)} orders with {len(world.purchase_lines)} lines, "
        f"{len(world.receipts)} receipts, {entries} diary entries, {answers} suppliers' answers"
    )
    counts = load_stock(world, keys, sales=sales, receipt_numbers=purchases.receipt_numbers, now=now)
    say("stock: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    # The services work on the rows now; statistics taken while the tables were empty would send them the long way.
    analyze_tables()
    there = load_present(today=today, now=now, actor=people.planner)
    say("this morning: " + ", ".join(f"{count} {name}" for name, count in there.items()))
    rows = write_truth(world, files.truth)
    say(f"true demand: {rows} rows kept aside in {files.truth.name}/, not in the database")
    write_credentials(files.credentials, people.credentials)
