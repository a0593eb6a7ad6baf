"""Orders of the demo company: wanted lines become baskets, and what stock could serve becomes orders and returns."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from procurement.demo.partners import CHANNELS, WAREHOUSES
from procurement.demo.vocabulary import REGIONS

HOUR = 3600
MEAN_BASKET = (2.3, 1.6, 4.5)  # lines per order before the cap, per channel
LARGEST_BASKET = 5
CANCELLED_SHARE = 0.018
MISTAKEN_BULK_ORDERS = 5
SHIP_BEFORE_HOUR = 13

ORDER_TYPE = np.dtype(
    [
        ("number", "U12"), ("channel", "i1"), ("warehouse", "i1"), ("customer", "U10"), ("country", "U2"),
        ("region", "U24"), ("ordered_at", "M8[s]"), ("shipped_at", "M8[s]"), ("cancelled_at", "M8[s]"), ("status", "U9"),
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every line that customers wanted, ordered by day, stock key and time; arrays of equal length.

    `key` = sku × 3 + warehouse. `cancelled` lines are orders withdrawn before shipping: they never touch stock and
    are not demand. `return_day` is −1 unless the buyer will send the line back.
    """

    basket: np.ndarray
    sku: np.ndarray
    channel: np.ndarray
    warehouse: np.ndarray
    day: np.ndarray
    quantity: np.ndarray
    second: np.ndarray
    cancelled: np.ndarray
    ship_day: np.ndarray
    return_day: np.ndarray
    return_share: np.ndarray
    restockable: np.ndarray

    @property
    def key(self) -> np.ndarray:
        return self.sku * len(WAREHOUSES) + self.warehouse


def fill_baskets(
    rng: np.random.Generator,
    *,
    lines: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    return_percent: np.ndarray,
    shipping_days: np.ndarray,
    working_days: np.ndarray,
    history_days: int,
) -> Wanted:
    """Group lines of one channel, warehouse and day into baskets of 1–5 and draw their time, cancellation and returns.

    `shipping_days` and `working_days` (warehouse × day) hold the next day on which a warehouse ships and receives.
    """
    sku, channel, warehouse, day, quantity = lines
    order = np.lexsort((rng.random(len(sku)), warehouse, channel, day))
    sku, channel, warehouse, day, quantity = (column[order] for column in (sku, channel, warehouse, day, quantity))
    basket = _number_baskets(rng, sku=sku, channel=channel, warehouse=warehouse, day=day)
    total = int(basket.max()) + 1
    basket_channel = np.zeros(total, dtype=np.int64)
    basket_channel[basket] = channel
    basket_day = np.zeros(total, dtype=np.int64)
    basket_day[basket] = day
    second = _draw_seconds(rng, basket_channel)[basket]
    cancelled = rng.random(total) < CANCELLED_SHARE
    cancelled &= basket_day < history_days
    mistaken = rng.choice(np.nonzero((basket_channel == 2) & (basket_day < history_days))[0], MISTAKEN_BULK_ORDERS)
    cancelled[mistaken] = True
    quantity = np.where(np.isin(basket, mistaken), quantity * 100, quantity)
    ship_day = shipping_days[warehouse, day + (second >= SHIP_BEFORE_HOUR * HOUR)]
    returned = rng.random(len(sku)) < return_percent[sku] / 100 * np.array([1.15, 0.95, 0.3])[channel]
    last = working_days.shape[1] - 1
    arrival = np.minimum(ship_day + rng.integers(3, 26, len(sku)), last)
    return_day = np.where(returned & ~cancelled[basket], working_days[warehouse, arrival], -1)
    columns = {
        "basket": basket,
        "sku": sku,
        "channel": channel,
        "warehouse": warehouse,
        "day": day,
        "quantity": quantity,
        "second": second,
        "cancelled": cancelled[basket],
        "ship_day": ship_day,
        "return_day": return_day,
        "return_share": rng.uniform(0, 1, len(sku)),
        "restockable": rng.random(len(sku)) < 0.82,
    }
    by_stock = np.lexsort((basket, second, sku * len(WAREHOUSES) + warehouse, day))
    return Wanted(**{name: column[by_stock] for name, column in columns.items()})


