"""The demo company as one value: `generate(seed, end_day)` tells two years of Harbour & Hearth and keeps the truth.

Entity tuples name each other by code; the large tables are structured arrays whose `sku`, `channel`, `warehouse`,
`supplier`, `order`, … columns are row numbers into those tuples and tables. Times are UTC (`M8[s]`), money is pence,
quantities are whole units. Days on the last axis of an array count from `start_day`; demand days are the channel's
local days. Nothing here reads a clock.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from procurement.demo import baskets, ledger, orders, partners, sourcing, supply
from procurement.demo import demand as truth
from procurement.demo.catalogue import Category, Product, Sku, build_catalogue
from procurement.demo.events import CalendarEvent, build_events, open_days
from procurement.demo.partners import Channel, PriceBreak, Route, Supplier, SupplierItem, Warehouse
from procurement.demo.prices import build_prices
from procurement.demo.streams import random_stream
from procurement.demo.vocabulary import THEMES

HISTORY_DAYS = 731  # two years, one of them possibly a leap year
FUTURE_DAYS = 91  # what customers will want after the history, to judge forecasts against
LOOK_AHEAD_DAYS = 130
MAXIMUM_HORIZON = HISTORY_DAYS + LOOK_AHEAD_DAYS

STOCKOUT_TYPE = np.dtype([("sku", "i2"), ("warehouse", "i1"), ("day", "M8[D]"), ("lost_quantity", "i4")])


@dataclass(frozen=True, slots=True)
class DemoWorld:
    seed: int
    start_day: date
    end_day: date
    categories: tuple[Category, ...]
    products: tuple[Product, ...]
    skus: tuple[Sku, ...]
    channels: tuple[Channel, ...]
    warehouses: tuple[Warehouse, ...]
    routes: tuple[Route, ...]
    suppliers: tuple[Supplier, ...]
    supplier_items: tuple[SupplierItem, ...]
    price_breaks: tuple[PriceBreak, ...]
    events: tuple[CalendarEvent, ...]
    ranged: np.ndarray  # bool, SKU × warehouse: is it kept there at all
    prices: np.ndarray  # PRICE_TYPE
    orders: np.ndarray  # orders.ORDER_TYPE
    order_lines: np.ndarray  # orders.ORDER_LINE_TYPE
    returns: np.ndarray  # orders.RETURN_TYPE
    purchase_orders: np.ndarray  # ledger.PURCHASE_ORDER_TYPE
    purchase_lines: np.ndarray  # ledger.PURCHASE_LINE_TYPE
    receipts: np.ndarray  # ledger.RECEIPT_TYPE
    receipt_lines: np.ndarray  # ledger.RECEIPT_LINE_TYPE
    movements: np.ndarray  # ledger.MOVEMENT_TYPE
    opening_stock: np.ndarray  # SKU × warehouse, at the start of start_day
    on_hand: np.ndarray  # SKU × warehouse, at the end of end_day; = opening + Σ movements
    reserved: np.ndarray  # SKU × warehouse: units of open orders, still part of on_hand
    on_order: np.ndarray  # SKU × warehouse: open quantities of purchase orders
    old_reorder_point: np.ndarray  # SKU × warehouse: the old planner's, 0 where no longer bought
    stockouts: np.ndarray  # STOCKOUT_TYPE
    available_at_close: np.ndarray  # SKU × warehouse × day
    true_demand: np.ndarray  # SKU × channel × warehouse × day, what was wanted (without cancelled orders)
    served_demand: np.ndarray  # the same shape, ≤ true_demand
    future_demand: np.ndarray  # SKU × channel × warehouse × FUTURE_DAYS
    expected_demand: np.ndarray  # mean units, the same axes over history and future, before unforeseeable noise

    @property
    def lost_demand(self) -> np.ndarray:
        return self.true_demand - self.served_demand


def generate(seed: int, end_day: date) -> DemoWorld:
    """Two years ending on `end_day` (the day before "today"); the same arguments give the same company, bit by bit."""
    start_day = end_day - timedelta(days=HISTORY_DAYS - 1)
    catalogue = build_catalogue(random_stream(seed, "catalogue"), start_day=start_day, end_day=end_day)
    skus = catalogue.skus
    case_units = {product.code: product.case_units for product in catalogue.products}
    traits = truth.draw_traits(random_stream(seed, "traits"), skus=skus, case_units=case_units)
    suppliers = partners.build_suppliers()
    items, breaks = partners.build_supplier_items(
        random_stream(seed, "supplier items"),
        skus=skus,
        case_units=case_units,
        suppliers=suppliers,
        units_per_day=traits.units_per_day,
    )
    skus = _with_origin(skus, suppliers, items)
    events = build_events(
        random_stream(seed, "events"),
        first_day=start_day - timedelta(days=30),
        last_day=end_day + timedelta(days=LOOK_AHEAD_DAYS),
        categories=catalogue.categories,
        skus=skus,
    )
    horizon = HISTORY_DAYS + LOOK_AHEAD_DAYS
    season, life = truth.build_season(random_stream(seed, "season"), skus=skus, start_day=start_day, days=horizon)
    discount = truth.promotion_discounts(events, skus=skus, start_day=start_day, days=horizon)
    expected_rate, rate = truth.line_rates(
        random_stream(seed, "rates"),
        traits=traits,
        season=season,
        life=life,
        discount=discount,
        events=events,
        start_day=start_day,
    )
    asked_days = HISTORY_DAYS + FUTURE_DAYS
    lines = truth.draw_lines(random_stream(seed, "lines"), traits=traits, rate=rate[:, :, :asked_days])
    working_days = open_days(events, start_day=start_day, days=horizon, weekdays=5)
    return_rate = {theme.code: theme.return_percent for theme in THEMES}
    wanted = baskets.fill_baskets(
        random_stream(seed, "baskets"),
        lines=lines,
        return_percent=np.array([return_rate[sku.category] for sku in skus]),
        shipping_days=open_days(events, start_day=start_day, days=horizon, weekdays=6),
        working_days=working_days,
        history_days=HISTORY_DAYS,
    )
    sources = sourcing.index_sourcing(
        sku_codes=[sku.code for sku in skus], suppliers=suppliers, items=items, breaks=breaks
    )
    launch_day, last_buying_day = _buying_window(skus, start_day)
    supplied = supply.SupplySimulation(
        random_stream(seed, "supply"),
        traits=traits,
        season=season,
        wanted=wanted,
        suppliers=suppliers,
        sourcing=sources,
        buy_from_day=launch_day,
        buy_until_day=last_buying_day,
        working_days=working_days,
        history_days=HISTORY_DAYS,
        first_weekday=start_day.weekday(),
    ).run()
    list_price, prices = build_prices(skus, traits, start_day, horizon)
    sold_orders, order_lines, returns = orders.build_orders(
        random_stream(seed, "orders"),
        wanted=wanted,
        served=supplied.served,
        unit_price=(list_price * (100 - discount) + 50) // 100,
        start_day=start_day,
        history_days=HISTORY_DAYS,
    )
    purchases = ledger.build_purchases(supplied, start_day=start_day, history_days=HISTORY_DAYS)
    movements = ledger.build_movements(
        supply=supplied,
        orders=sold_orders,
        order_lines=order_lines,
        returns=returns,
        purchases=purchases,
        start_day=start_day,
    )
    shape = (len(skus), len(partners.WAREHOUSES))
    cube = (len(skus), len(partners.CHANNELS), len(partners.WAREHOUSES))
    asked = _cube(wanted, np.where(wanted.cancelled, 0, wanted.quantity), (*cube, asked_days))
    served = _cube(wanted, supplied.served, (*cube, asked_days))[..., :HISTORY_DAYS]
    true_demand = asked[..., :HISTORY_DAYS]
    opening = supplied.opening.reshape(shape)
    open_lines = order_lines[sold_orders["status"][order_lines["order"]] == "open"]
    ranged = traits.route.sum(axis=1) > 0
    closing = supplied.available_at_close.reshape(*shape, HISTORY_DAYS)
    expected = expected_rate[:, :, :asked_days] * traits.units_per_line[:, :, None]
    return DemoWorld(
        seed=seed,
        start_day=start_day,
        end_day=end_day,
        categories=catalogue.categories,
        products=catalogue.products,
        skus=skus,
        channels=partners.CHANNELS,
        warehouses=partners.WAREHOUSES,
        routes=partners.ROUTES,
        suppliers=suppliers,
        supplier_items=items,
        price_breaks=breaks,
        events=events,
        ranged=ranged,
        prices=prices,
        orders=sold_orders,
        order_lines=order_lines,
        returns=returns,
        purchase_orders=purchases[0],
        purchase_lines=purchases[1],
        receipts=purchases[2],
        receipt_lines=purchases[3],
        movements=movements,
        opening_stock=opening,
        on_hand=opening + _by_stock(movements, shape),
        reserved=_by_stock(open_lines, shape),
        on_order=supplied.on_order.reshape(shape),
        old_reorder_point=supplied.reorder_point.reshape(shape),
        stockouts=_stockouts(closing, true_demand - served, ranged, season.listed, start_day),
        available_at_close=closing,
        true_demand=true_demand,
        served_demand=served,
        future_demand=asked[..., HISTORY_DAYS:],
        expected_demand=np.einsum("scw,scd->scwd", traits.route, expected).astype(np.float32),
    )


def _with_origin(
    skus: tuple[Sku, ...], suppliers: tuple[Supplier, ...], items: tuple[SupplierItem, ...]
) -> tuple[Sku, ...]:
    country = {supplier.code: supplier.country for supplier in suppliers}
    origin = {item.sku: country[item.supplier] for item in items if item.is_preferred}
    return tuple(replace(sku, country_of_origin=origin[sku.code]) for sku in skus)


def _buying_window(skus: tuple[Sku, ...], start_day: date) -> tuple[np.ndarray, np.ndarray]:
    first = np.array([max((sku.launched_on - start_day).days, 0) for sku in skus])
    never = MAXIMUM_HORIZON + 1000
    last = [(sku.discontinued_on - start_day).days if sku.discontinued_on else never for sku in skus]
    return first, np.array(last) - 20


def _cube(wanted: baskets.Wanted, quantity: np.ndarray, shape: tuple[int, int, int, int]) -> np.ndarray:
    flat = np.ravel_multi_index((wanted.sku, wanted.channel, wanted.warehouse, wanted.day), shape)
    return np.bincount(flat, quantity, int(np.prod(shape))).astype(np.int32).reshape(shape)


def _by_stock(table: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    key = table["sku"].astype(np.int64) * shape[1] + table["warehouse"]
    return np.bincount(key, table["quantity"], shape[0] * shape[1]).astype(np.int64).reshape(shape)


def _stockouts(
    closing: np.ndarray, lost: np.ndarray, ranged: np.ndarray, listed: np.ndarray, start_day: date
) -> np.ndarray:
    """A stock-out day: a listed SKU ends the day with nothing to sell, or turned a customer away."""
    lost_units = lost.sum(axis=1)
    out = ((closing == 0) | (lost_units > 0)) & ranged[:, :, None] & listed[:, None, : closing.shape[2]]
    sku, warehouse, day = np.nonzero(out)
    table = np.zeros(len(sku), dtype=STOCKOUT_TYPE)
    table["sku"], table["warehouse"] = sku, warehouse
    table["day"] = np.datetime64(start_day, "D") + day
    table["lost_quantity"] = lost_units[sku, warehouse, day]
    return table
