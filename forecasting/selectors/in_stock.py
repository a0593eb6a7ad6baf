"""Which days a pair was in stock, from the ledger: the part of the day on which its stock ran out or came in counts by
the clock."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forecasting.selectors.copied import copied
from forecasting.selectors.series import PAIRS, Pair, asked
from warehouses.models import Location

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_SHARE = 0.25
STEPS = 256
DAY_SECONDS = 86_400


def in_stock_panel(pairs: Sequence[Pair], *, until: date, days: int) -> "NDArray[np.float64]":
    """1 for a day with usable stock throughout, 0 for one without any, between for one on which it ran out or came in;
    NaN where unknown.

    From the ledger, by days of the warehouse's own clock; unknown are pairs without a movement, and the days before a
    pair's first one. The share of a day is that of its 24 hours, at least ¼ (nobody buys at night, and a sale divided
    by next to nothing would be a wild guess), in steps of 1/256. A sale on a day below 1 is a lower bound of demand.
    """
    import numpy as np

    first = until - timedelta(days - 1)
    share = np.full((len(pairs), days), np.nan)
    if not pairs:
        return share
    values = asked(pairs, first, until) | {"usable": list(Location.USABLE)}
    cells = copied(_LEDGER, ("net", "inflow"), values)
    known = np.unique(cells["row"])
    place = np.searchsorted(known, cells["row"])
    # Column 0 is all that happened before the window.
    net, inflow = np.zeros((len(known), days + 1)), np.zeros((len(known), days + 1))
    net[place, cells["column"] + 1] = cells["net"]
    inflow[place, cells["column"] + 1] = cells["inflow"]
    on_hand = net.cumsum(axis=1)
    before = on_hand[:, :-1]
    dry = (before <= 0) & (on_hand[:, 1:] <= 0) & (inflow[:, 1:] == 0)
    began = np.full(len(known), days)
    np.minimum.at(began, place, cells["column"])
    column = np.arange(days)
    ours = np.where(column < began[:, None], np.nan, np.where(dry, 0.0, 1.0))
    # Only a day whose outflow could empty what lay there in the morning may have been partly dry.
    partly = (before - (inflow[:, 1:] - net[:, 1:]) <= 0) & ~dry & (net[:, 1:] != 0) & (column >= began[:, None])
    rows, columns = np.nonzero(partly | ((before <= 0) & (inflow[:, 1:] > 0) & (column >= began[:, None])))
    if len(rows):
        known_pairs = [pairs[i] for i in known[rows]]
        is_first = columns == began[rows]
        ours[rows, columns] = day_shares(known_pairs, columns, before[rows, columns], is_first, first)
    share[known] = ours
    return share


def day_shares(
    pairs: Sequence[Pair],
    columns: "NDArray[np.int64]",
    morning: "NDArray[np.float64]",
    is_first: "NDArray[np.bool_]",
    first: date,
) -> "NDArray[np.float64]":
    """(k,) share of each (pair, day) with usable stock; before a pair's very first movement it is taken as in stock."""
    import numpy as np

    values = asked(pairs, first, first) | {
        "days": [first + timedelta(int(c)) for c in columns],
        "usable": list(Location.USABLE),
    }
    moves = copied(_MOMENTS, ("units", "seconds"), values)
    order = np.lexsort((moves["seconds"], moves["row"]))
    row, seconds = moves["row"][order], moves["seconds"][order].astype(float)
    units = moves["units"][order].astype(float)
    total = np.cumsum(units)
    begins = np.searchsorted(row, np.arange(len(pairs)))
    held = total - np.concatenate([[0.0], total])[begins][row] + morning[row]
    ends = np.append(seconds[1:], DAY_SECONDS)
    ends[np.append(row[1:] != row[:-1], True)] = DAY_SECONDS
    open_seconds = np.bincount(row, weights=np.where(held > 0, ends - seconds, 0.0), minlength=len(pairs))
    has_move = begins < np.append(begins[1:], len(row))
    opening = np.where(has_move, seconds[np.minimum(begins, max(len(row) - 1, 0))] if len(row) else 0.0, DAY_SECONDS)
    open_seconds += np.where((morning > 0) | is_first, opening, 0.0)
    return np.rint(np.clip(open_seconds / DAY_SECONDS, LEAST_SHARE, 1.0) * STEPS) / STEPS


_LEDGER = f"""
SELECT (place - 1)::int4, greatest(day - %(first)s::date, -1)::int4, sum(units)::float8,
       sum(greatest(units, 0))::float8
FROM (
    SELECT pair.place, (m.happened_at AT TIME ZONE w.time_zone)::date AS day,
           CASE WHEN location.kind = ANY (%(usable)s) THEN m.quantity ELSE 0 END AS units
    FROM {PAIRS}
    JOIN warehouses_warehouse w ON w.id = pair.warehouse_id
    JOIN warehouses_location location ON location.warehouse_id = pair.warehouse_id
    JOIN warehouses_stockmovement m ON m.location_id = location.id AND m.sku_id = pair.sku_id
) moved
WHERE day <= %(until)s GROUP BY 1, 2
"""  # noqa: S608

_MOMENTS = """
SELECT (pair.place - 1)::int4, 0::int4, sum(m.quantity)::float8,
       extract(epoch FROM (m.happened_at AT TIME ZONE w.time_zone)::time)::float8
FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[], %(days)s::date[])
     WITH ORDINALITY AS pair(sku_id, warehouse_id, day, place)
JOIN warehouses_warehouse w ON w.id = pair.warehouse_id
JOIN warehouses_location location ON location.warehouse_id = pair.warehouse_id AND location.kind = ANY (%(usable)s)
JOIN warehouses_stockmovement m ON m.location_id = location.id AND m.sku_id = pair.sku_id
     AND m.happened_at >= pair.day::timestamp AT TIME ZONE w.time_zone
     AND m.happened_at < (pair.day + 1)::timestamp AT TIME ZONE w.time_zone
GROUP BY pair.place, m.happened_at, w.time_zone
"""
