"""Saved forecasts read back as arrays, without a Python object for every number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import connection

from forecasting.models import ChannelForecast, ForecastRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKUS_AT_A_TIME = 2000
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StoredForecasts:
    """Some forecasts of a run, by SKU and warehouse: mean (n, h), quantiles (n, q, h), protection (n, 2 + q) = days,
    mean, then quantiles of the sum."""

    pairs: "NDArray[np.int64]"
    mean: "NDArray[np.float64]"
    quantiles: "NDArray[np.float64]"
    protection: "NDArray[np.float64]"


def stored_forecasts(run: ForecastRun, *, skus_at_a_time: int = SKUS_AT_A_TIME) -> Iterator[StoredForecasts]:
    """All forecasts of a run in the order of SKU and warehouse, a SKU's warehouses never parted; memory is bounded by
    the part."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, {"run": run.pk, "after": last, "most": skus_at_a_time})
            until = cursor.fetchone()[0]
        if until is None:
            return
        yield forecasts_between(run, last + 1, until)
        last = until


def forecasts_between(run: ForecastRun, first_sku: int, last_sku: int) -> StoredForecasts:
    """The forecasts of the SKUs with these ids."""
    import numpy as np

    h, q = run.horizon_days, len(run.quantile_levels)
    fields = [
        ("sku", ">i8"),
        ("warehouse", ">i8"),
        ("days", ">f8"),
        ("expected", ">f8"),
        ("mean", _array_of(">f8", h)),
        ("quantiles", _array_of(">f4", q, h)),
        ("protection", _array_of(">f8", q)),
    ]
    rows = copied(_ROWS, {"run": run.pk, "first": first_sku, "last": last_sku}, fields)
    return StoredForecasts(
        pairs=np.stack([rows["sku"], rows["warehouse"]], axis=1).astype(np.int64),
        mean=rows["mean"]["items"]["value"].astype(float),
        quantiles=rows["quantiles"]["items"]["value"].astype(float).reshape(-1, q, h),
        protection=np.concatenate(
            [rows["days"][:, None], rows["expected"][:, None], rows["protection"]["items"]["value"]], axis=1
        ).astype(float),
    )


@dataclass(frozen=True, slots=True)
class ChannelParts:
    """Forecasts of channels that share a SKU and warehouse: channels (n,), mean (n, h), quantiles (n, q, h)."""

    channels: "NDArray[np.int64]"
    mean: "NDArray[np.float64]"
    quantiles: "NDArray[np.float64]"


def channel_parts(run: ForecastRun, first_sku: int, last_sku: int) -> ChannelParts:
    """The parts of the SKUs with these ids, where a channel has less than the whole."""
    import numpy as np

    h, q = run.horizon_days, len(run.quantile_levels)
    fields = [("channel", ">i8"), ("mean", _array_of(">f8", h)), ("quantiles", _array_of(">f4", q, h))]
    rows = copied(_PARTS, {"run": run.pk, "first": first_sku, "last": last_sku}, fields)
    return ChannelParts(
        rows["channel"].astype(np.int64),
        rows["mean"]["items"]["value"].astype(float),
        rows["quantiles"]["items"]["value"].astype(float).reshape(-1, q, h),
    )


def single_channels(run: ForecastRun, first_sku: int, last_sku: int) -> dict[Pair, int]:
    """(SKU, warehouse) → the only channel that sells there."""
    rows = ChannelForecast.objects.filter(run=run, sku_id__gte=first_sku, sku_id__lte=last_sku, share=1.0)
    return {(sku, warehouse): channel for sku, warehouse, channel in rows.values_list("sku", "warehouse", "channel")}


def copied(query: str, values: dict[str, Any], fields: Sequence[tuple[str, Any]]) -> Any:
    """The query's rows as a numpy record array, by binary COPY. Every row has the same fields of the same size, none
    of them null; a field is a numpy type, or what `_array_of` makes."""
    import numpy as np

    layout: list[tuple[str, Any]] = [("fields", ">i2")]
    for name, kind in fields:
        layout += [(f"{name}_bytes", ">i4"), (name, kind)]
    sink = BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({cursor.mogrify(query, values).decode()}) TO STDOUT (FORMAT binary)", sink)
    return np.frombuffer(memoryview(sink.getbuffer())[_HEADER_BYTES:-_TRAILER_BYTES], dtype=np.dtype(layout))


def _array_of(kind: str, *lengths: int) -> Any:
    """PostgreSQL's array on the wire: dimensions, flags, type, (length, first index) each, then (bytes, value) each."""
    import numpy as np

    count = 1
    for length in lengths:
        count *= length
    item = np.dtype([("bytes", ">i4"), ("value", kind)])
    head = [("dimensions", ">i4"), ("flags", ">i4"), ("type", ">i4"), ("sizes", ">i4", (2 * len(lengths),))]
    return np.dtype([*head, ("items", item, (count,))])


_NEXT = """
SELECT max(sku_id) FROM (
    SELECT DISTINCT sku_id FROM forecasting_forecast WHERE run_id = %(run)s AND sku_id > %(after)s
    ORDER BY sku_id LIMIT %(most)s
) part
"""

_ROWS = """
SELECT sku_id, warehouse_id, protection_days::float8, protection_mean, mean, quantiles, protection_quantiles
FROM forecasting_forecast WHERE run_id = %(run)s AND sku_id BETWEEN %(first)s AND %(last)s
ORDER BY sku_id, warehouse_id
"""

_PARTS = """
SELECT channel_id, mean, quantiles
FROM forecasting_channelforecast
WHERE run_id = %(run)s AND sku_id BETWEEN %(first)s AND %(last)s AND share < 1
ORDER BY sku_id, warehouse_id, channel_id
"""
