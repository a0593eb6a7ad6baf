"""Orders of the demo company: the baskets that stock could serve, wholly or in part, and the returns that follow."""

from datetime import date

import numpy as np

from procurement.demo.baskets import Wanted, returned_quantity
from procurement.demo.local_time import HOUR, by_zone
from procurement.demo.partners import CHANNELS, WAREHOUSES
from procurement.demo.vocabulary import REGIONS

ORDER_TYPE = np.dtype(
    [
        ("number", "U12"), ("channel", "i1"), ("warehouse", "i1"), ("customer", "U10"), ("country", "U2"),
        ("region", "U24"), ("ordered_at", "M8[s]"), ("shipped_at", "M8[s]"), ("cancelled_at", "M8[s]"),
        ("status", "U9"),
    ]
)  # fmt: skip
ORDER_LINE_TYPE = np.dtype(
    [
        ("order", "i4"), ("sku", "i2"), ("warehouse", "i1"), ("wanted_quantity", "i4"), ("quantity", "i4"),
        ("unit_price_pence", "i4"),
    ]
)  # fmt: skip
RETURN_TYPE = np.dtype(
    [("line", "i4"), ("sku", "i2"), ("warehouse", "i1"), ("quantity", "i4"), ("received_at", "M8[s]"),
     ("is_restockable", "?")]
)  # fmt: skip


def build_orders(
    rng: np.random.Generator,
    *,
    wanted: Wanted,
    served: np.ndarray,
    unit_price: np.ndarray,
    start_day: date,
    history_days: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Orders in time order, their lines, and returns.

    A line that stock could not serve at all leaves no trace, and neither does an order without lines.
    """
    kept = np.nonzero((served > 0) | (wanted.cancelled & (wanted.day < history_days)))[0]
    basket, first, back = np.unique(wanted.basket[kept], return_index=True, return_inverse=True)
    head = kept[first]
    orders = np.zeros(len(basket), dtype=ORDER_TYPE)
    orders["channel"], orders["warehouse"] = wanted.channel[head], wanted.warehouse[head]
    orders["ordered_at"] = by_zone(
        [channel.time_zone for channel in CHANNELS], orders["channel"], wanted.day[head], wanted.second[head], start_day
    )
    _name_customers(rng, orders)
    _settle_orders(rng, orders, wanted=wanted, head=head, start_day=start_day, history_days=history_days)
    in_time = np.lexsort((basket, orders["ordered_at"]))
    rank = np.empty(len(in_time), dtype=np.int64)
    rank[in_time] = np.arange(len(in_time))
    orders = orders[in_time]
    for place, channel in enumerate(CHANNELS):
        mine = np.nonzero(orders["channel"] == place)[0]
        orders["number"][mine] = [f"{channel.code}-{100_001 + number}" for number in range(len(mine))]
    order_of_line = rank[back]
    arranged = np.lexsort((wanted.sku[kept], order_of_line))
    source = kept[arranged]
    lines = np.zeros(len(source), dtype=ORDER_LINE_TYPE)
    lines["order"] = order_of_line[arranged]
    lines["sku"], lines["warehouse"] = wanted.sku[source], wanted.warehouse[source]
    lines["wanted_quantity"] = wanted.quantity[source]
    lines["quantity"] = np.where(wanted.cancelled[source], wanted.quantity[source], served[source])
    lines["unit_price_pence"] = unit_price[wanted.sku[source], wanted.channel[source], wanted.day[source]]
    return orders, lines, _build_returns(lines, wanted, source, start_day, history_days)


def _name_customers(rng: np.random.Generator, orders: np.ndarray) -> None:
    """Few good customers and many rare ones; references only, no persons."""
    draw = rng.random(len(orders))
    who = np.select(
        [orders["channel"] == 0, orders["channel"] == 1], [18_000 * draw**1.7, 30_000 * draw], 85 * draw**1.5
    ).astype(int)
    prefix = [("C", "B", "A")[place] for place in orders["channel"].tolist()]
    orders["customer"] = [f"{letter}{number:05d}" for letter, number in zip(prefix, who.tolist(), strict=True)]
    for place, warehouse in enumerate(WAREHOUSES):
        mine = np.nonzero(orders["warehouse"] == place)[0]
        regions = REGIONS[warehouse.code]
        picked = rng.choice(len(regions), size=len(mine), p=[share for _, _, share in regions])
        orders["country"][mine] = np.array([country for country, _, _ in regions])[picked]
        orders["region"][mine] = np.array([region for _, region, _ in regions])[picked]


def _settle_orders(
    rng: np.random.Generator,
    orders: np.ndarray,
    *,
    wanted: Wanted,
    head: np.ndarray,
    start_day: date,
    history_days: int,
) -> None:
    zones = [warehouse.time_zone for warehouse in WAREHOUSES]
    packed = 14 * HOUR + rng.integers(0, 3 * HOUR, len(head))
    shipped_at = by_zone(zones, orders["warehouse"], wanted.ship_day[head], packed, start_day)
    cancelled = wanted.cancelled[head]
    is_open = ~cancelled & (wanted.ship_day[head] >= history_days)
    never = np.datetime64("NaT")
    orders["shipped_at"] = np.where(cancelled | is_open, never, shipped_at)
    orders["cancelled_at"] = np.where(
        cancelled, orders["ordered_at"] + rng.integers(240, 2700, len(head)).astype("m8[s]"), never
    )
    orders["status"] = np.select([cancelled, is_open], ["cancelled", "open"], "shipped")


def _build_returns(
    lines: np.ndarray, wanted: Wanted, source: np.ndarray, start_day: date, history_days: int
) -> np.ndarray:
    back = np.nonzero((wanted.return_day[source] >= 0) & (wanted.return_day[source] < history_days))[0]
    returns = np.zeros(len(back), dtype=RETURN_TYPE)
    origin = source[back]
    returns["line"], returns["sku"], returns["warehouse"] = back, wanted.sku[origin], wanted.warehouse[origin]
    returns["quantity"] = returned_quantity(lines["quantity"][back], wanted.return_share[origin])
    morning = 9 * HOUR + (wanted.return_share[origin] * 2 * HOUR).astype(np.int64)
    returns["received_at"] = by_zone(
        [warehouse.time_zone for warehouse in WAREHOUSES],
        wanted.warehouse[origin],
        wanted.return_day[origin],
        morning,
        start_day,
    )
    returns["is_restockable"] = wanted.restockable[origin]
    return returns[np.lexsort((returns["line"], returns["received_at"]))]
