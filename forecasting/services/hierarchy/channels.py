"""A SKU's forecast in a warehouse shared out to the channels that sold it there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection

from forecasting.models import ChannelForecast, ForecastRun
from forecasting.services.copying import array_text, copy_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARE_DAYS = 180
_COLUMNS = (
    "run_id",
    "sku_id",
    "warehouse_id",
    "channel_id",
    "share",
    "mean",
    "quantiles",
    "protection_mean",
    "protection_quantiles",
)


class Forecasted(Protocol):
    """The arrays of a PanelForecast that a channel's part is made of."""

    @property
    def mean(self) -> "NDArray[np.float64]": ...
    @property
    def quantiles(self) -> "NDArray[np.float64]": ...
    @property
    def protection_mean(self) -> "NDArray[np.float64] | None": ...
    @property
    def protection_quantiles(self) -> "NDArray[np.float64] | None": ...


def save_channels(run: ForecastRun, pairs: Sequence[tuple[int, int]], result: "Forecasted") -> None:
    """One row per pair and channel that sold the SKU there in the last 180 days, inside the caller's transaction.

    A pair with one channel gets a row of share 1 and empty arrays. Rows of the pairs from an earlier try are replaced.
    """
    if not pairs:
        return
    channels, sold, events, prior = _recent(run, pairs)
    if not channels:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [[sku for sku, _w in pairs], [place for _s, place in pairs], run.pk])
    copy_rows(ChannelForecast, _COLUMNS, _rows(run, pairs, result, channels, sold, events, prior))


def _rows(
    run: ForecastRun,
    pairs: Sequence[tuple[int, int]],
    result: "Forecasted",
    channels: list[int],
    sold: "NDArray[np.float64]",
    events: "NDArray[np.float64]",
    prior: "NDArray[np.float64]",
) -> list[list[Any]]:
    import numpy as np

    from forecasting.engine.hierarchy import channel_shares, split_channels, to_grid

    sells = sold > 0
    rows: list[list[Any]] = []
    single = np.flatnonzero(sells.sum(axis=1) == 1)
    for row, column in zip(single.tolist(), sells[single].argmax(axis=1).tolist(), strict=True):
        rows.append([run.pk, *pairs[row], channels[column], 1.0, "{}", "{}", *_whole(result, row)])
    shared = np.flatnonzero(sells.sum(axis=1) > 1)
    if not len(shared) or result.protection_mean is None or result.protection_quantiles is None:
        return rows
    # A channel that never sold the SKU there gets no share of it.
    shares = channel_shares(sold[shared], events[shared], np.where(sells[shared], prior[shared], 0.0))
    days = split_channels(shares, to_grid(result.mean[shared]), result.quantiles[shared])
    sums = split_channels(
        shares, to_grid(result.protection_mean[shared, None]), result.protection_quantiles[shared, None]
    )
    quantiles = np.swapaxes(np.round(days.quantiles, 4), 2, 3)
    for i, c in zip(*np.nonzero(sells[shared]), strict=True):
        rows.append(
            [
                run.pk,
                *pairs[int(shared[i])],
                channels[c],
                round(float(shares[i, c]), 6),
                array_text(days.mean[i, c].tolist()),
                "{" + ",".join(array_text(level) for level in quantiles[i, c].tolist()) + "}",
                float(sums.mean[i, c, 0]),
                array_text(np.round(sums.quantiles[i, c, 0], 4).tolist()),
            ]
        )
    return rows


def _whole(result: "Forecasted", row: int) -> tuple[float, str]:
    if result.protection_mean is None or result.protection_quantiles is None:
        return 0.0, "{}"
    return float(result.protection_mean[row]), array_text(
        [round(float(x), 4) for x in result.protection_quantiles[row]]
    )


def _recent(
    run: ForecastRun, pairs: Sequence[tuple[int, int]]
) -> tuple[list[int], "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]:
    """(channels, sold (n, c), events (n,), prior (n, c)) of the last 180 days, with a half-life of 60.

    prior = the channels' shares of all these pairs in the warehouse.
    """
    import numpy as np

    values: dict[str, Any] = {
        "skus": [sku for sku, _w in pairs],
        "warehouses": [warehouse for _s, warehouse in pairs],
        "as_of": run.as_of,
        "since": run.as_of - timedelta(days=SHARE_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, values)
        found = cursor.fetchall()
    channels = sorted({channel for _r, channel, _u, _e in found})
    at = {channel: column for column, channel in enumerate(channels)}
    sold, events = np.zeros((len(pairs), len(channels))), np.zeros(len(pairs))
    for row, channel, units, days in found:
        sold[row, at[channel]] = units
        events[row] += days
    places, codes = np.unique([warehouse for _s, warehouse in pairs], return_inverse=True)
    shares = np.zeros((len(places), len(channels)))
    np.add.at(shares, codes, sold)
    return channels, sold, events, shares[codes]


_PAIRS = """
SELECT (pair.place - 1)::int, d.channel_id,
       sum(d.quantity::float8 * power(0.5::float8, (%(as_of)s::date - d.day) / 60.0::float8)), count(*)
FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]) WITH ORDINALITY AS pair(sku_id, warehouse_id, place)
JOIN forecasting_demandhistory d USING (sku_id, warehouse_id)
WHERE d.day > %(since)s AND d.day <= %(as_of)s AND d.quantity > 0
GROUP BY 1, 2
"""

_FORGET = """
DELETE FROM forecasting_channelforecast c
USING unnest(%s::bigint[], %s::bigint[]) AS pair(sku_id, warehouse_id)
WHERE c.run_id = %s AND (c.sku_id, c.warehouse_id) = (pair.sku_id, pair.warehouse_id)
"""
