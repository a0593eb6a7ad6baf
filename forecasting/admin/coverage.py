"""Coverage as it was lived: on how many days demand stayed at or below the 95 % quantile, lag by lag."""

from datetime import date, timedelta
from typing import Any

from django.db import connection

from forecasting.services.accuracy import run_of_lag

LEVEL = 0.95
# More series than this say no more about a share: every so-manieth is read.
_MOST_SERIES = 3000


def coverage_of_weeks(newest: date, *, weeks: int, lag: int) -> float | None:
    """Of the series in stock in these weeks; None where no forecast of that lag knew the quantile."""
    spans = []
    for n in range(weeks):
        week = newest - timedelta(weeks=n)
        run = run_of_lag(week, lag)
        if run is not None and LEVEL in run.quantile_levels:
            first = (week - run.as_of).days
            every = max(run.series_count // _MOST_SERIES, 1)
            spans.append((run.pk, week, first, first + 6, run.quantile_levels.index(LEVEL) + 1, every))
    if not spans:
        return None
    names = ("runs", "weeks", "firsts", "lasts", "places", "every")
    values: dict[str, Any] = dict(zip(names, (list(column) for column in zip(*spans, strict=True)), strict=True))
    values |= {"lag": lag, "oldest": min(span[1] for span in spans), "until": newest + timedelta(days=6)}
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, values)
        within, days = cursor.fetchone()
    return within / days if days else None


_COVERED = """
WITH span AS (
    SELECT * FROM unnest(%(runs)s::bigint[], %(weeks)s::date[], %(firsts)s::int[], %(lasts)s::int[], %(places)s::int[],
                         %(every)s::int[]) AS span(run_id, week, first, last, place, every)
), expected AS (
    SELECT f.sku_id, f.warehouse_id, span.week + high.day::int - 1 AS day, high.units
    FROM span
    JOIN forecasting_forecast f ON f.run_id = span.run_id AND f.sku_id %% span.every = 0
    JOIN forecasting_forecastaccuracy a ON a.sku_id = f.sku_id AND a.warehouse_id = f.warehouse_id
         AND a.week = span.week AND a.lag_weeks = %(lag)s AND a.was_in_stock >= 1
    CROSS JOIN LATERAL unnest(f.quantiles[span.place:span.place][span.first:span.last])
         WITH ORDINALITY AS high(units, day)
), demand AS (
    SELECT sku_id, warehouse_id, day, sum(quantity)::float8 AS units FROM forecasting_demandhistory
    WHERE day BETWEEN %(oldest)s AND %(until)s GROUP BY 1, 2, 3
)
SELECT count(*) FILTER (WHERE coalesce(demand.units, 0) <= expected.units + 0.0001), count(*)
FROM expected LEFT JOIN demand USING (sku_id, warehouse_id, day)
"""
