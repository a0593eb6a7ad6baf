"""Measure one receipt of many lines: statements, wall clock and our CPU.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/receipt.py            # makes its database each time
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/receipt.py --lines 100 --times 20 >> table.md

In a database of its own (`entrepot_bench_receipt`). Each time a sent purchase order of --lines lines is received whole
in one document through `procurement.services.receipts.receive_goods`, committed: every second run names a new lot for
each line. Medians over --times runs. InvenTree 1.5-dev for 100 lines, measured: 1,047 statements, 2.6 s.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_receipt"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402


def prepare() -> None:
    fresh_database(NAME)


def fill(lines: int) -> tuple[Any, Any, list[Any]]:
    from catalog.models import Category, Product, Sku
    from procurement.models import Supplier
    from warehouses.models import Location, Warehouse

    category = Category.objects.create(code="ALL", name="All")
    product = Product.objects.create(code="P", name="Product", category=category)
    skus = Sku.objects.bulk_create(
        [Sku(code=f"S{n}", name=f"SKU {n}", product=product, unit_price=9, unit_cost=4) for n in range(lines)]
    )
    warehouse = Warehouse.objects.create(code="MAIN", name="Main", country="GB")
    Location.objects.create(warehouse=warehouse, code="DOCK", kind=Location.Kind.RECEIVING)
    return warehouse, Supplier.objects.create(code="N", name="Northwind", email="n@n.example"), skus


def sent_order(number: int, warehouse: Any, supplier: Any, skus: list[Any]) -> Any:
    from django.utils import timezone

    from procurement.models import PurchaseOrder, PurchaseOrderLine

    now = timezone.now()
    order = PurchaseOrder.objects.create(
        number=f"B-{number}", supplier=supplier, warehouse=warehouse, currency="GBP", status="sent", sent_at=now
    )
    PurchaseOrderLine.objects.bulk_create(
        [
            PurchaseOrderLine(
                order=order,
                line_number=n,
                sku=sku,
                quantity=10,
                original_quantity=10,
                unit_cost=Decimal("4.00"),
                need_by=now.date() + timedelta(days=7),
            )
            for n, sku in enumerate(skus, start=1)
        ]
    )
    return order


def measure(lines: int, times: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from procurement.services.receipts import ReceivedLine, receive_goods

    warehouse, supplier, skus = fill(lines)
    found: dict[bool, list[tuple[int, float, float]]] = {False: [], True: []}
    for run in range(2 * times + 2):
        with_lots = bool(run % 2)
        order = sent_order(run, warehouse, supplier, skus)
        rows = [ReceivedLine(n.pk, n.quantity, f"L{run}" if with_lots else "") for n in order.lines.all()]
        count = 0

        def counted(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
            nonlocal count
            count += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(counted):
            begin, cpu = time.perf_counter(), time.process_time()
            receive_goods(order.pk, rows, key=f"bench-{run}", actor=None, now=timezone.now())
            took, busy = time.perf_counter() - begin, time.process_time() - cpu
        if run > 1:  # the first of each kind warms up
            found[with_lots].append((count, took, busy))
    print("| receipt | statements | seconds | CPU seconds |\n|---|---|---|---|")
    for with_lots, runs in found.items():
        counts, seconds, busy_seconds = (statistics.median(column) for column in zip(*runs, strict=True))
        words = f"{lines} lines, {'each of a new lot' if with_lots else 'no lots'}"
        print(f"| {words} | {counts:.0f} | {seconds:.3f} | {busy_seconds:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    prepare()
    measure(chosen.lines, chosen.times)


if __name__ == "__main__":
    main()
