"""The demo company's stock: opening stock, two years of movements, the levels they add up to, and reservations.

Written past `post_movements`, as the package's docstring says: the one bulk load of history.
"""

from datetime import datetime
from itertools import chain

import numpy as np

from procurement.demo.ledger import ADJUSTMENT, RECEIPT, RETURN, SALE, SCRAP
from procurement.demo.loading.copying import NULL, constant, copy_rows, moments, nothing, pounds, take_ids, texts, whole
from procurement.demo.loading.keys import Keys, SalesKeys
from procurement.demo.world import DemoWorld
from warehouses.models import Reservation, StockLevel, StockMovement
from warehouses.services.adjustments import Reason

_KIND = {
    RECEIPT: StockMovement.Kind.RECEIPT,
    SALE: StockMovement.Kind.SALE,
    RETURN: StockMovement.Kind.RETURN,
    ADJUSTMENT: StockMovement.Kind.ADJUSTMENT,
    SCRAP: StockMovement.Kind.SCRAP,
}
_REASON = {ADJUSTMENT: Reason.COUNT, SCRAP: Reason.DAMAGED}


def load_stock(
    world: DemoWorld, keys: Keys, *, sales: SalesKeys, receipt_numbers: list[str], now: datetime
) -> dict[str, int]:
    """Movements, levels and reservations; returns how many of each."""
    level_ids = _copy_levels(world, keys, now=now)
    return {
        "movements": _copy_movements(world, keys, sales=sales, receipt_numbers=receipt_numbers, now=now),
        "levels": int((level_ids > 0).sum()),
        "reservations": _copy_reservations(world, sales=sales, level_ids=level_ids),
    }


def _copy_levels(world: DemoWorld, keys: Keys, *, now: datetime) -> np.ndarray:
    """A level for every SKU that is kept in a warehouse; returns its id by SKU and warehouse, 0 where it is not."""
    sku, warehouse = np.nonzero(world.ranged)
    ids = take_ids(StockLevel, len(sku))
    copy_rows(
        StockLevel,
        {
            "id": whole(ids),
            "sku": whole(keys.skus[sku]),
            "location": whole(keys.shelves[warehouse]),
            "lot": nothing(len(sku)),
            "on_hand": whole(world.on_hand[sku, warehouse]),
            "reserved": whole(world.reserved[sku, warehouse]),
            "updated_at": constant(now.isoformat(), len(sku)),
        },
    )
    by_place = np.zeros(world.ranged.shape, dtype=np.int64)
    by_place[sku, warehouse] = ids
    return by_place


def _copy_movements(
    world: DemoWorld, keys: Keys, *, sales: SalesKeys, receipt_numbers: list[str], now: datetime
) -> int:
    """Opening stock at the first midnight (UTC), then everything that moved, in time order."""
    moved = world.movements
    opened, opened_at = np.nonzero(world.opening_stock)
    sku = np.concatenate([opened, moved["sku"]])
    warehouse = np.concatenate([opened_at, moved["warehouse"]])
    midnight = np.full(len(opened), np.datetime64(world.start_day, "s"))
    kinds = moved["kind"].tolist()
    count = len(sku)
    copy_rows(
        StockMovement,
        {
            "id": whole(take_ids(StockMovement, count)),
            "kind": chain(constant(StockMovement.Kind.OPENING, len(opened)), (_KIND[kind] for kind in kinds)),
            "sku": whole(keys.skus[sku]),
            "location": whole(keys.shelves[warehouse]),
            "lot": nothing(count),
            "quantity": whole(np.concatenate([world.opening_stock[opened, opened_at], moved["quantity"]])),
            "unit_cost": _unit_costs(world, opened),
            "reference": texts(chain([""] * len(opened), _references(world, sales, receipt_numbers))),
            "reason": chain(constant("", len(opened)), (_REASON.get(kind, "") for kind in kinds)),
            "idempotency_key": (f"demo:{number}" for number in range(1, count + 1)),
            "actor": nothing(count),
            "happened_at": moments(np.concatenate([midnight, moved["occurred_at"]])),
            "recorded_at": constant(now.isoformat(), count),
        },
    )
    return count


def _unit_costs(world: DemoWorld, opened: np.ndarray) -> chain:
    """What was paid for receipts, the SKU's cost for sales, returns and opening stock, none for corrections."""
    moved = world.movements
    cost = np.array([sku.unit_cost_pence for sku in world.skus])
    pence = cost[moved["sku"]]
    arrived = moved["kind"] == RECEIPT
    paid = world.receipt_lines["purchase_line"][moved["reference"][arrived]]
    pence[arrived] = world.purchase_lines["unit_cost_pence"][paid]
    known = ~np.isin(moved["kind"], list(_REASON))
    return chain(
        (str(pounds(value)) for value in cost[opened].tolist()),
        (str(pounds(p)) if has else NULL for p, has in zip(pence.tolist(), known.tolist(), strict=True)),
    )


def _references(world: DemoWorld, sales: SalesKeys, receipt_numbers: list[str]) -> list[str]:
    """The number of the document behind each movement: receipt, shipment or return."""
    order_of_line = world.order_lines["order"].tolist()
    receipt_of_line = world.receipt_lines["receipt"].tolist()
    shipments = sales.shipment_numbers.tolist()
    named = {
        RECEIPT: lambda row: receipt_numbers[receipt_of_line[row]],
        SALE: lambda row: shipments[order_of_line[row]],
        RETURN: lambda row: sales.return_numbers[row],
        ADJUSTMENT: lambda row: "",
        SCRAP: lambda row: "",
    }
    rows = zip(world.movements["kind"].tolist(), world.movements["reference"].tolist(), strict=True)
    return [named[kind](row) for kind, row in rows]


def _copy_reservations(world: DemoWorld, *, sales: SalesKeys, level_ids: np.ndarray) -> int:
    """Every line of an open order holds its whole quantity."""
    is_open = np.nonzero(world.orders["status"][world.order_lines["order"]] == "open")[0]
    lines = world.order_lines[is_open]
    copy_rows(
        Reservation,
        {
            "id": whole(take_ids(Reservation, len(lines))),
            "line": whole(sales.lines[is_open]),
            "level": whole(level_ids[lines["sku"], lines["warehouse"]]),
            "quantity": whole(lines["quantity"]),
        },
    )
    return len(lines)
