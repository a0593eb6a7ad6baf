"""The demo company's aims: fast sellers at 98 %, the rest at 95 %, slow sellers at 90 %, Christmas goods at 97 %."""

import numpy as np

from catalog.models import Category, Sku
from procurement.demo.world import DemoWorld
from procurement.models import Policy

FAST_SHARE, SLOW_SHARE = 0.2, 0.3  # of the SKUs, by turnover of the last year


def load_policies(world: DemoWorld, *, skus: list[Sku]) -> int:
    """One policy for all, one for a category, and one for each fast or slow seller that is still bought."""
    by_turnover = np.argsort(-_turnover_pence(world), kind="stable").tolist()
    fast = set(by_turnover[: round(len(skus) * FAST_SHARE)])
    slow = set(by_turnover[len(skus) - round(len(skus) * SLOW_SHARE) :])
    rows = [
        Policy(name="Standard", service_level="0.95"),
        Policy(name="Christmas goods", category=Category.objects.get(code="XMS"), service_level="0.97"),
    ]
    for place, sku in enumerate(skus):
        if sku.status == Sku.Status.ACTIVE and place in fast:
            rows.append(Policy(name=f"Fast seller {sku.code}", sku=sku, service_level="0.98"))
        elif sku.status == Sku.Status.ACTIVE and place in slow:
            rows.append(Policy(name=f"Slow seller {sku.code}", sku=sku, service_level="0.90"))
    return len(Policy.objects.bulk_create(rows))


def _turnover_pence(world: DemoWorld) -> np.ndarray:
    """Sold in the last 365 days, per SKU."""
    orders = world.orders[world.order_lines["order"]]
    year = np.datetime64(world.end_day, "s") - np.timedelta64(365, "D")
    lines = world.order_lines[(orders["status"] != "cancelled") & (orders["ordered_at"] >= year)]
    value = lines["quantity"].astype(np.int64) * lines["unit_price_pence"]
    return np.bincount(lines["sku"], value, len(world.skus))
