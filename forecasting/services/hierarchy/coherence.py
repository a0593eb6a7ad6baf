"""Where the company lets higher levels lead: the saved forecasts are moved until every level agrees."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from forecasting.models import ForecastRules, ForecastRun
from forecasting.selectors.stored import StoredForecasts, stored_forecasts
from forecasting.services.copying import array_text, escaped
from forecasting.services.hierarchy.channels import save_channels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.hierarchy import Tree

BASE_DAYS = 730
BASE_WINDOW = 28
LEVELS = ("category", "warehouse", "cell")


@dataclass
class Moved:
    """Forecasts after their move, named and shaped as in PanelForecast."""

    mean: "NDArray[np.float64]"
    quantiles: "NDArray[np.float64]"
    protection_mean: "NDArray[np.float64] | None"
    protection_quantiles: "NDArray[np.float64] | None"


def reconcile_run(run: ForecastRun, method: str) -> int:
    """Move the run's forecasts to what `method` makes of all levels; returns how many changed.

    The levels above SKU × warehouse are forecast on their own first, from their own demand. Means move by the ratio of
    coherent to own mean, day by day, quantiles with them, those of the protection interval by the ratio of its sums.
    Bottom-up changes nothing. One transaction; the run is not complete yet, so nobody reads it meanwhile.
    """
    if method == ForecastRules.Hierarchy.BOTTOM_UP:
        return 0
    import numpy as np

    from forecasting.engine.hierarchy import reconcile

    parts = list(_light(run))
    if not parts:
        return 0
    pairs, mean, spread = (np.concatenate([part[k] for part in parts]) for k in range(3))
    tree = _tree(run, pairs)
    upper, above = _base_of_levels(run, tree, pairs)
    base, variances = np.concatenate([upper, mean]), np.concatenate([above, spread**2 + 1e-9])
    coherent = reconcile(tree, base, method=method, middle="category", variances=variances)
    ratio = np.where(mean > 1e-9, coherent / np.maximum(mean, 1e-9), 1.0)
    return _moved(run, ratio)


def _light(run: ForecastRun) -> Any:
    """(pairs, means, daily standard deviation) part by part, without the quantiles."""
    import numpy as np

    for part in stored_forecasts(run):
        days, top = part.protection[:, 0], part.protection[:, -1]
        sd = np.maximum(top - part.protection[:, 1], 0.0) / 2.33 / np.sqrt(np.maximum(days, 1))
        yield part.pairs, part.mean, sd


def _tree(run: ForecastRun, pairs: "NDArray[np.int64]") -> "Tree":
    import numpy as np

    from forecasting.engine.hierarchy import Tree

    with connection.cursor() as cursor:
        cursor.execute(_CATEGORIES, [sorted(set(pairs[:, 0].tolist()))])
        category = dict(cursor.fetchall())
    of = np.array([category[sku] for sku in pairs[:, 0].tolist()])
    codes = [np.unique(x, return_inverse=True)[1] for x in (of, pairs[:, 1])]
    cell = np.unique(codes[0] * (codes[1].max() + 1) + codes[1], return_inverse=True)[1]
    return Tree.of(dict(zip(LEVELS, (*codes, cell), strict=True)))


def _base_of_levels(
    run: ForecastRun, tree: "Tree", pairs: "NDArray[np.int64]"
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Own forecasts (nodes, h) of all levels above the bottom, and the variances (nodes,) of a day's error."""
    import numpy as np

    from forecasting.engine import Panel, forecast_panel
    from forecasting.selectors import demand_panel

    total = np.zeros((int(sum(tree.counts)), BASE_DAYS))
    for begin in range(0, len(pairs), 5000):
        rows = slice(begin, begin + 5000)
        some = [(sku, place) for sku, place in pairs[rows].tolist()]
        values, _starts = demand_panel(some, until=run.as_of, days=BASE_DAYS)
        total += tree.above[:, rows] @ np.nan_to_num(values)
    sold = total.cumsum(axis=1) > 0
    starts = np.where(sold.any(axis=1), sold.argmax(axis=1), BASE_DAYS - 1)
    panel = Panel(
        ids=tuple(str(i) for i in range(len(total))),
        values=total,
        starts=starts.astype(np.int64),
        freq="D",
        origin_ds=run.as_of - timedelta(days=BASE_DAYS - 1),
    )
    windows = np.full(len(total), BASE_WINDOW)
    result = forecast_panel(panel, horizon=run.horizon_days, quantiles=(0.5, 0.95), per_series_windows=windows)
    spread = result.protection_sd if result.protection_sd is not None else np.zeros(len(total))
    return result.mean, spread**2 / BASE_WINDOW + 1e-9


def _moved(run: ForecastRun, ratio: "NDArray[np.float64]") -> int:
    """Write every forecast times its ratios (n, h), in the order of SKU and warehouse, and share it out anew."""
    done = 0
    with transaction.atomic():
        for part in list(stored_forecasts(run)):
            some = ratio[done : done + len(part.pairs)]
            _write(run, part, some)
            done += len(part.pairs)
    return done


def _write(run: ForecastRun, part: StoredForecasts, ratio: "NDArray[np.float64]") -> None:
    import io

    import numpy as np

    from forecasting.engine.hierarchy import to_grid

    mean, quantiles = to_grid(part.mean * ratio), part.quantiles * ratio[:, None, :]
    days = np.clip(part.protection[:, 0].astype(int), 1, ratio.shape[1]) - 1
    old, new = (np.take_along_axis(x.cumsum(axis=1), days[:, None], axis=1) for x in (part.mean, mean))
    sums = part.protection[:, 1:] * np.where(old > 1e-9, new / np.maximum(old, 1e-9), 1.0)
    text = io.StringIO()
    for i, (sku, warehouse) in enumerate(part.pairs.tolist()):
        nested = "{" + ",".join(array_text(level) for level in np.round(quantiles[i], 4).tolist()) + "}"
        row = [sku, warehouse, array_text(mean[i].tolist()), nested, float(sums[i, 0])]
        text.write("\t".join(escaped(x) for x in [*row, array_text(np.round(sums[i, 1:], 4).tolist())]) + "\n")
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        cursor.copy_expert("COPY moved_forecast FROM STDIN", text)
        cursor.execute(_UPDATE, [run.pk])
        cursor.execute("DROP TABLE moved_forecast")
    moved = Moved(mean, np.swapaxes(quantiles, 1, 2), sums[:, 0], sums[:, 1:])
    save_channels(run, [(sku, warehouse) for sku, warehouse in part.pairs.tolist()], moved)


_CATEGORIES = """
SELECT s.id, coalesce(p.category_id, 0) FROM catalog_sku s JOIN catalog_product p ON p.id = s.product_id
WHERE s.id = ANY (%s)
"""

_TABLE = """
CREATE TEMP TABLE moved_forecast (sku_id bigint, warehouse_id bigint, mean real[], quantiles real[],
                                  protection_mean float8, protection_quantiles float8[]) ON COMMIT DROP
"""

_UPDATE = """
UPDATE forecasting_forecast f
SET mean = m.mean, quantiles = m.quantiles, protection_mean = m.protection_mean,
    protection_quantiles = m.protection_quantiles
FROM moved_forecast m WHERE f.run_id = %s AND (f.sku_id, f.warehouse_id) = (m.sku_id, m.warehouse_id)
"""
