"""Measure the one writer of stock: one movement a call, and many rows in one call.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/posting.py

In a database of its own (`entrepot_bench_posting`): 2,000 SKUs in one warehouse. One call: one client, each call a
transaction; counted are its SQL statements, this process's CPU and the time on the wall. Bulk: calls of --rows moves
over all SKUs, each call its own transaction; the database process's CPU is read beside, because on a busy machine the
wall shows the neighbours. The process's peak memory is told after the first and after the last bulk call.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_posting"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

SKUS = 2000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=500)
    options.add_argument("--rows", type=int, default=5000)
    options.add_argument("--bulk-calls", type=int, default=12)
    options.add_argument("--method", choices=("fifo", "avco"), default="fifo")
    chosen = options.parse_args()
    from benchmarks.databases import fresh_database

    fresh_database(NAME)
    from warehouses.models import StockRules

    StockRules.objects.filter(pk=1).update(valuation=chosen.method)
    skus, place = _places()
    print("| what | statements (and BEGIN, COMMIT) | CPU ms a call | wall ms a call | calls a second |")
    print("|---|---|---|---|---|")
    for kind, quantity in (("receipt", 50), ("sale", -1), ("adjustment", 1)):
        print(_single(kind, Decimal(quantity), skus, place, chosen.calls))
    print("\n| bulk | rows a second | our CPU µs a row | database CPU µs a row | peak MB first → last call |")
    print("|---|---|---|---|---|")
    for kind, quantity in (("receipt", 50), ("sale", -1), ("count", 1)):
        print(_bulk(kind, Decimal(quantity), skus, place, chosen.rows, chosen.bulk_calls))
    _prove()


def _places() -> tuple[list[int], int]:
    from catalog.models import Product, Sku
    from warehouses.models import Location, Warehouse

    product = Product.objects.create(code="P", name="Product")
    Sku.objects.bulk_create(
        [Sku(code=f"S{n}", name=f"SKU {n}", product=product, unit_cost=Decimal("2.5")) for n in range(SKUS)]
    )
    warehouse = Warehouse.objects.create(code="MAIN", name="Main")
    place = Location.objects.create(warehouse=warehouse, code="A-01")
    return list(Sku.objects.order_by("pk").values_list("pk", flat=True)), place.pk


def _moves(kind: str, quantity: Decimal, skus: list[int], place: int, count: int) -> list[Any]:
    from warehouses.services.stock import Move

    run = uuid.uuid4().hex
    cost = Decimal("3.1") if quantity > 0 else None
    return [Move(kind, skus[n % SKUS], place, quantity, f"{run}:{n}", unit_cost=cost) for n in range(count)]


def _single(kind: str, quantity: Decimal, skus: list[int], place: int, calls: int) -> str:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from warehouses.services.stock import post_movements

    moves = _moves(kind, quantity, skus, place, calls + 50)
    for move in moves[:49]:
        post_movements([move], happened_at=timezone.now())
    with CaptureQueriesContext(connection) as seen:
        post_movements([moves[49]], happened_at=timezone.now())
    wall, cpu = time.perf_counter(), time.process_time()
    for move in moves[50:]:
        post_movements([move], happened_at=timezone.now())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    statements = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in seen)
    return f"| {kind} | {statements} | {cpu / calls * 1000:.2f} | {wall / calls * 1000:.2f} | {calls / wall:,.0f} |"


def _bulk(kind: str, quantity: Decimal, skus: list[int], place: int, rows: int, calls: int) -> str:
    from django.utils import timezone

    from warehouses.services.stock import post_movements

    wall = cpu = database = 0.0
    peaks = []
    for _call in range(calls):
        moves = _moves(kind, quantity, skus, place, rows)
        before = time.perf_counter(), time.process_time(), _database_cpu()
        post_movements(moves, happened_at=timezone.now())
        after = time.perf_counter(), time.process_time(), _database_cpu()
        wall += after[0] - before[0]
        cpu += after[1] - before[1]
        database += after[2] - before[2]
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    total = rows * calls
    micro = 1e6 / total
    return (
        f"| {kind}, {calls} calls of {rows:,} | {total / wall:,.0f} | {cpu * micro:.1f} | {database * micro:.1f} "
        f"| {peaks[0]} → {peaks[-1]} |"
    )


def _database_cpu() -> float:
    """CPU seconds that our backend of the database has used (it runs on this machine)."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _prove() -> None:
    """The figures count only when the books agree."""
    from django.core.management import call_command

    call_command("audit_stock")


if __name__ == "__main__":
    main()
