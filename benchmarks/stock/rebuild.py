"""Rebuild every level, pool and reservation from the ledger after a soak of a million movements: 0 differences (R9).

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/rebuild.py --movements 1000000

In a database of its own (`entrepot_bench_rebuild`, dropped at the end unless --keep). The soak goes through the one
writer: receipts, sales, adjustments, transfers with their value, status changes; --skus SKUs in three warehouses.
Then levels and pools are added up from the ledger alone, in Python, and compared with what stands in the tables;
`manage.py audit_stock` and one full run of the reconciler are timed beside it; at last one level is tampered with, and
must be found by all three.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_rebuild"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

BATCH = 2000
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--movements", type=int, default=1_000_000)
    options.add_argument("--skus", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args()
    from benchmarks.databases import fresh_database

    fresh_database(NAME)
    try:
        differences = _measure(chosen)
    finally:
        if not chosen.keep:
            _drop()
    raise SystemExit(1 if differences else 0)


def _measure(chosen: argparse.Namespace) -> int:
    from django.core.management import call_command
    from django.utils import timezone

    from warehouses.services.reconciler import reconcile_everything

    rng = random.Random(chosen.seed)
    places, skus = _masters(chosen.skus)
    started = time.monotonic()
    posted = _soak(rng, places, skus, chosen.movements)
    took = time.monotonic() - started
    print(f"soak: {posted:,} movements in {took:.0f} s ({posted / took:,.0f} a second)")
    with_cursor("ANALYZE")
    differences, seconds = _timed(_differences)
    print(f"rebuilt from the ledger in {seconds:.1f} s: {differences} differences")
    status, seconds = _timed(lambda: _exit_status(call_command))
    print(f"manage.py audit_stock: exit status {status}, {seconds:.1f} s")
    found, seconds = _timed(lambda: reconcile_everything(timezone.now()))
    print(f"the reconciler over everything: {found.open} drifts, {seconds:.1f} s")
    wrong = differences + status + found.open
    _tamper()
    after = (_differences(), _exit_status(call_command), reconcile_everything(timezone.now()).open)
    print(f"one level tampered with: {after[0]} difference rebuilt, audit exits {after[1]}, {after[2]} drifts open")
    return wrong if after[0] == 1 and after[1] == 1 and after[2] == 2 else wrong + 1


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
    server.close()


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    return work(), time.monotonic() - started


def _exit_status(call_command: Callable[..., Any]) -> int:
    try:
        call_command("audit_stock", stdout=StringIO())
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def with_cursor(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


def _masters(count: int) -> tuple[list[list[int]], list[int]]:
    """The bins of each of three warehouses, and the SKUs."""
    from catalog.models import Category, Product, Sku
    from warehouses.models import Location, Warehouse

    category = Category.objects.create(code="SOAK", name="Soak")
    product = Product.objects.create(code="SOAK", name="Soak", category=category)
    skus = Sku.objects.bulk_create(
        Sku(code=f"S-{n:05d}", name=f"Soak {n}", product=product, unit_cost=Decimal("2.50")) for n in range(count)
    )
    warehouses = Warehouse.objects.bulk_create(Warehouse(code=f"W{n}", name=f"W{n}") for n in range(3))
    bins = Location.objects.bulk_create(
        Location(warehouse=warehouse, code=f"B-{n}") for warehouse in warehouses for n in range(2)
    )
    return [[row.pk for row in bins[n : n + 2]] for n in (0, 2, 4)], [row.pk for row in skus]


def _soak(rng: random.Random, places: list[list[int]], skus: list[int], wanted: int) -> int:
    from warehouses.services.stock import Move, post_movements

    on_hand: dict[tuple[int, int, str], int] = defaultdict(int)
    number = 0
    while number < wanted:
        moves: list[Any] = []
        arriving: list[tuple[tuple[int, int, str], int]] = []  # may leave again with the next posting
        for _ in range(BATCH):
            sku, warehouse = rng.choice(skus), rng.randrange(3)
            place = rng.choice(places[warehouse])
            have = on_hand[sku, place, "available"]
            quantity, kind = rng.randint(1, 30), rng.random()
            number += 1
            name = f"soak:{number}"
            if have < quantity or kind < 0.25:
                cost = Decimal(rng.randint(100, 999)).scaleb(-2)
                moves.append(Move("receipt", sku, place, Decimal(4 * quantity), name, unit_cost=cost))
                on_hand[sku, place, "available"] += 4 * quantity
                continue
            on_hand[sku, place, "available"] -= quantity
            if kind < 0.85:
                moves.append(Move("sale" if kind < 0.8 else "adjustment", sku, place, Decimal(-quantity), name))
            elif kind < 0.95:
                target = rng.choice(places[(warehouse + 1) % 3])
                moves.append(Move("transfer_out", sku, place, Decimal(-quantity), name))
                moves.append(Move("transfer_in", sku, target, Decimal(quantity), name + "i", carries=(name,)))
                arriving.append(((sku, target, "available"), quantity))
            else:
                moves.append(Move("move", sku, place, Decimal(-quantity), name, is_internal=True))
                damaged = Move("move", sku, place, Decimal(quantity), name + "i", status="damaged", is_internal=True)
                moves.append(damaged)
                on_hand[sku, place, "damaged"] += quantity
        post_movements(moves, happened_at=START + timedelta(seconds=number))
        for key, quantity in arriving:
            on_hand[key] += quantity
    return number


def _differences() -> int:
    """Levels and pools that are not what the ledger, read row by row, adds up to."""
    from django.db import connection, transaction

    levels: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    values: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    warehouse_of = dict(with_cursor("SELECT id, warehouse_id FROM warehouses_location"))
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute("SELECT sku_id, location_id, lot_id, status, quantity, value FROM warehouses_stockmovement")
        while rows := cursor.fetchmany(10_000):
            for sku, place, lot, status, quantity, value in rows:
                levels[sku, place, lot, status] += quantity
                values[sku, warehouse_of[place]] += value
    quantities: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for (sku, place, _lot, _status), quantity in levels.items():
        quantities[sku, warehouse_of[place]] += quantity
    stored = {row[:4]: row[4] for row in with_cursor(
        "SELECT sku_id, location_id, lot_id, status, on_hand FROM warehouses_stocklevel"
    )}  # fmt: skip
    pools = {row[:2]: row[2:] for row in with_cursor(
        "SELECT sku_id, warehouse_id, quantity, value FROM warehouses_stockvalue"
    )}  # fmt: skip
    layers = {row[:2]: row[2:] for row in with_cursor(
        "SELECT sku_id, warehouse_id, sum(remaining), sum(value) FROM warehouses_costlayer GROUP BY 1, 2"
    )}  # fmt: skip
    wrong = sum(stored.get(key, Decimal(0)) != levels.get(key, Decimal(0)) for key in {*stored, *levels})
    for key in {*pools, *values}:
        expected = (quantities[key], values[key])
        wrong += pools.get(key, (0, 0)) != expected
        wrong += layers.get(key, (0, 0)) != expected
    return int(wrong)


def _tamper() -> None:
    from django.db import transaction

    with transaction.atomic():
        with_cursor("SELECT set_config('entrepot.stock_writer', 'on', true)")
        with_cursor(
            "UPDATE warehouses_stocklevel SET on_hand = on_hand + 1 "
            "WHERE id = (SELECT min(id) FROM warehouses_stocklevel)"
        )


if __name__ == "__main__":
    main()
