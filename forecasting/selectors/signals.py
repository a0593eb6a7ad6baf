"""Shop signals as covariates of the forecasts, and what the latest backtest said of them."""

from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import connection

from forecasting.models import DemandSignal, ForecastRules, ForecastRun
from forecasting.selectors import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES = DemandSignal.NAMES
UNWEIGHED: dict[str, Any] = {
    "run": None,
    "weighed_at": None,
    "helps": False,
    "reason": "not_weighed",
    "series": 0,
    "origins": 0,
    "window_days": 0,
    "loss_without": None,
    "loss_with": None,
    "gain": None,
    "standard_error": None,
    "weights": {},
}
"""What is said while no backtest has weighed any signals."""


def signal_covariates(pairs: Sequence[Pair], *, first: date, until: date) -> "dict[str, NDArray[np.float64]]":
    """name → (n, T) counts a day of the pair's SKU in all channels, first … until, for `Covariates.past`.

    A day without a row is 0 from the first day any channel told of the SKU on; before that, and of SKUs nobody told
    of, it is NaN. Names without a single count are left out. Two queries.
    """
    import numpy as np

    days = (until - first).days + 1
    skus = sorted({sku for sku, _warehouse in pairs})
    with connection.cursor() as cursor:
        cursor.execute(_BEGAN, [skus])
        began = {sku: (day - first).days for sku, day in cursor.fetchall()}
    cells = _cells(skus, first, until)
    found: dict[str, NDArray[np.float64]] = {}
    start = np.array([began.get(sku, days) for sku in skus], dtype=np.int64)
    unknown = np.arange(days)[None, :] < start[:, None]
    place = {sku: row for row, sku in enumerate(skus)}
    rows = np.array([place[sku] for sku, _warehouse in pairs], dtype=np.int64)
    for name in NAMES:
        by_sku = np.zeros((len(skus), days))
        by_sku[cells["row"], cells["column"]] = cells[name]
        if by_sku.any():
            by_sku[unknown] = np.nan
            found[name] = by_sku[rows]
    return found


def useful_signals(pairs: Sequence[Pair], *, first: date, until: date) -> "dict[str, NDArray[np.float64]]":
    """The signal covariates of a run: none unless the rules allow them and the latest backtest found that they help."""
    allowed = ForecastRules.current().uses_signals
    return signal_covariates(pairs, first=first, until=until) if allowed and latest_verdict()["helps"] else {}


def told_pairs(*, until: date, days: int, at_most: int) -> list[Pair]:
    """The (SKU, warehouse) with demand and signals in those days, those with the most demand first."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, {"since": until - timedelta(days), "until": until, "at_most": at_most})
        return cursor.fetchall()  # type: ignore[no-any-return]


def latest_verdict() -> dict[str, Any]:
    """What the latest run that weighed signals found, in the words of `engine.signals.SignalVerdict`."""
    run = ForecastRun.objects.filter(summary__has_key="signals").order_by("-as_of", "-pk").first()
    return {**UNWEIGHED, "run": run.pk, **run.summary["signals"]} if run else dict(UNWEIGHED)


def _cells(skus: Sequence[int], first: date, until: date) -> Any:
    import numpy as np

    sink = BytesIO()
    with connection.cursor() as cursor:
        bound = cursor.mogrify(_CELLS, {"skus": list(skus), "first": first, "until": until}).decode()
        cursor.copy_expert(f"COPY ({bound}) TO STDOUT (FORMAT binary)", sink)
    fields = [("fields", ">i2"), ("row_bytes", ">i4"), ("row", ">i4"), ("column_bytes", ">i4"), ("column", ">i4")]
    for name in NAMES:
        fields += [(f"{name}_bytes", ">i4"), (name, ">f8")]
    return np.frombuffer(memoryview(sink.getbuffer())[19:-2], dtype=np.dtype(fields))


_CELLS = f"""
SELECT (told.place - 1)::int4, (kept.day - %(first)s::date)::int4, {", ".join(f"sum(kept.{n})::float8" for n in NAMES)}
FROM unnest(%(skus)s::bigint[]) WITH ORDINALITY AS told (sku_id, place)
JOIN forecasting_demandsignal kept USING (sku_id)
WHERE kept.day BETWEEN %(first)s AND %(until)s GROUP BY 1, 2
"""  # noqa: S608 - names of columns

_BEGAN = "SELECT sku_id, min(day) FROM forecasting_demandsignal WHERE sku_id = ANY(%s) GROUP BY 1"

_TOLD = """
SELECT d.sku_id, d.warehouse_id FROM forecasting_demandhistory d
WHERE d.day > %(since)s AND d.day <= %(until)s
  AND d.sku_id IN (SELECT sku_id FROM forecasting_demandsignal WHERE day > %(since)s AND day <= %(until)s)
GROUP BY 1, 2 ORDER BY sum(d.quantity) DESC, 1, 2 LIMIT %(at_most)s
"""
