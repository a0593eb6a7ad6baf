"""The demo company's purchase orders with their lines, and the receipts that came in for them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from procurement.demo.loading.answers import Waiting
from procurement.demo.loading.copying import (
    NULL,
    constant,
    continue_sequence,
    copy_rows,
    days,
    moments,
    money,
    nothing,
    take_ids,
    texts,
    whole,
)
from procurement.demo.loading.keys import Keys
from procurement.demo.loading.people import People
from procurement.demo.loading.sales import number_lines
from procurement.demo.world import DemoWorld
from procurement.models import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine

_Status, _LineStatus = PurchaseOrder.Status, PurchaseOrderLine.Status
_STATUS = {
    "sent": _Status.SENT,
    "confirmed": _Status.CONFIRMED,
    "partially_received": _Status.PARTIALLY_RECEIVED,
    "received": _Status.RECEIVED,
    "closed_short": _Status.RECEIVED,
    "cancelled": _Status.CANCELLED,
}
OPENED_BEFORE, APPROVED_BEFORE = np.timedelta64(3, "h"), np.timedelta64(20, "m")  # before the order was sent


@dataclass(frozen=True, slots=True)
class PurchaseKeys:
    orders: np.ndarray
    lines: np.ndarray
    line_numbers: np.ndarray
    receipt_numbers: list[str]


def load_purchases(world: DemoWorld, keys: Keys, *, waiting: Waiting, people: People, now: datetime) -> PurchaseKeys:
    """Orders numbered as they were placed, lines as they stand, receipts as they came; the sequences continue."""
    purchases = PurchaseKeys(
        orders=take_ids(PurchaseOrder, len(world.purchase_orders)),
        lines=take_ids(PurchaseOrderLine, len(world.purchase_lines)),
        line_numbers=number_lines(world.purchase_lines["purchase_order"]),
        receipt_numbers=[f"GR-{number:06d}" for number in range(1, len(world.receipts) + 1)],
    )
    _copy_orders(world, keys, ids=purchases.orders, people=people)
    _copy_lines(world, keys, purchases=purchases, waiting=waiting)
    _copy_receipts(world, purchases=purchases, people=people, now=now)
    continue_sequence("procurement_order_number", len(world.purchase_orders))
    continue_sequence("procurement_receipt_number", len(world.receipts))
    return purchases


def closed_at(world: DemoWorld) -> np.ndarray:
    """When each order was finished, wholly, short or by cancelling; not-a-time while it is open."""
    orders = world.purchase_orders
    return np.where(orders["status"] == "cancelled", orders["cancelled_at"], orders["received_at"])


def line_quantities(world: DemoWorld) -> np.ndarray:
    """In force: closing an order short brings each line down to what was received, as `close_short` does."""
    lines = world.purchase_lines
    short = world.purchase_orders["status"][lines["purchase_order"]] == "closed_short"
    return np.where(short, np.minimum(lines["quantity"], lines["received_quantity"]), lines["quantity"])


def _copy_orders(world: DemoWorld, keys: Keys, *, ids: np.ndarray, people: People) -> None:
    orders, count = world.purchase_orders, len(world.purchase_orders)
    currency = [supplier.currency for supplier in world.suppliers]
    copy_rows(
        PurchaseOrder,
        {
            "id": whole(ids),
            "number": (f"PO-{number:06d}" for number in range(1, count + 1)),
            "supplier": whole(keys.suppliers[orders["supplier"]]),
            "warehouse": whole(keys.warehouses[orders["warehouse"]]),
            "status": (_STATUS[status] for status in orders["status"].tolist()),
            "currency": (currency[place] for place in orders["supplier"].tolist()),
            "note": constant("", count),
            "created_by": constant(people.planner.pk, count),
            "approved_by": constant(people.planner.pk, count),
            "created_at": moments(orders["ordered_at"] - OPENED_BEFORE),
            "approved_at": moments(orders["ordered_at"] - APPROVED_BEFORE),
            "sent_at": moments(orders["ordered_at"]),
            "confirmed_at": moments(orders["confirmed_at"]),
            "closed_at": moments(closed_at(world)),
        },
    )


def _copy_lines(world: DemoWorld, keys: Keys, *, purchases: PurchaseKeys, waiting: Waiting) -> None:
    lines = world.purchase_lines
    orders = world.purchase_orders[lines["purchase_order"]]
    status = np.where(np.isin(orders["status"], ["sent", "cancelled"]), _LineStatus.OPEN, _LineStatus.ACCEPTED)
    status = status.astype("U16")
    promised_on = orders["promised_on"].copy()
    for change in waiting.changes:
        order = lines["purchase_order"][change.line]
        mine = lines["purchase_order"] == order
        status[mine] = _LineStatus.ACCEPTED  # the other lines of that order were accepted as asked
        promised_on[mine] = np.where(np.isnat(promised_on[mine]), orders["requested_on"][mine], promised_on[mine])
        if world.purchase_orders["status"][order] == "sent":
            promised_on[change.line] = np.datetime64("NaT")
        status[change.line] = _LineStatus.CHANGE_PROPOSED
    copy_rows(
        PurchaseOrderLine,
        {
            "id": whole(purchases.lines),
            "order": whole(purchases.orders[lines["purchase_order"]]),
            "line_number": whole(purchases.line_numbers),
            "sku": whole(keys.skus[lines["sku"]]),
            "proposal": nothing(len(lines)),
            "status": texts(status.tolist()),
            "quantity": whole(line_quantities(world)),
            "original_quantity": whole(lines["quantity"]),
            "unit_cost": money(lines["unit_cost_pence"]),
            "need_by": days(orders["requested_on"]),
            "promised_on": days(promised_on),
            "received_quantity": whole(lines["received_quantity"]),
        },
    )


def _copy_receipts(world: DemoWorld, *, purchases: PurchaseKeys, people: People, now: datetime) -> None:
    receipts, lines = world.receipts, world.receipt_lines
    ids = take_ids(Receipt, len(receipts))
    copy_rows(
        Receipt,
        {
            "id": whole(ids),
            "number": purchases.receipt_numbers,
            "order": whole(purchases.orders[receipts["purchase_order"]]),
            "delivery_note": (f"DN-{number}" for number in range(70_001, 70_001 + len(receipts))),
            "idempotency_key": constant(NULL, len(receipts)),
            "received_at": moments(receipts["received_at"]),
            "recorded_at": constant(now.isoformat(), len(receipts)),
            "actor": constant(people.clerk.pk, len(receipts)),
        },
    )
    copy_rows(
        ReceiptLine,
        {
            "id": whole(take_ids(ReceiptLine, len(lines))),
            "receipt": whole(ids[lines["receipt"]]),
            "order_line": whole(purchases.lines[lines["purchase_line"]]),
            "quantity": whole(lines["quantity"]),
        },
    )
