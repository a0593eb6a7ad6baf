"""Baskets of the demo company: lines wanted in one channel, warehouse and day become orders people want to place."""

from dataclasses import dataclass

import numpy as np

from procurement.demo.local_time import HOUR
from procurement.demo.partners import CHANNELS, WAREHOUSES

MEAN_BASKET = (2.3, 1.6, 4.5)  # lines per order before the cap, per channel
LARGEST_BASKET = 5
CANCELLED_SHARE = 0.018
MISTAKEN_BULK_ORDERS = 5
SHIP_BEFORE_HOUR = 13


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


def returned_quantity(quantity: np.ndarray, share: np.ndarray) -> np.ndarray:
    """How many of the units of a returned line come back: at least one, at most all."""
    return np.maximum(np.ceil(quantity * share).astype(np.int64), 1)
