"""Measure stock at past moments, and one posting, as the ledger grows.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/as_of.py --movements 100000 1000000 10000000

In a database of its own (`entrepot_bench_as_of`, dropped at the end unless --keep): 100,000 SKUs in 5 warehouses,
receipts and sales over three years, a tenth booked hours late and a fiftieth 40 days late. The ledger is grown to each
of the sizes in turn; at each, --calls single postings through the service are timed. At the last, three monthly balance
sheets a clock are taken, each as if on its own day (so that late movements are in none of them), and questions are
asked halfway and at the end of a month, with and without sheets; both answers must be the same.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_as_of"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--movements", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    options.add_argument("--skus", type=int, default=100_000)
    options.add_argument("--calls", type=int, default=400)
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args()
    from benchmarks.databases import fresh_database

    fresh_database(NAME)
    try:
        _measure(chosen)
    finally:
        if not chosen.keep:
            _drop()


def _measure(chosen: argparse.Namespace) -> None:
    _places(chosen.skus)
    print(
        "| movements in the ledger | one sale, ms: median | best tenth | our CPU | one receipt: median | best tenth |"
    )
    print("|---|---|---|---|---|---|")
    reached, last = 0, max(chosen.movements)
    for size in sorted(chosen.movements):
        took = _timed(lambda size=size, reached=reached: _grow(reached, size, last, chosen.skus))[0]
        reached = size
        sale, receipt = _postings("sale", -1, chosen.calls), _postings("receipt", 1, chosen.calls)
        print(
            f"| {size:,} | **{sale[0]:.2f}** | {sale[1]:.2f} | {sale[2]:.2f} | {receipt[0]:.2f} | {receipt[1]:.2f} |",
            f"<!-- grown in {took:.0f} s -->",
            flush=True,
        )
    _as_of()


def _as_of() -> None:
    from warehouses.models import BalanceSheet
    from warehouses.selectors.as_of import Clock, stock_as_of, stock_as_of_by_warehouse, value_over_time
    from warehouses.services import balances

    months = [datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12)]
    moments = {"halfway": datetime(2025, 12, 16, 12, tzinfo=UTC), "end of the month": END - timedelta(seconds=1)}
    questions = [(clock, name, at) for clock in Clock.values for name, at in moments.items()]
    whole = {(c, n): _timed(lambda c=c, at=at: stock_as_of_by_warehouse(at, clock=c)) for c, n, at in questions}
    print("\n| balance sheet | rows | seconds |\n|---|---|---|")
    known_until = balances.known_until
    for clock in Clock.values:
        for as_of in months:
            balances.known_until = lambda as_of=as_of: as_of
            took, sheet = _timed(lambda c=clock, a=as_of: balances.take_balance_sheet(c, a, now=END))
            print(f"| {clock}, {as_of:%Y-%m-%d} | {sheet.row_count:,} | {took:.1f} |", flush=True)
    balances.known_until = known_until
    _sql("VACUUM ANALYZE warehouses_stockbalance")
    print("\n| value as of | rows | every SKU × warehouse, s | totals by warehouse, s | totals without sheets, s |")
    print("|---|---|---|---|---|")
    for clock, name, at in questions:
        took, rows = min((_timed(lambda c=clock, a=at: stock_as_of(a, clock=c)) for _n in range(2)), key=lambda t: t[0])
        short, totals = _timed(lambda c=clock, a=at: stock_as_of_by_warehouse(a, clock=c))
        long, by_ledger = whole[clock, name]
        assert totals == by_ledger, "the sheets and the ledger differ"
        assert sum(w.value for w in rows.values()) == sum(w.value for w in totals.values())
        print(f"| {clock}, {name} | {len(rows):,} | **{took:.2f}** | {short:.2f} | {long:.2f} |", flush=True)
    sku = next(iter(rows))[0]
    one = [_timed(lambda: stock_as_of(moments["halfway"], sku_ids=[sku]))[0] for _n in range(20)]
    chart = _timed(lambda: value_over_time([END - timedelta(weeks=n) for n in reversed(range(13))]))[0]
    audits = [_timed(lambda pk=pk: balances.audit_sheet(pk, now=END)) for pk in _pks(BalanceSheet)]
    assert all(found == [] for _took, found in audits)
    print(f"\nOne SKU: {statistics.median(one) * 1000:.1f} ms. Thirteen weeks of value: {chart:.2f} s.")
    print(f"Audit of a sheet against the whole ledger: {max(took for took, _found in audits):.1f} s; all agree.")
    size = _sql("SELECT pg_size_pretty(pg_database_size(current_database()))")
    print(f"Database: {size[0][0]}.")


def _pks(model: Any) -> list[int]:
    return list(model.objects.values_list("pk", flat=True))


def _places(skus: int) -> None:
    from catalog.models import Product, Sku
    from warehouses.models import Location, Warehouse

    product = Product.objects.create(code="P", name="Product")
    made = [Sku(code=f"S{n}", name=f"SKU {n}", product=product, unit_cost=2 + n % 7) for n in range(1, skus + 1)]
    Sku.objects.bulk_create(made, 5000)
    for number in range(5):
        warehouse = Warehouse.objects.create(code=f"W{number}", name=f"W{number}", country="GB")
        Location.objects.create(warehouse=warehouse, code="A-01")
    _sql("ANALYZE")


def _grow(reached: int, size: int, last: int, skus: int) -> None:
    """Movements number reached … size of `last`; then levels, pools and layers made anew of their sums."""
    from django.db import transaction

    indexes = _sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'warehouses_stockmovement' AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint WHERE conrelid = 'warehouses_stockmovement'::regclass)"
    )
    keys = _sql(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'warehouses_stockmovement'::regclass AND contype = 'f'"
    )
    with transaction.atomic():  # indexes and references are put back as they were, after the rows
        _sql(
            "SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '256MB'"
        )
        for name, _definition in indexes:
            _sql(f'DROP INDEX "{name}"')
        for name, _definition in keys:
            _sql(f'ALTER TABLE warehouses_stockmovement DROP CONSTRAINT "{name}"')
        _sql("SET LOCAL enable_nestloop = off")
        _sql(_MOVEMENTS, {"reached": reached, "size": size, "last": last, "skus": skus, "start": START, "end": END})
        for _name, definition in indexes:
            _sql(definition)
        for name, definition in keys:
            _sql(f'ALTER TABLE warehouses_stockmovement ADD CONSTRAINT "{name}" {definition}')
    with transaction.atomic():
        _sql("SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '256MB'; SET LOCAL enable_nestloop = off")
        # Not set, each guarded row costs a subtransaction of its trigger, which walks all references yet to be checked.
        _sql("SET LOCAL pgtrigger.ignore = '{}'")
        _sql(_SUMS)
    for table in ("stockmovement", "stocklevel", "stockvalue", "costlayer"):
        _sql(f"VACUUM ANALYZE warehouses_{table}")


def _postings(kind: str, quantity: int, calls: int) -> tuple[float, float, float]:
    """(median, best tenth, our CPU) in ms of one posting. Each is put back by the next run's opposite."""
    from warehouses.models import StockLevel
    from warehouses.services.stock import Move, post_movements

    levels = list(StockLevel.objects.filter(on_hand__gte=2).values_list("sku_id", "location_id")[: 2 * calls])
    run = time.monotonic_ns()
    walls, cpu = [], 0.0
    for number, (sku, place) in enumerate(levels[::2]):
        cost = Decimal(2 + (sku % 7)) if quantity > 0 else None
        move = Move(kind, sku, place, Decimal(quantity), f"one:{run}:{number}", unit_cost=cost)
        before = time.process_time()
        walls.append(_timed(lambda move=move: post_movements([move], happened_at=END + timedelta(days=1)))[0] * 1000)
        cpu += (time.process_time() - before) * 1000
    walls.sort()
    return statistics.median(walls), walls[len(walls) // 10], cpu / len(walls)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _sql(statement: str, parameters: dict[str, Any] | None = None) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None


def _drop() -> None:
    import psycopg2
    from django.conf import settings
    from django.db import connection

    connection.close()
    one = settings.DATABASES["default"]
    server = psycopg2.connect(
        host=one["HOST"], port=one["PORT"], user=one["USER"], password=one["PASSWORD"], dbname="postgres"
    )
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


# Number n is of pair (n × a prime) modulo the pairs, so that each pair is met again after all others. By turns ten come
# in and five go out, at the pair's own cost. Recorded in the order of n.
_MOVEMENTS = """
SELECT set_config('entrepot.stock_writer', 'on', true), set_config('pgtrigger.ignore', '{}', true);
INSERT INTO warehouses_stockmovement
    (kind, sku_id, location_id, status, quantity, unit_cost, value, reference, reason, idempotency_key, happened_at,
     recorded_at)
SELECT CASE WHEN incoming THEN 'receipt' ELSE 'sale' END, sku.id, place.id, 'available', quantity, cost,
       quantity * cost, CASE WHEN incoming THEN 'GR-' ELSE 'SH-' END || n / 20, '', 'b:' || lpad(n::text, 12, '0'),
       recorded_at - CASE WHEN n %% 50 = 7 THEN interval '40 days' WHEN n %% 10 = 3 THEN interval '5 hours'
                     ELSE interval '0' END,
       recorded_at
FROM (
    SELECT n, (n * 7919) %% (5 * %(skus)s::bigint) AS pair, n / (5 * %(skus)s) %% 2 = 0 AS incoming,
           CASE WHEN n / (5 * %(skus)s) %% 2 = 0 THEN 10 ELSE -5 END AS quantity,
           %(start)s::timestamptz + (%(end)s::timestamptz - %(start)s::timestamptz) * (n::float8 / %(last)s)
           AS recorded_at
    FROM generate_series(%(reached)s::bigint, %(size)s::bigint - 1) n
) made
JOIN (SELECT id, unit_cost AS cost, row_number() OVER (ORDER BY id) - 1 AS place FROM catalog_sku) sku
  ON sku.place = pair / 5
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM warehouses_location) place ON place.place = pair %% 5
ORDER BY n
"""

_SUMS = """
SELECT set_config('entrepot.stock_writer', 'on', true), set_config('pgtrigger.ignore', '{}', true);
DELETE FROM warehouses_costlayer;
DELETE FROM warehouses_stocklevel;
DELETE FROM warehouses_stockvalue;
INSERT INTO warehouses_stocklevel (sku_id, location_id, status, on_hand, reserved, updated_at)
SELECT sku_id, location_id, 'available', sum(quantity), 0, now() FROM warehouses_stockmovement GROUP BY 1, 2;
INSERT INTO warehouses_stockvalue (sku_id, warehouse_id, quantity, value)
SELECT move.sku_id, place.warehouse_id, sum(move.quantity), sum(move.value)
FROM warehouses_stockmovement move JOIN warehouses_location place ON place.id = move.location_id GROUP BY 1, 2;
INSERT INTO warehouses_costlayer (sku_id, warehouse_id, received_at, quantity, remaining, value)
SELECT sku_id, warehouse_id, '2023-01-01Z', quantity, quantity, value FROM warehouses_stockvalue WHERE quantity > 0;
SELECT set_config('entrepot.stock_writer', '', true);
"""


if __name__ == "__main__":
    main()
