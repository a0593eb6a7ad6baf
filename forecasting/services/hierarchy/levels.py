"""The levels above SKU × warehouse: exact sums of means, and quantiles of the sums from joint samples."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from forecasting.models import AggregateForecast, ForecastRun
from forecasting.selectors.stored import stored_forecasts
from forecasting.services.copying import array_text, copy_rows
from forecasting.services.hierarchy.gathering import Gathering, gather_channels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.hierarchy import Dependence, GroupSums

SAMPLES = 200
PAST_DAYS = 182
Level = AggregateForecast.Level
Cell = tuple[int | None, int]
"""(category id, warehouse id): the finest groups"""
_VIEWS = {
    Level.CATEGORY_WAREHOUSE: (True, True),
    Level.CATEGORY: (True, False),
    Level.WAREHOUSE: (False, True),
    Level.TOTAL: (False, False),
}
_COLUMNS = (
    "run_id",
    "level",
    "category_id",
    "warehouse_id",
    "channel_id",
    "series",
    "mean",
    "quantiles",
    "horizon_mean",
    "horizon_quantiles",
)


def save_levels(run: ForecastRun) -> int:
    """Replace the run's rows of groups; returns how many there are.

    Reads the saved forecasts part by part, so that its memory does not grow with their number; locks nothing but its
    own rows. Safe to run twice.
    """
    categories = _categories(run)
    cells: Gathering[Cell] = Gathering(run.quantile_levels)
    channels: Gathering[int] = Gathering(run.quantile_levels)
    for part in stored_forecasts(run):
        keys = [(categories.get(sku), warehouse) for sku, warehouse in part.pairs.tolist()]
        cells.add(keys, part.mean, part.quantiles)
        gather_channels(channels, run, part)
    if cells.sums is None:
        return 0
    dependence = _dependence(run, cells.sums)
    rows = [*_cell_rows(run, cells, dependence), *_channel_rows(run, channels, dependence)]
    with transaction.atomic():
        AggregateForecast.objects.filter(run=run).delete()
        copy_rows(AggregateForecast, _COLUMNS, rows)
    return len(rows)


def _categories(run: ForecastRun) -> dict[int, int | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT f.sku_id, p.category_id FROM forecasting_forecast f "
            "JOIN catalog_sku s ON s.id = f.sku_id JOIN catalog_product p ON p.id = s.product_id WHERE f.run_id = %s",
            [run.pk],
        )
        return dict(cursor.fetchall())


def _dependence(run: ForecastRun, sums: "GroupSums") -> "Dependence":
    """How much all series move together, from how much the total strayed from its own season in half a year."""
    from forecasting.engine.hierarchy import fit_dependence

    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"since": run.as_of - timedelta(days=PAST_DAYS), "as_of": run.as_of})
        totals = [float(units) for (units,) in cursor.fetchall()]
    return fit_dependence(totals, sums)


def _cell_rows(run: ForecastRun, cells: "Gathering[Cell]", dependence: "Dependence") -> Iterator[list[Any]]:
    """Category × warehouse, each of the two, and the total: parents are sums of their cells' means and draws."""
    from forecasting.engine.hierarchy import sample_groups

    if cells.sums is None:
        return
    draws = sample_groups(cells.sums, dependence=dependence, samples=SAMPLES, seed=0)
    for level, (by_category, by_warehouse) in _VIEWS.items():
        groups: dict[tuple[int | None, int | None], list[int]] = {}
        for (category, warehouse), index in cells.keys.items():
            key = (category if by_category else None, warehouse if by_warehouse else None)
            groups.setdefault(key, []).append(index)
        for (category, place), members in groups.items():
            mean, number = cells.sums.mean[members].sum(axis=0), sum(cells.series[m] for m in members)
            yield _row(run, (level, category, place, None, number), mean, draws[members].sum(axis=0))


def _channel_rows(run: ForecastRun, channels: "Gathering[int]", dependence: "Dependence") -> Iterator[list[Any]]:
    """Every channel's sum over all SKUs and warehouses."""
    from forecasting.engine.hierarchy import sample_groups

    if channels.sums is None:
        return
    draws = sample_groups(channels.sums, dependence=dependence, samples=SAMPLES, seed=1)
    for channel, index in channels.keys.items():
        key = (Level.CHANNEL, None, None, channel, channels.series[index])
        yield _row(run, key, channels.sums.mean[index], draws[index])


def _row(
    run: ForecastRun, key: tuple[Any, ...], mean: "NDArray[np.float64]", draws: "NDArray[np.float64]"
) -> list[Any]:
    import numpy as np

    days = np.round(np.quantile(draws, run.quantile_levels, axis=1), 3).tolist()
    span = np.round(np.quantile(draws.sum(axis=0), run.quantile_levels), 3).tolist()
    quantiles = "{" + ",".join(array_text(one) for one in days) + "}"
    return [run.pk, *key, array_text(mean.tolist()), quantiles, float(mean.sum()), array_text(span)]


_TOTALS = """
SELECT coalesce(sum(d.quantity), 0)::float8
FROM generate_series(%(since)s::date + 1, %(as_of)s::date, interval '1 day') AS calendar(day)
LEFT JOIN forecasting_demandhistory d ON d.day = calendar.day::date
GROUP BY calendar.day ORDER BY calendar.day
"""
