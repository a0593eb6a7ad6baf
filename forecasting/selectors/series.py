"""The demand of many pairs as one matrix: gaps are zeros, days before the launch are not."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from forecasting.selectors.copied import copied

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

PAIRS = "unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]) WITH ORDINALITY AS pair(sku_id, warehouse_id, place)"


def asked(pairs: Sequence[Pair], first: date, until: date) -> dict[str, Any]:
    """The values that queries over PAIRS bind."""
    return {
        "skus": [sku for sku, _warehouse in pairs],
        "warehouses": [warehouse for _sku, warehouse in pairs],
        "first": first,
        "until": until,
    }


def demand_panel(pairs: Sequence[Pair], *, until: date, days: int) -> "tuple[NDArray[np.float64], NDArray[np.int64]]":
    """(values, starts): units of all channels on the `days` days that end with `until`, one row a pair.

    values[i, t] is day until − days + 1 + t: 0 without a sale, NaN before the pair's first demand (or its SKU's launch,
    where that is earlier) and after it was discontinued. starts[i] is the first column that is not NaN, `days` if none.
    """
    import numpy as np

    first = until - timedelta(days - 1)
    values = np.zeros((len(pairs), days))
    starts = np.full(len(pairs), days, dtype=np.int64)
    if not pairs:
        return values, starts
    cells = copied(_DEMAND, ("units",), asked(pairs, first, until))
    values[cells["row"], cells["column"]] = cells["units"]
    spans = copied(_SPANS, ("end",), asked(pairs, first, until))
    starts[spans["row"]] = np.clip(spans["column"], 0, days)
    ends = np.full(len(pairs), days)
    ends[spans["row"]] = np.clip(spans["end"], 0, days).astype(int)
    column = np.arange(days)
    values[(column < starts[:, None]) | (column >= ends[:, None])] = np.nan
    return values, starts


_DEMAND = f"""
SELECT (pair.place - 1)::int4, (d.day - %(first)s::date)::int4, sum(d.quantity)::float8
FROM {PAIRS}
JOIN forecasting_demandhistory d USING (sku_id, warehouse_id)
WHERE d.day BETWEEN %(first)s AND %(until)s GROUP BY 1, 2
"""  # noqa: S608 - the only thing put in is the constant above

_SPANS = f"""
SELECT (place - 1)::int4, (least(launched_on, first_day) - %(first)s::date)::int4,
       coalesce(greatest(discontinued_on, last_day) - %(first)s::date + 1, 2000000)::float8
FROM (
    SELECT pair.place, sku.launched_on, min(d.day) AS first_day,
           sku.discontinued_on, CASE WHEN sku.discontinued_on IS NOT NULL THEN max(d.day) END AS last_day
    FROM {PAIRS}
    JOIN catalog_sku sku ON sku.id = pair.sku_id
    LEFT JOIN forecasting_demandhistory d
           ON d.sku_id = pair.sku_id AND d.warehouse_id = pair.warehouse_id AND d.day <= %(until)s AND d.quantity > 0
    GROUP BY pair.place, sku.id
) span
WHERE least(launched_on, first_day) IS NOT NULL
"""  # noqa: S608
