"""A SKU's forecast in a warehouse shared out to the channels that sold it there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection

from forecasting.models import ChannelForecast, ForecastRun
from forecasting.services.copying import array_kind, copy_records, empty_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARE_DAYS = 180
Pairs = Sequence[tuple[int, int]]


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


@dataclass(frozen=True)
class Parted:
    """Who sells what, as it was saved: of (m,) rows with one channel that channel; of (k,) rows of the rest, which
    stand there once a channel, channel, share, mean (k, h) and quantiles (k, q, h)."""

    only_rows: "NDArray[np.int64]"
    only_channels: "NDArray[np.int64]"
    rows: "NDArray[np.int64]"
    channels: "NDArray[np.int64]"
    shares: "NDArray[np.float64]"
    mean: "NDArray[np.float64]"
    quantiles: "NDArray[np.float64]"


def save_channels(run: ForecastRun, pairs: Pairs, result: "Forecasted") -> "Parted | None":
    """One row per pair and channel that sold the SKU there in the last 180 days, inside the caller's transaction; None
    when nothing was sold.

    A pair with one channel gets a row of share 1 and empty arrays. Rows of the pairs from an earlier try are replaced.
    An update leaves the shares as the run that learnt had them; only pairs that had none are looked at.
    """
    import numpy as np

    if not pairs or result.protection_mean is None or result.protection_quantiles is None:
        return None
    channels, shares = _shares(run, pairs)
    if not channels:
        return None
    parted = _parted(channels, shares, result)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"run": run.pk, **_columns(pairs)})
    names, keys = np.array(pairs, dtype=np.int64), np.round(result.protection_quantiles, 4)
    only = _keys(run, names[parted.only_rows], parted.only_channels) | {
        "share": (">f8", np.ones(len(parted.only_rows))),
        "mean": empty_arrays(len(parted.only_rows)),
        "quantiles": empty_arrays(len(parted.only_rows), is_real=True),
        "protection_mean": (">f8", result.protection_mean[parted.only_rows]),
        "protection_quantiles": (array_kind(keys.shape[1:], ">f8"), keys[parted.only_rows]),
    }
    copy_records(ChannelForecast, only)
    if len(parted.rows):
        copy_records(ChannelForecast, _keys(run, names[parted.rows], parted.channels) | _part_columns(parted, result))
    return parted


def _keys(run: ForecastRun, pairs: Any, channels: Any) -> dict[str, tuple[Any, Any]]:
    import numpy as np

    return {
        "run_id": (">i8", np.full(len(pairs), run.pk)),
        "sku_id": (">i8", pairs[:, 0]),
        "warehouse_id": (">i8", pairs[:, 1]),
        "channel_id": (">i8", channels),
    }


def _part_columns(parted: Parted, result: "Forecasted") -> dict[str, tuple[Any, Any]]:
    """The numbers of the rows with less than the whole; sums of the protection interval are shared out like days."""
    import numpy as np

    from forecasting.engine.hierarchy import split_channels, to_grid

    expected, quantiles = result.protection_mean, result.protection_quantiles
    if expected is None or quantiles is None:
        raise ValueError("the forecast was made without protection intervals")
    rows, places = np.unique(parted.rows, return_inverse=True)
    of, shares = _table(places, len(rows), parted.shares)
    sums = split_channels(shares, to_grid(expected[rows, None]), quantiles[rows, None])
    levels, horizon = parted.quantiles.shape[1:]
    return {
        "share": (">f8", np.round(parted.shares, 6)),
        "mean": (array_kind((horizon,), ">f8"), parted.mean),
        "quantiles": (array_kind((levels, horizon), ">f4"), parted.quantiles),
        "protection_mean": (">f8", sums.mean[places, of, 0]),
        "protection_quantiles": (array_kind((levels,), ">f8"), np.round(sums.quantiles[places, of, 0], 4)),
    }


def _table(places: Any, n: int, shares: Any) -> tuple[Any, Any]:
    """(column of each share within its row, the shares as (n, most of a row)); places ascend."""
    import numpy as np

    of = np.arange(len(places)) - np.searchsorted(places, places)
    table = np.zeros((n, int(of.max(initial=0)) + 1))
    table[places, of] = shares
    return of, table


def _parted(channels: list[int], shares: "NDArray[np.float64]", result: "Forecasted") -> Parted:
    import numpy as np

    from forecasting.engine.hierarchy import split_channels, to_grid

    sells, names = shares > 0, np.array(channels, dtype=np.int64)
    only, some = np.flatnonzero(sells.sum(axis=1) == 1), np.flatnonzero(sells.sum(axis=1) > 1)
    rows, columns = np.nonzero(sells[some])
    days = split_channels(shares[some], to_grid(result.mean[some]), result.quantiles[some])
    return Parted(
        only_rows=only,
        only_channels=names[sells[only].argmax(axis=1)],
        rows=some[rows],
        channels=names[columns],
        shares=shares[some][rows, columns],
        mean=days.mean[rows, columns],
        quantiles=np.round(np.swapaxes(days.quantiles[rows, columns], 1, 2), 4),
    )


def _shares(run: ForecastRun, pairs: Pairs) -> tuple[list[int], "NDArray[np.float64]"]:
    """(channels, shares (n, c)); a row of zeros where nothing was sold."""
    import numpy as np

    standing = _standing_shares(run, pairs) if run.learnt_in_id else []
    known = {row for row, _channel, _share in standing}
    asked = [row for row in range(len(pairs)) if row not in known]
    fresh = _learnt_shares(run, [pairs[row] for row in asked])
    found = [*standing, *((asked[row], channel, share) for row, channel, share in fresh)]
    channels = sorted({channel for _row, channel, _share in found})
    at = {channel: column for column, channel in enumerate(channels)}
    shares = np.zeros((len(pairs), len(channels)))
    for row, channel, share in found:
        shares[row, at[channel]] = share
    return channels, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)


def _standing_shares(run: ForecastRun, pairs: Pairs) -> list[tuple[int, int, float]]:
    """(row, channel, share) of the run that learnt."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"run": run.learnt_in_id, **_columns(pairs)})
        return list(cursor.fetchall())


