"""The demo company's sales: orders and their lines, what was shipped, what came back."""

from datetime import datetime

import numpy as np

from procurement.demo.loading.copying import (
    constant,
    continue_sequence,
    copy_rows,
    flags,
    moments,
    money,
    nothing,
    take_ids,
    texts,
    whole,
)
from procurement.demo.loading.keys import Keys, SalesKeys
from procurement.demo.world import DemoWorld
from warehouses.models import SalesOrder, SalesOrderLine, SalesReturn, SalesReturnLine, Shipment

_STATUS = {
    "open": SalesOrder.Status.RESERVED,
    "shipped": SalesOrder.Status.SHIPPED,
    "cancelled": SalesOrder.Status.CANCELLED,
}


def load_sales(world: DemoWorld, keys: Keys, *, now: datetime) -> SalesKeys:
    order_ids = take_ids(SalesOrder, len(world.orders))
    line_ids = take_ids(SalesOrderLine, len(world.order_lines))
    line_numbers = number_lines(world.order_lines["order"])
    _copy_orders(world, keys, ids=order_ids, now=now)
    _copy_lines(world, keys, ids=line_ids, order_ids=order_ids, line_numbers=line_numbers)
    return SalesKeys(
        lines=line_ids,
        shipment_numbers=_copy_shipments(world, keys, order_ids=order_ids),
        return_numbers=_copy_returns(world, keys, line_ids=line_ids, line_numbers=line_numbers, now=now),
    )


def number_lines(document: np.ndarray) -> np.ndarray:
    """1, 2, 3 … within each run of the same document; worked: [7, 7, 9] → [1, 2, 1]."""
    place = np.arange(len(document))
    starts = np.concatenate([[True], document[1:] != document[:-1]])[: len(document)]
    return place - np.maximum.accumulate(np.where(starts, place, 0)) + 1


def _copy_orders(world: DemoWorld, keys: Keys, *, ids: np.ndarray, now: datetime) -> None:
    orders, count = world.orders, len(world.orders)
    currency = [channel.currency for channel in world.channels]
    copy_rows(
        SalesOrder,
        {
            "id": whole(ids),
            "channel": whole(keys.channels[orders["channel"]]),
            "external_id": texts(orders["number"].tolist()),
            "status": (_STATUS[status] for status in orders["status"].tolist()),
            "is_history": constant("f", count),
            "customer_reference": texts(orders["customer"].tolist()),
            "ship_to_country": texts(orders["country"].tolist()),
            "currency": (currency[channel] for channel in orders["channel"].tolist()),
            "ordered_at": moments(orders["ordered_at"]),
            "recorded_at": constant(now.isoformat(), count),
        },
    )


def _copy_lines(
    world: DemoWorld, keys: Keys, *, ids: np.ndarray, order_ids: np.ndarray, line_numbers: np.ndarray
) -> None:
    lines = world.order_lines
    status = world.orders["status"][lines["order"]]
    returned = np.zeros(len(lines), dtype=np.int64)
    returned[world.returns["line"]] = world.returns["quantity"]
    copy_rows(
        SalesOrderLine,
        {
            "id": whole(ids),
            "order": whole(order_ids[lines["order"]]),
            "line_number": whole(line_numbers),
            "sku": whole(keys.skus[lines["sku"]]),
            "warehouse": whole(keys.warehouses[lines["warehouse"]]),
            "quantity": whole(lines["quantity"]),
            "unit_price": money(lines["unit_price_pence"]),
            "reserved_quantity": whole(np.where(status == "open", lines["quantity"], 0)),
            "shipped_quantity": whole(np.where(status == "shipped", lines["quantity"], 0)),
            "cancelled_quantity": whole(np.where(status == "cancelled", lines["quantity"], 0)),
            "returned_quantity": whole(returned),
        },
    )


def _copy_shipments(world: DemoWorld, keys: Keys, *, order_ids: np.ndarray) -> np.ndarray:
    """Every shipped order left as one shipment, numbered in the order of leaving; returns the number per order."""
    shipped = np.nonzero(world.orders["status"] == "shipped")[0]
    shipped = shipped[np.argsort(world.orders["shipped_at"][shipped], kind="stable")]
    numbers = [f"SH-{number:06d}" for number in range(1, len(shipped) + 1)]
    warehouse_of = np.zeros(len(world.orders), dtype=np.int64)
    warehouse_of[world.order_lines["order"][::-1]] = world.order_lines["warehouse"][::-1]  # that of the first line
    copy_rows(
        Shipment,
        {
            "id": whole(take_ids(Shipment, len(shipped))),
            "number": numbers,
            "key": (f"demo:{number}" for number in numbers),
            "order": whole(order_ids[shipped]),
            "warehouse": whole(keys.warehouses[warehouse_of[shipped]]),
            "carrier": constant("", len(shipped)),
            "tracking_code": constant("", len(shipped)),
            "shipped_at": moments(world.orders["shipped_at"][shipped]),
            "actor": nothing(len(shipped)),
        },
    )
    continue_sequence("warehouses_shipment_number", len(shipped))
    by_order = np.full(len(world.orders), "", dtype=f"U{len(numbers[-1])}")
    by_order[shipped] = numbers
    return by_order


def _copy_returns(
    world: DemoWorld, keys: Keys, *, line_ids: np.ndarray, line_numbers: np.ndarray, now: datetime
) -> list[str]:
    """One return for each line that came back; its number is the order's with R and the line."""
    returns = world.returns
    count = len(returns)
    lines = world.order_lines[returns["line"]]
    orders = world.orders[lines["order"]]
    numbers = [
        f"{order}-R{line}"
        for order, line in zip(orders["number"].tolist(), line_numbers[returns["line"]].tolist(), strict=True)
    ]
    ids = take_ids(SalesReturn, count)
    copy_rows(
        SalesReturn,
        {
            "id": whole(ids),
            "channel": whole(keys.channels[orders["channel"]]),
            "external_id": texts(numbers),
            "customer_reference": texts(orders["customer"].tolist()),
            "is_history": constant("f", count),
            "returned_at": moments(returns["received_at"]),
            "recorded_at": constant(now.isoformat(), count),
        },
    )
    copy_rows(
        SalesReturnLine,
        {
            "id": whole(take_ids(SalesReturnLine, count)),
            "sales_return": whole(ids),
            "line_number": constant(1, count),
            "sku": whole(keys.skus[returns["sku"]]),
            "order_line": whole(line_ids[returns["line"]]),
            "kind": constant(SalesReturnLine.Kind.RETURN, count),
            "quantity": whole(returns["quantity"]),
            "unit_price": money(lines["unit_price_pence"]),
            "is_restocked": flags(returns["is_restockable"]),
        },
    )
    return numbers
