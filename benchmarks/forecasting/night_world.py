"""The synthetic house of the night's benchmark: SKUs in one warehouse, and demand drawn from a seed."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAYS = 730
LAST_DAY = date(2026, 6, 30)
BLOCK = 5000
# (share of the series, lowest and highest chance of a day with sales): 25 % of all days have sales
MIXTURE = ((0.50, 0.03, 0.20), (0.34, 0.15, 0.45), (0.16, 0.50, 1.0))


def make_skus(series: int) -> NDArray[np.int64]:
    """The ids of so many SKUs, with a warehouse and a channel that sells them."""
    from catalog.models import Channel, Product, Sku
    from warehouses.models import Warehouse

    Warehouse.objects.get_or_create(code="MAIN", defaults={"name": "Main", "country": "GB"})
    Channel.objects.get_or_create(code="WEB", defaults={"name": "Web", "currency": "GBP", "time_zone": "UTC"})
    product, _made = Product.objects.get_or_create(code="P", defaults={"name": "Product"})
    draw = np.random.default_rng(0)
    costs = np.round(draw.lognormal(1.5, 1.0, series), 2)
    Sku.objects.bulk_create(
        (
            Sku(code=f"N{n:07d}", name=f"Item {n}", product=product, unit_cost=float(cost))
            for n, cost in enumerate(costs)
        ),
        batch_size=5000,
    )
    return np.array(list(Sku.objects.order_by("pk").values_list("pk", flat=True)), dtype=np.int64)


def add_demand(skus: NDArray[np.int64], *, first: date, days: int, seed: int) -> int:
    """Rows of demand of these days, by COPY; returns how many."""
    from django.db import connection

    from catalog.models import Channel
    from warehouses.models import Warehouse

    channel, warehouse = Channel.objects.get().pk, Warehouse.objects.get().pk
    places: dict[str, Any] = {"channel": channel, "warehouse": warehouse, "first": first}
    total = 0
    with connection.cursor() as cursor:
        cursor.execute(_CONSTRAINTS, {"kinds": ["f", "u"] if days > 1 else ["f"]})
        keys = cursor.fetchall()
        for name, _definition in keys:  # the checks of millions of rows are no part of the night
            cursor.execute(f'ALTER TABLE forecasting_demandhistory DROP CONSTRAINT "{name}"')
        cursor.execute("CREATE TEMP TABLE drawn (sku bigint, day int, units int)")
        for begin in range(0, len(skus), BLOCK):
            total += _copy(cursor, skus[begin : begin + BLOCK], begin, first, days, seed)
            cursor.execute(_INSERT, places)
            cursor.execute("TRUNCATE drawn")
        cursor.execute("DROP TABLE drawn")
        for name, definition in keys:
            cursor.execute(f'ALTER TABLE forecasting_demandhistory ADD CONSTRAINT "{name}" {definition}')
    return total


_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = ANY (%(kinds)s::"char"[]) AND conrelid = 'forecasting_demandhistory'::regclass
"""

_INSERT = """
INSERT INTO forecasting_demandhistory
    (sku_id, channel_id, warehouse_id, day, quantity, ordered, cancelled, returned, orders)
SELECT sku, %(channel)s, %(warehouse)s, %(first)s::date + day, units, units, 0, 0, 1 FROM drawn ORDER BY sku, day
"""


def _copy(cursor: object, skus: NDArray[np.int64], begin: int, first: date, days: int, seed: int) -> int:
    units = drawn_units(len(skus), begin, first, days, seed)
    rows, columns = np.nonzero(units)
    record = np.zeros(
        len(rows),
        dtype=[
            ("n", ">i2"),
            ("a", ">i4"),
            ("sku", ">i8"),
            ("b", ">i4"),
            ("day", ">i4"),
            ("c", ">i4"),
            ("units", ">i4"),
        ],
    )
    record["n"], record["a"], record["b"], record["c"] = 3, 8, 4, 4
    record["sku"], record["day"], record["units"] = skus[rows], columns, units[rows, columns]
    body = b"PGCOPY\n\xff\r\n\0" + bytes(8) + record.tobytes() + b"\xff\xff"
    cursor.copy_expert("COPY drawn FROM STDIN (FORMAT binary)", io.BytesIO(body))  # type: ignore[attr-defined]
    return len(rows)


def drawn_units(series: int, begin: int, first: date, days: int, seed: int) -> NDArray[np.int64]:
    """(series, days) units sold: chance of a sale × size of it, both with the week, the size with year and trend."""
    fixed, draw = np.random.default_rng([7, begin]), np.random.default_rng([seed, begin])
    kind = fixed.choice(len(MIXTURE), series, p=[share for share, _low, _high in MIXTURE])
    low, high = np.array([m[1] for m in MIXTURE])[kind], np.array([m[2] for m in MIXTURE])[kind]
    chance = low + (high - low) * fixed.random(series)
    size = fixed.lognormal(0.4, 0.8, series)
    trend, phase = fixed.normal(0, 0.15, series), fixed.random(series)
    week = np.array([1.1, 1.0, 1.0, 1.05, 1.2, 0.95, 0.7])
    day = np.array([(first + timedelta(days=int(d))).toordinal() for d in range(days)])
    year = 1 + 0.3 * np.sin(2 * np.pi * (day[None, :] / 365.25 + phase[:, None]))
    growth = np.exp(trend[:, None] * (day[None, :] - LAST_DAY.toordinal()) / 365.25)
    sells = draw.random((series, days)) < np.minimum(chance[:, None] * week[day % 7], 1.0)
    return np.asarray(sells * (1 + draw.poisson(size[:, None] * year * growth)), dtype=np.int64)