def _learnt_shares(run: ForecastRun, pairs: Pairs) -> list[tuple[int, int, float]]:
    """(row, channel, share) from what was sold; a channel that never sold the SKU there gets no share of it."""
    import numpy as np

    from forecasting.engine.hierarchy import channel_shares

    if not pairs:
        return []
    channels, sold, events, prior = _recent(run, pairs)
    some = np.flatnonzero((sold > 0).any(axis=1))
    sells = sold[some] > 0
    shares = channel_shares(sold[some], events[some], np.where(sells, prior[some], 0.0))
    rows, columns = np.nonzero(sells)
    told = zip(some[rows].tolist(), columns.tolist(), shares[rows, columns].tolist(), strict=True)
    return [(row, channels[column], share) for row, column, share in told]


def _columns(pairs: Pairs) -> dict[str, list[int]]:
    return {"skus": [sku for sku, _w in pairs], "warehouses": [place for _s, place in pairs]}


def _recent(
    run: ForecastRun, pairs: Pairs
) -> tuple[list[int], "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]:
    """(channels, sold (n, c), events (n,), prior (n, c)) of the last 180 days, with a half-life of 60.

    prior = the channels' shares of all these pairs in the warehouse.
    """
    import numpy as np

    values: dict[str, Any] = {
        **_columns(pairs),
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

# Both say which SKUs, so that the key of run and SKU serves; a join alone reads all rows of the run for every chunk.
_FORGET = """
DELETE FROM forecasting_channelforecast c
WHERE c.run_id = %(run)s AND c.sku_id = ANY (%(skus)s::bigint[])
  AND (c.sku_id, c.warehouse_id) IN (SELECT * FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]))
"""

_STANDING = """
SELECT (pair.place - 1)::int, c.channel_id, c.share
FROM unnest(%(skus)s::bigint[], %(warehouses)s::bigint[]) WITH ORDINALITY AS pair(sku_id, warehouse_id, place)
JOIN forecasting_channelforecast c USING (sku_id, warehouse_id)
WHERE c.run_id = %(run)s AND c.sku_id = ANY (%(skus)s::bigint[])
"""
