"""Supplier facts of the demo company in the shape the simulation needs: arrays over SKUs, and spells of trouble."""

from dataclasses import dataclass

import numpy as np

from procurement.demo.partners import PriceBreak, Supplier, SupplierItem


@dataclass(frozen=True, slots=True)
class Sourcing:
    """Supplier facts as arrays over SKUs (column 0 the preferred supplier, column 1 the second or −1)."""

    supplier: np.ndarray
    lead_time_days: np.ndarray
    minimum: np.ndarray
    pack: np.ndarray
    unit_cost: np.ndarray
    breaks: dict[tuple[int, int], list[tuple[int, int]]]


def index_sourcing(
    *,
    sku_codes: list[str],
    suppliers: tuple[Supplier, ...],
    items: tuple[SupplierItem, ...],
    breaks: tuple[PriceBreak, ...],
) -> Sourcing:
    sku_at = {code: place for place, code in enumerate(sku_codes)}
    supplier_at = {supplier.code: place for place, supplier in enumerate(suppliers)}
    shape = (len(sku_codes), 2)
    supplier, days, minimum, pack, cost = (np.full(shape, -1, dtype=np.int64) for _ in range(5))
    for item in items:
        place = (sku_at[item.sku], 0 if item.is_preferred else 1)
        supplier[place] = supplier_at[item.supplier]
        days[place] = item.lead_time_days or suppliers[supplier_at[item.supplier]].lead_time_days
        minimum[place], pack[place], cost[place] = item.minimum_order_quantity, item.pack_size, item.unit_cost_pence
    table: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for step in breaks:
        key = (supplier_at[step.supplier], sku_at[step.sku])
        table.setdefault(key, []).append((step.minimum_quantity, step.unit_cost_pence))
    return Sourcing(supplier, days, minimum, pack, cost, table)


def draw_trouble(rng: np.random.Generator, suppliers: tuple[Supplier, ...], days: int) -> np.ndarray:
    """Lead-time factor supplier × day: six bad spells in the past and one that is still going on."""
    factor = np.ones((len(suppliers), days))
    for supplier in rng.choice(len(suppliers), size=6, replace=False).tolist():
        start = int(rng.integers(60, days - 160))
        factor[supplier, start : start + int(rng.integers(40, 80))] = rng.uniform(1.6, 2.2)
    quick = [place for place, supplier in enumerate(suppliers) if 14 <= supplier.lead_time_days <= 30]
    now = quick[int(rng.integers(len(quick)))]
    factor[now, days - now % 3 - 2 * suppliers[now].lead_time_days :] = 1.9
    return factor
