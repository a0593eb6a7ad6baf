"""Documents that the simulated supply leaves behind: purchase orders, receipts and the stock movement ledger."""

from datetime import date

import numpy as np

from procurement.demo.local_time import HOUR, by_zone
from procurement.demo.partners import WAREHOUSES
from procurement.demo.supply import SupplyResult

MOVEMENT_KINDS = ("receipt", "sale", "return", "adjustment", "scrap")
RECEIPT, SALE, RETURN, ADJUSTMENT, SCRAP = range(5)

PURCHASE_ORDER_TYPE = np.dtype(
    [
        ("number", "U10"), ("supplier", "i1"), ("warehouse", "i1"), ("status", "U18"), ("ordered_at", "M8[s]"),
        ("confirmed_at", "M8[s]"), ("requested_on", "M8[D]"), ("promised_on", "M8[D]"), ("received_at", "M8[s]"),
        ("cancelled_at", "M8[s]"),
    ]
)  # fmt: skip
PURCHASE_LINE_TYPE = np.dtype(
    [("purchase_order", "i4"), ("sku", "i2"), ("quantity", "i4"), ("received_quantity", "i4"),
     ("open_quantity", "i4"), ("unit_cost_pence", "i4")]
)  # fmt: skip
RECEIPT_TYPE = np.dtype([("purchase_order", "i4"), ("received_at", "M8[s]")])
RECEIPT_LINE_TYPE = np.dtype([("receipt", "i4"), ("purchase_line", "i4"), ("quantity", "i4")])
MOVEMENT_TYPE = np.dtype(
    [("occurred_at", "M8[s]"), ("kind", "i1"), ("sku", "i2"), ("warehouse", "i1"), ("quantity", "i4"),
     ("reference", "i4")]
)  # fmt: skip


