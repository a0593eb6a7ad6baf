"""The demo company's suppliers: what each sells at which price, and how reliable its deliveries have been."""

from decimal import Decimal

import numpy as np

from catalog.models import Sku
from procurement.demo.loading.copying import pounds
from procurement.demo.world import DemoWorld
from procurement.models import PriceBreak, Supplier, SupplierItem


def load_suppliers(world: DemoWorld, *, skus: list[Sku]) -> list[Supplier]:
    """Suppliers with their items and price breaks, in the world's order."""
    spread = lead_time_sd_days(world)
    suppliers = Supplier.objects.bulk_create(
        Supplier(
            code=row.code,
            name=row.name,
            email=row.email,
            country=row.country,
            currency=row.currency,
            lead_time_days=row.lead_time_days,
            lead_time_sd_days=spread[place],
            review_days=row.review_days,
            fixed_order_cost=pounds(row.fixed_order_cost_pence),
            minimum_order_value=pounds(row.minimum_order_value_pence),
            over_receipt_tolerance=Decimal(row.over_receipt_tolerance_percent).scaleb(-2),
        )
        for place, row in enumerate(world.suppliers)
    )
    _load_items(world, suppliers=suppliers, skus=skus)
    return suppliers


def lead_time_sd_days(world: DemoWorld) -> list[Decimal]:
    """Per supplier, as its receipts show: the population standard deviation of (receipt − order) in days.

    Every receipt of a fully received order counts once; 0 with fewer than two.
    """
    orders = world.purchase_orders[world.receipts["purchase_order"]]
    full = orders["status"] == "received"
    taken = world.receipts["received_at"].astype("M8[D]") - orders["ordered_at"].astype("M8[D]")
    lead_time_days = taken.astype(np.int64)
    spread = []
    for place in range(len(world.suppliers)):
        seen = lead_time_days[full & (orders["supplier"] == place)]
        spread.append(Decimal(f"{seen.std() if len(seen) > 1 else 0:.2f}"))
    return spread


def _load_items(world: DemoWorld, *, suppliers: list[Supplier], skus: list[Sku]) -> None:
    supplier_at = {row.code: row for row in suppliers}
    sku_at = {row.code: row for row in skus}
    items = {
        (row.supplier, row.sku): SupplierItem(
            supplier=supplier_at[row.supplier],
            sku=sku_at[row.sku],
            supplier_code=row.supplier_sku,
            unit_cost=pounds(row.unit_cost_pence),
            minimum_order_quantity=row.minimum_order_quantity,
            pack_size=row.pack_size,
            lead_time_days=row.lead_time_days,
            is_preferred=row.is_preferred,
        )
        for row in world.supplier_items
    }
    SupplierItem.objects.bulk_create(items.values())
    PriceBreak.objects.bulk_create(
        PriceBreak(
            item=items[row.supplier, row.sku],
            minimum_quantity=row.minimum_quantity,
            unit_cost=pounds(row.unit_cost_pence),
        )
        for row in world.price_breaks
    )
