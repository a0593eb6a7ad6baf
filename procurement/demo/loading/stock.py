"""The demo company's stock: opening stock, two years of movements, the levels they add up to, and reservations.

Written past `post_movements`, as the package's docstring says: the one bulk load of history.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import chain

import numpy as np
from django.db import connection

from procurement.demo.ledger import ADJUSTMENT, RECEIPT, RETURN, SALE, SCRAP
from procurement.demo.loading.copying import constant, copy_rows, moments, money, nothing, take_ids, texts, whole
from procurement.demo.loading.keys import Keys, SalesKeys
from procurement.demo.loading.worth import fifo_worth
from procurement.demo.world import DemoWorld
from warehouses.models import CostLayer, Reservation, StockLevel, StockMovement, StockValue
from warehouses.models.stock import WRITER
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
    """Movements with their worth, levels, layers and reservations; returns how many of each."""
    with _as_the_writer_of_stock():
        level_ids = _copy_levels(world, keys, now=now)
        movements, layers = _copy_movements(world, keys, sales=sales, receipt_numbers=receipt_numbers, now=now)
        reservations = _copy_reservations(world, sales=sales, level_ids=level_ids)
    return {
        "movements": movements,
        "levels": int((level_ids > 0).sum()),
        "cost layers": layers,
        "reservations": reservations,
    }


@contextmanager
def _as_the_writer_of_stock() -> Iterator[None]:
    """The database refuses rows of stock from everybody else (see warehouses.models.stock).

    The guards look up a setting in a block of their own for every row; where it is missing, each block ends like a
    savepoint that failed, which scans all checks that were put off to the end. So they are done first, and it is set.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT set_config(%s, 'on', true), set_config('pgtrigger.ignore', '{}', true)", [WRITER])
        yield
        cursor.execute("SELECT set_config(%s, '', true)", [WRITER])


def _copy_levels(world: DemoWorld, keys: Keys, *, now: datetime) -> np.ndarray:
    """A level for every SKU that is kept in a warehouse; returns its id by SKU and warehouse, 0 where it is not."""
    sku, warehouse = np.nonzero(world.ranged)
    ids = take_ids(StockLevel, len(sku))
    on_hand = world.on_hand[sku, warehouse]
    filled = np.where(on_hand > 0, _filled_at(world)[sku, warehouse], np.datetime64("NaT"))
    copy_rows(
        StockLevel,
        {
            "id": whole(ids),
            "sku": whole(keys.skus[sku]),
            "location": whole(keys.bins[sku, warehouse]),
            "lot": nothing(len(sku)),
            "on_hand": whole(on_hand),
            "reserved": whole(world.reserved[sku, warehouse]),
            "filled_at": moments(filled),
            "updated_at": constant(now.isoformat(), len(sku)),
        },
    )
    by_place = np.zeros(world.ranged.shape, dtype=np.int64)
    by_place[sku, warehouse] = ids
    return by_place


def _filled_at(world: DemoWorld) -> np.ndarray:
    """The last time anything came in, by SKU and warehouse."""
    filled = np.full(world.ranged.shape, np.datetime64(world.start_day, "s"))
    came = world.movements[world.movements["quantity"] > 0]
    filled[came["sku"], came["warehouse"]] = came["occurred_at"]  # in time order: the last one stays
    return filled


def _copy_movements(
    world: DemoWorld, keys: Keys, *, sales: SalesKeys, receipt_numbers: list[str], now: datetime
) -> tuple[int, int]:
    """Opening stock at the first midnight (UTC), then everything that moved, in time order; and its cost layers."""
    moved = world.movements
    opened, opened_at = np.nonzero(world.opening_stock)
    sku = np.concatenate([opened, moved["sku"]]).astype(np.int64)
    warehouse = np.concatenate([opened_at, moved["warehouse"]]).astype(np.int64)
    quantity = np.concatenate([world.opening_stock[opened, opened_at], moved["quantity"]]).astype(np.int64)
    cost = _cost_of_entering(world, sku, opened=len(opened))
    worth = fifo_worth(sku * len(world.warehouses) + warehouse, quantity, cost)
    midnight = np.full(len(opened), np.datetime64(world.start_day, "s"))
    happened_at = np.concatenate([midnight, moved["occurred_at"]])
    kinds = moved["kind"].tolist()
    count = len(sku)
    ids = take_ids(StockMovement, count)
    copy_rows(
        StockMovement,
        {
            "id": whole(ids),
            "kind": chain(constant(StockMovement.Kind.OPENING, len(opened)), (_KIND[kind] for kind in kinds)),
            "sku": whole(keys.skus[sku]),
            "location": whole(keys.bins[sku, warehouse]),
            "lot": nothing(count),
            "quantity": whole(quantity),
            "unit_cost": _ten_thousandths(worth.unit_cost),
            "value": money(worth.value),
            "reference": texts(chain([""] * len(opened), _references(world, sales, receipt_numbers))),
            "reason": chain(constant("", len(opened)), (_REASON.get(kind, "") for kind in kinds)),
            "idempotency_key": (f"demo:{number}" for number in range(1, count + 1)),
            "actor": nothing(count),
            "happened_at": moments(happened_at),
            "recorded_at": constant(now.isoformat(), count),
        },
    )
    entered = np.nonzero(quantity > 0)[0]
    copy_rows(
        CostLayer,
        {
            "sku": whole(keys.skus[sku[entered]]),
            "warehouse": whole(keys.warehouses[warehouse[entered]]),
            "movement": whole(ids[entered]),
            "received_at": moments(happened_at[entered]),
            "quantity": whole(quantity[entered]),
            "remaining": whole(worth.remaining[entered]),
            "value": money(worth.remaining[entered] * cost[entered]),
        },
    )
    _copy_pools(world, keys, pence=_summed(world, sku, warehouse, worth.value))
    return count, len(entered)


def _copy_pools(world: DemoWorld, keys: Keys, *, pence: np.ndarray) -> None:
    sku, warehouse = np.nonzero(world.ranged)
    copy_rows(
        StockValue,
        {
            "sku": whole(keys.skus[sku]),
            "warehouse": whole(keys.warehouses[warehouse]),
            "quantity": whole(world.on_hand[sku, warehouse]),
            "value": money(pence[sku, warehouse]),
        },
    )


def _summed(world: DemoWorld, sku: np.ndarray, warehouse: np.ndarray, pence: np.ndarray) -> np.ndarray:
    total = np.zeros(world.ranged.shape, dtype=np.int64)
    np.add.at(total, (sku, warehouse), pence)
    return total


def _cost_of_entering(world: DemoWorld, sku: np.ndarray, *, opened: int) -> np.ndarray:
    """Pence a unit: what was paid for receipts, the SKU's cost for everything else that comes in."""
    moved = world.movements
    pence = np.array([sku.unit_cost_pence for sku in world.skus], dtype=np.int64)[sku]
    arrived = moved["kind"] == RECEIPT
    paid = world.receipt_lines["purchase_line"][moved["reference"][arrived]]
    pence[opened + np.nonzero(arrived)[0]] = world.purchase_lines["unit_cost_pence"][paid]
    return pence


def _ten_thousandths(values: np.ndarray) -> Iterator[str]:
    return (str(Decimal(value).scaleb(-4)) for value in values.tolist())


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
