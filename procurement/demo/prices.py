"""List prices of the demo company: per SKU and channel, with the one change that a third of the SKUs went through."""

from datetime import date, timedelta

import numpy as np

from procurement.demo.catalogue import Sku
from procurement.demo.demand import SkuTraits
from procurement.demo.partners import CHANNELS

CHANNEL_PRICE_FACTOR = (1.0, 1.04, 0.62)  # web and marketplace with VAT, wholesale without
PRICE_TYPE = np.dtype([("sku", "i2"), ("channel", "i1"), ("valid_from", "M8[D]"), ("unit_price_pence", "i4")])


def build_prices(skus: tuple[Sku, ...], traits: SkuTraits, start_day: date, days: int) -> tuple[np.ndarray, np.ndarray]:
    """List price SKU × channel × day in pence, and the same as a table of the days on which a price began."""
    present = np.array([sku.list_price_pence for sku in skus])[:, None] * np.array(CHANNEL_PRICE_FACTOR)[None, :]
    before = present * traits.price_change[:, None]
    present, before = (np.round(price / 5).astype(np.int64) * 5 for price in (present, before))
    is_before = np.arange(days)[None, :] < traits.price_change_day[:, None]
    table = np.where(is_before[:, None, :], before[:, :, None], present[:, :, None])
    rows = []
    for place, sku in enumerate(skus):
        first = sku.launched_on
        change = start_day + timedelta(days=int(traits.price_change_day[place]))
        changes = traits.price_change_day[place] >= 0 and change > first
        for channel in range(len(CHANNELS)):
            price = before[place, channel] if changes else present[place, channel]
            rows.append((place, channel, first, int(price)))
            if changes:
                rows.append((place, channel, change, int(present[place, channel])))
    return table, np.array(rows, dtype=PRICE_TYPE)