def build_purchases(
    supply: SupplyResult, *, start_day: date, history_days: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Purchase orders, their lines, receipts and receipt lines, as known at the end of the history."""
    log = supply.log
    heads = np.array(log.heads, dtype=np.int64)
    supplier, warehouse, ordered, confirmed, requested, promised, completed, cancelled = heads.T
    lines = np.zeros(len(log.lines), dtype=PURCHASE_LINE_TYPE)
    columns = zip(*log.lines, strict=True)
    lines["purchase_order"], lines["sku"], lines["quantity"], lines["unit_cost_pence"] = columns
    arrivals = np.array(sorted((r.day, r.po, r.line, r.quantity) for r in log.receipts), dtype=np.int64)
    received = np.bincount(arrivals[:, 2], arrivals[:, 3], len(lines)).astype(np.int64)
    is_cancelled = (cancelled >= 0) & (cancelled < history_days)
    is_done = ~is_cancelled & (cancelled < 0) & (completed < history_days)
    closed = (is_cancelled | is_done)[lines["purchase_order"]]
    lines["received_quantity"] = received
    lines["open_quantity"] = np.where(closed, 0, np.maximum(lines["quantity"] - received, 0))
    short = np.bincount(lines["purchase_order"], lines["received_quantity"] < lines["quantity"], len(heads)) > 0
    some = np.bincount(lines["purchase_order"], received, len(heads)) > 0
    is_confirmed = confirmed < history_days
    receipts, receipt_lines = _build_receipts(arrivals, warehouse, start_day)
    orders = np.zeros(len(heads), dtype=PURCHASE_ORDER_TYPE)
    orders["number"] = [f"PO-{10_001 + number}" for number in range(len(heads))]
    orders["supplier"], orders["warehouse"] = supplier, warehouse
    orders["status"] = np.select(
        [is_cancelled, is_done & short, is_done, some, is_confirmed],
        ["cancelled", "closed_short", "received", "partially_received", "confirmed"],
        "sent",
    )
    spread = np.arange(len(heads)) * 197 % (2 * HOUR)
    never = np.datetime64("NaT")
    orders["ordered_at"] = _local(warehouse, ordered, 14 * HOUR + spread, start_day)
    answer = _local(warehouse, np.minimum(confirmed, history_days), 16 * HOUR + 600 + spread // 2, start_day)
    is_confirmed &= ~is_cancelled
    first_receipt = np.full(len(heads), np.datetime64("9999-01-01", "s"))
    first_receipt[receipts["purchase_order"][::-1]] = receipts["received_at"][::-1]
    answer = np.minimum(answer, first_receipt - np.timedelta64(HOUR, "s"))  # nobody confirms what has arrived
    orders["confirmed_at"] = np.where(is_confirmed, answer, never)
    first = np.datetime64(start_day, "D")
    orders["requested_on"] = first + requested
    orders["promised_on"] = np.where(is_confirmed, first + promised, never)
    last_receipt = np.full(len(heads), never, dtype="M8[s]")
    last_receipt[receipts["purchase_order"]] = receipts["received_at"]  # in time order: the last one stays
    orders["received_at"] = np.where(is_done, last_receipt, never)
    stopped = _local(warehouse, np.maximum(cancelled, 0), np.full(len(heads), 11 * HOUR), start_day)
    orders["cancelled_at"] = np.where(is_cancelled, stopped, never)
    return orders, lines, receipts, receipt_lines


def _build_receipts(arrivals: np.ndarray, warehouse: np.ndarray, start_day: date) -> tuple[np.ndarray, np.ndarray]:
    """One receipt for what one purchase order delivered on one day; `arrivals` rows stand by day, then order."""
    day, po, line, quantity = arrivals.T
    starts = np.concatenate([[True], (day[1:] != day[:-1]) | (po[1:] != po[:-1])])
    number = np.cumsum(starts) - 1
    receipts = np.zeros(int(starts.sum()), dtype=RECEIPT_TYPE)
    receipts["purchase_order"] = po[starts]
    receipts["received_at"] = _local(
        warehouse[po[starts]], day[starts], 7 * HOUR + po[starts] * 431 % (2 * HOUR), start_day
    )
    by_time = np.lexsort((receipts["purchase_order"], receipts["received_at"]))
    rank = np.empty(len(by_time), dtype=np.int64)
    rank[by_time] = np.arange(len(by_time))
    lines = np.zeros(len(arrivals), dtype=RECEIPT_LINE_TYPE)
    lines["receipt"], lines["purchase_line"], lines["quantity"] = rank[number], line, quantity
    return receipts[by_time], lines[np.lexsort((lines["purchase_line"], lines["receipt"]))]


def _local(warehouse: np.ndarray, day: np.ndarray, second: np.ndarray, start_day: date) -> np.ndarray:
    return by_zone([site.time_zone for site in WAREHOUSES], warehouse, day, second, start_day)


def build_movements(
    *,
    supply: SupplyResult,
    orders: np.ndarray,
    order_lines: np.ndarray,
    returns: np.ndarray,
    purchases: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    start_day: date,
) -> np.ndarray:
    """All stock movements in time order; `reference` is the row of the receipt line, order line or return (else −1)."""
    purchase_orders, purchase_lines, receipts, receipt_lines = purchases
    shipped = np.nonzero(orders["status"][order_lines["order"]] == "shipped")[0]
    back = np.nonzero(returns["is_restockable"])[0]
    booked = supply.adjustments
    counts = (len(receipt_lines), len(shipped), len(back), len(booked))
    parts = [np.zeros(count, dtype=MOVEMENT_TYPE) for count in counts]
    arrived, sold, returned, counted = parts

    bought = purchase_lines[receipt_lines["purchase_line"]]
    arrived["occurred_at"] = receipts["received_at"][receipt_lines["receipt"]]
    arrived["sku"], arrived["warehouse"] = bought["sku"], purchase_orders["warehouse"][bought["purchase_order"]]
    arrived["quantity"], arrived["kind"] = receipt_lines["quantity"], RECEIPT
    arrived["reference"] = np.arange(len(receipt_lines))

    lines = order_lines[shipped]
    sold["occurred_at"] = orders["shipped_at"][lines["order"]]
    sold["sku"], sold["warehouse"], sold["quantity"] = lines["sku"], lines["warehouse"], -lines["quantity"]
    sold["kind"], sold["reference"] = SALE, shipped

    returned["occurred_at"] = returns["received_at"][back]
    for name in ("sku", "warehouse", "quantity"):
        returned[name] = returns[name][back]
    returned["kind"], returned["reference"] = RETURN, back

    day, key, change, breakage = booked.T
    site = key % len(WAREHOUSES)
    counted["occurred_at"] = _local(site, day, 12 * HOUR + key % 1800, start_day)
    counted["sku"], counted["warehouse"], counted["quantity"] = key // len(WAREHOUSES), site, change
    counted["kind"], counted["reference"] = np.where(breakage == 1, SCRAP, ADJUSTMENT), -1
    movements = np.concatenate(parts)
    return movements[np.lexsort((movements["reference"], movements["kind"], movements["occurred_at"]))]
