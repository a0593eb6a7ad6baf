"""The proposing step of a plan: inputs → decisions → proposals, for many SKUs of which few are to be ordered.

    export ENTREPOT_DATA_DIR=/tmp/bench ENTREPOT_DB_NAME=bench_plan
    .venv/bin/python benchmarks/optimisation/plan.py --rows 100000

Drops the database named, makes it anew with forecasts, stock and suppliers drawn from a seed, and plans twice: wall and
processor time, peak memory, queries, and that the second plan changes nothing.
"""

import argparse
import os
import resource
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
AS_OF = date(2026, 3, 1)
LEVELS = [0.5, 0.75, 0.9, 0.95, 0.99]
BLOCK = 5000


def make_world(rows: int) -> int:
    """So many SKUs in one warehouse, of 50 suppliers, 1 in 20 with too little stock; returns the run's id."""
    from catalog.models import Product, Sku
    from config.kernel.models import Job
    from forecasting.models import ForecastRun
    from procurement.models import Supplier
    from warehouses.models import Location, Warehouse

    place = Warehouse.objects.create(code="MAIN", name="Main", country="GB")
    shelf = Location.objects.create(warehouse=place, code="A-01")
    product = Product.objects.create(code="P", name="Product")
    suppliers = Supplier.objects.bulk_create(
        Supplier(code=f"S{n}", name=f"Supplier {n}", lead_time_days=14, fixed_order_cost=40) for n in range(50)
    )
    run = ForecastRun.objects.create(
        job=Job.objects.create(kind="plan"), as_of=AS_OF, horizon_days=63, quantile_levels=LEVELS,
        input_fingerprint="b", is_complete=True,
    )  # fmt: skip
    draw = np.random.default_rng(5)
    for begin in range(0, rows, BLOCK):
        numbers = range(begin, min(begin + BLOCK, rows))
        skus = Sku.objects.bulk_create(
            Sku(code=f"N{n:07d}", name=f"Item {n}", product=product, unit_price=9, unit_cost=4) for n in numbers
        )
        _fill(skus, suppliers, run, place, shelf, draw)
    return run.pk


def _fill(skus: list, suppliers: list, run: object, place: object, shelf: Any, draw: np.random.Generator) -> None:
    from forecasting.models import Forecast
    from procurement.models import SupplierItem
    from warehouses.models import StockMovement
    from warehouses.services.stock import Move, post_movements

    rates, low = draw.lognormal(-0.5, 1.2, len(skus)), draw.random(len(skus)) < 0.05
    SupplierItem.objects.bulk_create(
        SupplierItem(supplier=suppliers[sku.pk % 50], sku=sku, unit_cost=4, pack_size=6, minimum_order_quantity=6)
        for sku in skus
    )
    scores = np.array([0.0, 0.674, 1.282, 1.645, 2.326])
    Forecast.objects.bulk_create(
        Forecast(
            run=run, sku=sku, warehouse=place, method="naive", reason="", mean=[rate] * 63, quantiles=[[rate]] * 5,
            protection_days=21, protection_mean=21 * rate, protection_sd=(40 * rate) ** 0.5,
            protection_quantiles=(21 * rate + scores * (40 * rate) ** 0.5).tolist(), demand_class="smooth",
            value_class="B",
        )
        for sku, rate in zip(skus, rates.tolist(), strict=True)
    )  # fmt: skip
    moves = [
        Move(
            kind=StockMovement.Kind.OPENING,
            sku_id=sku.pk,
            location_id=shelf.pk,
            quantity=Decimal(1 if is_low else int(60 * rate + 30)),
            idempotency_key=f"opening:{sku.pk}",
        )
        for sku, rate, is_low in zip(skus, rates.tolist(), low.tolist(), strict=True)
    ]
    for begin in range(0, len(moves), 1000):
        post_movements(moves[begin : begin + 1000], happened_at=datetime(2026, 2, 1, tzinfo=UTC))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    rows = options.parse_args().rows
    from benchmarks.databases import fresh_database

    fresh_database(os.environ["ENTREPOT_DB_NAME"])
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from forecasting.models import ForecastRun
    from procurement.services.proposals import propose_reorders

    run = ForecastRun.objects.get(pk=make_world(rows))
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    connection.cursor().execute("ANALYZE")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name in ("first plan", "again, nothing changed"):
        wall, cpu = time.perf_counter(), time.process_time()
        with CaptureQueriesContext(connection) as queries:
            counts = propose_reorders(run, now=now)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {rows:,} rows, {time.perf_counter() - wall:.1f} s wall, {time.process_time() - cpu:.1f} s CPU, "
            f"peak {peak:.0f} MB ({before:.0f} before), {len(queries)} queries, {counts.below_reorder_point} below, "
            f"{counts.new} new, {counts.changed} changed"
        )


if __name__ == "__main__":
    main()
