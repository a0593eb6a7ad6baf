"""The demo company's stock adds up to the unit, and its end state gives a planner something to do."""

import numpy as np

from procurement.demo.ledger import MOVEMENT_KINDS, RECEIPT, RETURN, SALE

OPEN = ["sent", "confirmed", "partially_received"]


def stock_key(table):
    return table["sku"].astype(int) * 3 + table["warehouse"]


def test_opening_stock_and_movements_give_the_final_stock(demo):
    moved = np.bincount(stock_key(demo.movements), demo.movements["quantity"], 900).astype(int).reshape(300, 3)

    assert (demo.opening_stock + moved == demo.on_hand).all()
    assert (demo.on_hand >= demo.reserved).all()
    assert (demo.on_hand - demo.reserved == demo.available_at_close[..., -1]).all()


def test_stock_is_never_negative_after_any_single_movement(demo):
    moves = demo.movements
    order = np.argsort(stock_key(moves), kind="stable")
    keys, change = stock_key(moves)[order], moves["quantity"][order].astype(int)
    running = np.cumsum(change)
    first = np.concatenate([[True], keys[1:] != keys[:-1]])
    before = np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))

    level = running - (running - change)[before] + demo.opening_stock.ravel()[keys]

    assert level.min() >= 0


def test_movements_stand_in_time_order_and_carry_the_right_sign(demo):
    moves = demo.movements

    assert (np.diff(moves["occurred_at"]).astype(int) >= 0).all()
    assert (moves["quantity"][moves["kind"] == SALE] < 0).all()
    assert (moves["quantity"][np.isin(moves["kind"], [RECEIPT, RETURN])] > 0).all()
    assert sorted(set(moves["kind"].tolist())) == list(range(len(MOVEMENT_KINDS)))


def test_every_movement_names_its_document(demo):
    moves = demo.movements
    sales, receipts = moves[moves["kind"] == SALE], moves[moves["kind"] == RECEIPT]

    lines = demo.order_lines[sales["reference"]]
    arrived = demo.receipt_lines[receipts["reference"]]

    assert (lines["sku"] == sales["sku"]).all()
    assert (lines["quantity"] == -sales["quantity"]).all()
    assert (demo.purchase_lines["sku"][arrived["purchase_line"]] == receipts["sku"]).all()
    assert (arrived["quantity"] == receipts["quantity"]).all()


def test_cancelled_and_open_orders_have_not_moved_any_stock(demo):
    sales = demo.movements[demo.movements["kind"] == SALE]
    status = demo.orders["status"][demo.order_lines["order"][sales["reference"]]]
    open_lines = demo.order_lines[demo.orders["status"][demo.order_lines["order"]] == "open"]

    assert set(status.tolist()) == {"shipped"}
    assert np.bincount(stock_key(open_lines), open_lines["quantity"], 900).sum() == demo.reserved.sum()
    assert demo.orders["ordered_at"][open_lines["order"]].min() >= np.datetime64(demo.end_day, "s") - 4 * 86_400


def test_orders_have_one_to_five_lines_and_never_the_same_sku_twice(demo):
    lines = demo.order_lines
    sizes = np.bincount(lines["order"], minlength=len(demo.orders))
    pairs = lines["order"].astype(np.int64) * 300 + lines["sku"]

    assert (sizes.min(), sizes.max()) == (1, 5)
    assert len(np.unique(pairs)) == len(pairs)
    assert 60_000 <= len(demo.orders) <= 90_000
    assert 120_000 <= len(lines) <= 180_000


def test_returns_follow_their_shipment_by_three_days_or_more_and_some_cannot_be_sold_again(demo):
    back = demo.returns
    shipped_at = demo.orders["shipped_at"][demo.order_lines["order"][back["line"]]]

    delay_days = (back["received_at"].astype("M8[D]") - shipped_at.astype("M8[D]")).astype(int)

    assert delay_days.min() >= 3
    assert 0.02 < len(back) / len(demo.order_lines) < 0.06
    assert 0.10 < 1 - back["is_restockable"].mean() < 0.30
    assert (back["quantity"] <= demo.order_lines["quantity"][back["line"]]).all()


def test_no_receipt_precedes_its_purchase_order(demo):
    ordered_at = demo.purchase_orders["ordered_at"][demo.receipts["purchase_order"]]

    assert (demo.receipts["received_at"] > ordered_at).all()


def test_receipts_add_up_to_the_received_quantities_in_at_most_two_deliveries(demo):
    lines = demo.purchase_lines
    received = np.bincount(demo.receipt_lines["purchase_line"], demo.receipt_lines["quantity"], len(lines))

    assert (received == lines["received_quantity"]).all()
    assert np.bincount(demo.receipts["purchase_order"]).max() == 2
    assert 900 <= len(demo.purchase_orders) <= 1500


def test_what_is_on_order_is_what_open_purchase_orders_still_owe(demo):
    lines = demo.purchase_lines
    warehouse = demo.purchase_orders["warehouse"][lines["purchase_order"]]
    owed = np.bincount(lines["sku"].astype(int) * 3 + warehouse, lines["open_quantity"], 900).astype(int)
    is_open = np.isin(demo.purchase_orders["status"][lines["purchase_order"]], OPEN)

    assert (owed.reshape(300, 3) == demo.on_order).all()
    assert (lines["open_quantity"][~is_open] == 0).all()


def test_over_receipts_stay_within_the_tolerance_of_the_supplier(demo):
    lines = demo.purchase_lines
    supplier = demo.purchase_orders["supplier"][lines["purchase_order"]]
    tolerance = np.array([s.over_receipt_tolerance_percent for s in demo.suppliers])[supplier]

    assert (lines["received_quantity"] <= lines["quantity"] * (100 + tolerance) // 100).all()


def test_actual_lead_times_scatter_as_the_suppliers_gamma_says(demo):
    heads = demo.purchase_orders
    done = heads["status"] == "received"
    days = (heads["received_at"].astype("M8[D]") - heads["ordered_at"].astype("M8[D]")).astype(int)
    spread = {}
    for place, supplier in enumerate(demo.suppliers):
        own = days[done & (heads["supplier"] == place)]
        spread[supplier.code] = float(own.std() / own.mean())

    assert spread["AEV"] > 0.35
    assert spread["PNM"] < spread["AEV"]


def test_stock_runs_out_on_three_to_six_percent_of_the_days(demo):
    listed = 0
    for place, sku in enumerate(demo.skus):
        first = max(sku.launched_on, demo.start_day)
        last = min(sku.discontinued_on or demo.end_day, demo.end_day)
        listed += ((last - first).days + 1) * int(demo.ranged[place].sum())

    assert 0.03 <= len(demo.stockouts) / listed <= 0.06


def test_the_end_state_gives_a_planner_something_to_do(demo):
    available = demo.available_at_close[..., -1]
    below = (available + demo.on_order < demo.old_reorder_point).any(axis=1)
    heads = demo.purchase_orders
    is_open = np.isin(heads["status"], OPEN)
    late = is_open & (heads["promised_on"] <= np.datetime64(demo.end_day))
    out_now = (available == 0) & demo.ranged & (demo.old_reorder_point > 0)

    assert 25 <= below.sum() <= 45
    assert late.sum() >= 3
    assert (heads["status"] == "sent").sum() >= 1
    assert (heads["status"] == "partially_received").sum() >= 1
    assert out_now.sum() >= 3