def _number_baskets(
    rng: np.random.Generator, *, sku: np.ndarray, channel: np.ndarray, warehouse: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """Runs of lines; a run ends by chance, at the cap, or where the cell changes; a SKU twice opens its own basket."""
    cell = (day * len(CHANNELS) + channel) * len(WAREHOUSES) + warehouse
    starts = rng.random(len(sku)) < 1 / np.array(MEAN_BASKET)[channel]
    starts[0] = True
    starts[1:] |= cell[1:] != cell[:-1]
    positions = np.arange(len(sku))
    run = positions - np.maximum.accumulate(np.where(starts, positions, 0))
    starts |= run % LARGEST_BASKET == 0
    basket = np.cumsum(starts) - 1
    order = np.lexsort((positions, sku, basket))
    again = np.zeros(len(sku), dtype=bool)
    again[order[1:]] = (basket[order[1:]] == basket[order[:-1]]) & (sku[order[1:]] == sku[order[:-1]])
    basket[again] = basket.max() + 1 + np.arange(int(again.sum()))
    return basket


def _draw_seconds(rng: np.random.Generator, channel: np.ndarray) -> np.ndarray:
    """Second of the channel's local day: noon and evening peaks in the shops, office hours in wholesale."""
    evening = rng.random(len(channel)) < np.array([0.55, 0.62, 0.0])[channel]
    hour = np.where(
        evening,
        rng.normal(20.2, 1.6, len(channel)),
        rng.normal(12.5, 3.0, len(channel)),
    )
    office = 9 + 7.5 * rng.beta(2, 2.4, len(channel))
    hour = np.where(channel == 2, office, hour) % 24
    return np.minimum((hour * HOUR).astype(np.int64), 24 * HOUR - 1)


def to_utc(*, day: np.ndarray, second: np.ndarray, zone: str, start_day: date) -> np.ndarray:
    """Local day and second to UTC; on the two days a year when clocks change, the change is before this hour or not."""
    tz = ZoneInfo(zone)
    length = int(day.max()) + 1 if len(day) else 0
    morning, noon, turn = (np.zeros(length, dtype=np.int64) for _ in range(3))
    for place in range(length):
        midnight = datetime.combine(start_day + timedelta(days=place), datetime.min.time(), tzinfo=tz)
        before, after = midnight.utcoffset(), midnight.replace(hour=12).utcoffset()
        assert before is not None and after is not None  # noqa: S101 - a zone always has an offset
        morning[place], noon[place] = before.total_seconds(), after.total_seconds()
        turn[place] = HOUR + min(morning[place], noon[place])  # clocks change at 01:00 UTC in all of Europe
    offset = np.where(second < turn[day], morning[day], noon[day])
    return np.datetime64(start_day, "s") + (day * 24 * HOUR + second - offset).astype("m8[s]")


def build_orders(
    rng: np.random.Generator,
    *,
    wanted: Wanted,
    served: np.ndarray,
    unit_price: np.ndarray,
    start_day: date,
    history_days: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Orders, their lines, returns, and for each order line its place in `wanted`; orders stand in time order.

    A line that stock could not serve at all leaves no trace, and neither does an order without lines.
    """
    kept = np.nonzero((served > 0) | (wanted.cancelled & (wanted.day < history_days)))[0]
    basket, first, back = np.unique(wanted.basket[kept], return_index=True, return_inverse=True)
    head = kept[first]
    orders = np.zeros(len(basket), dtype=ORDER_TYPE)
    orders["channel"], orders["warehouse"] = wanted.channel[head], wanted.warehouse[head]
    orders["ordered_at"] = _by_zone(
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
    lines["order"], lines["sku"], lines["warehouse"] = order_of_line[arranged], wanted.sku[source], wanted.warehouse[source]
    lines["wanted_quantity"] = wanted.quantity[source]
    lines["quantity"] = np.where(wanted.cancelled[source], wanted.quantity[source], served[source])
    lines["unit_price_pence"] = unit_price[wanted.sku[source], wanted.channel[source], wanted.day[source]]
    return orders, lines, _build_returns(lines, wanted, source, start_day, history_days), source


def _by_zone(zones: list[str], which: np.ndarray, day: np.ndarray, second: np.ndarray, start_day: date) -> np.ndarray:
    moment = np.zeros(len(day), dtype="M8[s]")
    for place, zone in enumerate(zones):
        mine = which == place
        moment[mine] = to_utc(day=day[mine], second=second[mine], zone=zone, start_day=start_day)
    return moment


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
    shipped_at = _by_zone(zones, orders["warehouse"], wanted.ship_day[head], packed, start_day)
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
    returns["received_at"] = _by_zone(
        [warehouse.time_zone for warehouse in WAREHOUSES],
        wanted.warehouse[origin],
        wanted.return_day[origin],
        morning,
        start_day,
    )
    returns["is_restockable"] = wanted.restockable[origin]
    return returns[np.lexsort((returns["line"], returns["received_at"]))]


def returned_quantity(quantity: np.ndarray, share: np.ndarray) -> np.ndarray:
    """How many of the units of a returned line come back: at least one, at most all."""
    return np.maximum(np.ceil(quantity * share).astype(np.int64), 1)
