"""What was really paid for a SKU, day by day, as its order lines say."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from forecasting.selectors.copied import copied
from forecasting.selectors.series import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def paid_prices(pairs: Sequence[Pair], *, first: date, until: date) -> "NDArray[np.float64]":
    """(n, T) price paid a unit of the pair's SKU in all channels, first … until: of a day the mean of its lines, each
    weighted by its units; without a sale that of the day before; NaN before the first. One query.

    3 at 9.00 and 1 at 7.00 on one day: 8.50. Lines at no price, kits and parts of kits tell nothing; of several
    currencies the one in which the SKU sold the most units counts.
    """
    import numpy as np

    days = (until - first).days + 1
    skus = sorted({sku for sku, _warehouse in pairs})
    place = {sku: row for row, sku in enumerate(skus)}
    cells = copied(_PAID, ("price",), {"skus": skus, "first": first, "until": until})
    found = np.full((len(skus), days), np.nan)
    found[cells["row"], cells["column"]] = cells["price"]
    latest = np.maximum.accumulate(np.where(np.isnan(found), 0, np.arange(days)[None, :]), axis=1)
    carried = np.take_along_axis(found, latest, axis=1)
    rows: NDArray[np.int64] = np.array([place[sku] for sku, _warehouse in pairs], dtype=np.int64)
    by_pair: NDArray[np.float64] = carried[rows]
    return by_pair


_PAID = """
WITH sold AS (
    SELECT wanted.place, o.currency, (o.ordered_at AT TIME ZONE channel.time_zone)::date AS day,
           line.quantity, line.quantity * line.unit_price AS amount
    FROM unnest(%(skus)s::bigint[]) WITH ORDINALITY AS wanted (sku_id, place)
    JOIN warehouses_salesorderline line ON line.sku_id = wanted.sku_id
         AND NOT line.is_kit AND line.kit_line_id IS NULL AND line.unit_price > 0
    JOIN warehouses_salesorder o ON o.id = line.order_id
         AND o.ordered_at >= %(first)s::date - 1 AND o.ordered_at < %(until)s::date + 2
    JOIN catalog_channel channel ON channel.id = o.channel_id
), usual AS (
    SELECT DISTINCT ON (place) place, currency
    FROM sold WHERE day BETWEEN %(first)s AND %(until)s
    GROUP BY place, currency ORDER BY place, sum(quantity) DESC, currency
)
SELECT (place - 1)::int4, (day - %(first)s::date)::int4, (sum(amount) / sum(quantity))::float8
FROM sold JOIN usual USING (place, currency)
WHERE day BETWEEN %(first)s AND %(until)s AND quantity > 0
GROUP BY 1, 2
"""
