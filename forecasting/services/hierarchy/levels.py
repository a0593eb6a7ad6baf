"""The levels above SKU × warehouse: exact sums of means, and quantiles of the sums from joint samples."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from forecasting.models import AggregateForecast, ForecastRun
from forecasting.selectors.stored import stored_forecasts
from forecasting.services.copying import array_text, copy_rows
from forecasting.services.hierarchy.gathering import Gathering, gather_channels
from forecasting.services.hierarchy.papers import PAST_DAYS, AddedUp, Cell, add_up_chunks, categories_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.hierarchy import Dependence

SAMPLES = 200
Level = AggregateForecast.Level
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


def add_up_levels(run: ForecastRun) -> int:
    """Replace the run's rows of groups by what its chunks gathered; returns how many there are.

    Where a chunk gathered nothing, the saved forecasts are read, which says the same.
    """
    found = add_up_chunks(run)
    return save_levels(run) if found is None else _replaced(run, found)


def save_levels(run: ForecastRun) -> int:
    """Replace the run's rows of groups by what its saved forecasts add up to; returns how many there are.

    Reads them part by part, so that its memory does not grow with their number; locks nothing but its own rows. Safe to
    run twice.
    """
    cells: Gathering[Cell] = Gathering(run.quantile_levels)
    channels: Gathering[int] = Gathering(run.quantile_levels)
    for part in stored_forecasts(run):
        categories = categories_of(part.pairs[:, 0].tolist())
        keys = [(categories.get(sku), warehouse) for sku, warehouse in part.pairs.tolist()]
        cells.add(keys, part.mean, part.quantiles)
        gather_channels(channels, run, part)
    return 0 if cells.sums is None else _replaced(run, AddedUp(cells, channels, _days_sold(run)))


def _replaced(run: ForecastRun, found: AddedUp) -> int:
    from forecasting.engine.hierarchy import fit_dependence

    cells, channels = found.cells.ordered(), found.channels.ordered()
    if cells.sums is None:
        return 0
    # How much all series move together, from how much the total strayed from its own season in half a year.
    dependence = fit_dependence(found.sold, cells.sums)
    rows = [*_cell_rows(run, cells, dependence), *_channel_rows(run, channels, dependence)]
    with transaction.atomic():
        AggregateForecast.objects.filter(run=run).delete()
        copy_rows(AggregateForecast, _COLUMNS, rows)
    return len(rows)


def _days_sold(run: ForecastRun) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"run": run.pk, "since": run.as_of - timedelta(days=PAST_DAYS), "as_of": run.as_of})
        return [float(units) for (units,) in cursor.fetchall()]


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
LEFT JOIN (
    forecasting_demandhistory d
    JOIN forecasting_forecast f ON f.run_id = %(run)s AND (f.sku_id, f.warehouse_id) = (d.sku_id, d.warehouse_id)
) ON d.day = calendar.day::date
GROUP BY calendar.day ORDER BY calendar.day
"""
