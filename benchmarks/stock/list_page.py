"""Measure a filtered list page of 50 stock levels out of 100,000: our CPU, and the time the database takes.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/list_page.py --prepare     # once: makes the database
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/list_page.py >> table.md

In a database of its own (`entrepot_bench_levels`): 25,000 SKUs, each in 4 locations of 2 warehouses. Counted, as
medians over --times requests made in this process by Django's test client, token check and JSON included:

- CPU: this process's own (user and system) from the request to its rendered answer, drivers included;
- database: the sum over all statements of the time from sending one to having all its rows here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_levels"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402

SKUS = 25_000
SOME = ",".join(f"S{number}" for number in range(0, SKUS, SKUS // 25))
PAGES = {
    "of one warehouse": "warehouse=MAIN",
    "of one warehouse, with stock of 100 or more": "warehouse=MAIN&on_hand__gte=100",
    "of one location, most first": "warehouse=MAIN&location=A-01&ordering=-on_hand",
    "with nothing on hand": "on_hand=0",
    "in storage, least first, from a bound": "location_kind=storage&ordering=on_hand&on_hand__gte=3",
    "of 25 SKUs": f"sku__in={SOME}",
}


def prepare() -> None:
    fresh_database(NAME)
    from django.db import connection

    _fill()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _fill() -> None:
    from django.db import connection

    from catalog.models import Category, Product, Sku
    from warehouses.models import Location, StockLevel, Warehouse

    category = Category.objects.create(code="ALL", name="All")
    product = Product.objects.create(code="P", name="Product", category=category)
    Sku.objects.bulk_create(
        [Sku(code=f"S{n}", name=f"SKU {n}", product=product, unit_price=9, unit_cost=4) for n in range(SKUS)], 5000
    )
    places = [
        Location.objects.create(warehouse=warehouse, code=code)
        for warehouse in (Warehouse.objects.create(code=c, name=c.title(), country="GB") for c in ("MAIN", "NORTH"))
        for code in ("A-01", "A-02")
    ]
    skus = list(Sku.objects.order_by("pk").values_list("pk", flat=True))
    table = StockLevel._meta.db_table
    with connection.cursor() as cursor:  # the ledger behind these levels is not what is measured here
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        StockLevel.objects.bulk_create(
            [
                StockLevel(sku_id=sku, location=place, on_hand=(sku * 7919 + at * 31) % 997)
                for sku in skus
                for at, place in enumerate(places)
            ],
            5000,
        )
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def headers() -> dict[str, str]:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from knox.models import AuthToken

    user, _ = get_user_model().objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="Viewer"))
    return {"Authorization": f"Token {AuthToken.objects.create(user)[1]}"}


class Statements:
    """How many statements ran, and how long they took."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - begin
            self.count += 1


def measure(client: Any, query: str, times: int) -> str:
    from django.db import connection

    cpu, database, seen = [], [], Statements()
    for _ in range(times + 3):
        seen = Statements()
        with connection.execute_wrapper(seen):
            begin = time.process_time()
            answer = client.get(f"/api/v1/stock-levels/?page_size=50&{query}")
            cpu.append((time.process_time() - begin) * 1000)
        assert answer.status_code == 200, answer.content[:300]
        assert len(answer.json()["results"]) == 50
        database.append(seen.seconds * 1000)
    cpu, database = cpu[3:], database[3:]
    return (
        f"{seen.count} | {len(answer.content) / 1000:.0f} | **{statistics.median(cpu):.1f}** | {max(cpu):.1f} | "
        f"**{statistics.median(database):.1f}** | {max(database):.1f}"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--prepare", action="store_true", help="make the database")
    options.add_argument("--times", type=int, default=50)
    chosen = options.parse_args()
    if chosen.prepare:
        prepare()
        return
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None  # as in the web processes, whose threads keep theirs
    client = Client(headers=headers())
    print("| stock levels | statements | KB | CPU ms, median | worst | database ms, median | worst |")
    print("|---|---|---|---|---|---|---|")
    for name, query in PAGES.items():
        print(f"| {name} | {measure(client, query, chosen.times)} |", flush=True)


if __name__ == "__main__":
    main()
