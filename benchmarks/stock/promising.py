"""Measure what may be promised: a thousand SKUs of one channel in one request, out of 100,000 SKUs in 2 warehouses.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/promising.py --prepare    # once: makes the database
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/promising.py >> table.md

In a database of its own (`entrepot_bench_promising`): every SKU has a level in both warehouses, every third something
reserved, every fifth 1 to 3 open purchase order lines, every tenth a transfer under way, every seventh backorders,
every 20th a quota of another channel and every 50th is a kit of two parts. All of them are listed. Measured, as
medians over --times requests made in this process by Django's test client, token check and JSON included: the whole
time, and our own CPU; and the publisher: changes of a thousand SKUs, and the sweep over all listings.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_promising"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "stock")]

from benchmarks.databases import fresh_database  # noqa: E402

SKUS = 100_000
ASKED = 1000


def prepare() -> None:
    fresh_database(NAME)
    from django.db import connection

    _fill()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _fill() -> None:
    """Rows written straight into the tables: the ledger behind them is not what is measured here."""
    from django.db import connection
    from django.utils import timezone

    from catalog.models import Category, Channel, KitPart, Listing, Product, Sku
    from procurement.models import PurchaseOrder, PurchaseOrderLine, Supplier
    from warehouses.models import (
        ChannelQuota,
        ChannelRoute,
        Location,
        SalesOrder,
        SalesOrderLine,
        StockLevel,
        Transfer,
        TransferLine,
        Warehouse,
    )

    chance, now = random.Random(1), timezone.now()
    today = now.date()
    product = Product.objects.create(code="P", name="P", category=Category.objects.create(code="ALL", name="All"))
    kit_from = SKUS - SKUS // 50
    Sku.objects.bulk_create(
        [Sku(code=f"S{n}", name=f"SKU {n}", product=product, is_kit=n >= kit_from) for n in range(SKUS)], 5000
    )
    ids = list(Sku.objects.order_by("pk").values_list("pk", flat=True))
    stocked, kits = ids[:kit_from], ids[kit_from:]
    KitPart.objects.bulk_create(
        [
            KitPart(kit_id=kit, part_id=part, quantity=units)
            for kit in kits
            for units, part in enumerate(chance.sample(stocked, 2), start=1)
        ],
        5000,
    )
    houses = [Warehouse.objects.create(code=code, name=code.title(), country="GB") for code in ("MAIN", "NORTH")]
    places = [Location.objects.create(warehouse=house, code="A-01") for house in houses]
    web, market = (Channel.objects.create(code=code, name=code.title()) for code in ("WEB", "MARKET"))
    ChannelRoute.objects.bulk_create(
        [ChannelRoute(channel=web, warehouse=house, rank=rank) for rank, house in enumerate(houses)]
        + [ChannelRoute(channel=market, warehouse=houses[1])]
    )
    Channel.objects.filter(pk=web.pk).update(buffer_quantity=2)
    Listing.objects.bulk_create([Listing(channel=web, sku_id=pk, unit_price=9) for pk in ids], 5000)
    table = StockLevel._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        StockLevel.objects.bulk_create(
            [
                StockLevel(
                    sku_id=pk,
                    location=place,
                    on_hand=20 + pk % 100,
                    reserved=chance.randrange(20) if pk % 3 == 0 else 0,
                )
                for pk in stocked
                for place in places
            ],
            5000,
        )
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    supplier = Supplier.objects.create(code="S", name="S", email="s@example.com")
    for lap in range(3):
        order = PurchaseOrder.objects.create(
            number=f"PO-{lap}", supplier=supplier, warehouse=houses[lap % 2], status="sent", currency="GBP", sent_at=now
        )
        PurchaseOrderLine.objects.bulk_create(
            [
                PurchaseOrderLine(
                    order=order,
                    line_number=n,
                    sku_id=pk,
                    quantity=50,
                    original_quantity=50,
                    unit_cost=1,
                    need_by=today + timedelta(days=chance.randrange(1, 60)),
                )
                for n, pk in enumerate(stocked[lap :: 5 * (lap + 1)], start=1)
            ],
            5000,
        )
    transfer = Transfer.objects.create(
        number="TR-1",
        key="1",
        source=houses[1],
        destination=houses[0],
        status="in_transit",
        expected_on=today + timedelta(days=4),
        created_at=now,
    )
    TransferLine.objects.bulk_create(
        [
            TransferLine(transfer=transfer, line_number=n, sku_id=pk, quantity=10, shipped_quantity=10)
            for n, pk in enumerate(stocked[::10], start=1)
        ],
        5000,
    )
    waiting = SalesOrder.objects.create(
        channel=web, external_id="W", status="backordered", currency="GBP", ordered_at=now
    )
    SalesOrderLine.objects.bulk_create(
        [
            SalesOrderLine(order=waiting, line_number=n, sku_id=pk, warehouse=houses[0], quantity=5, unit_price=1)
            for n, pk in enumerate(stocked[::7], start=1)
        ],
        5000,
    )
    ChannelQuota.objects.bulk_create(
        [ChannelQuota(channel=market, sku_id=pk, quantity=15) for pk in stocked[::20]], 5000
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--prepare", action="store_true", help="make the database")
    options.add_argument("--times", type=int, default=20)
    chosen = options.parse_args()
    if chosen.prepare:
        prepare()
        return
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.utils import timezone
    from list_page import Statements, headers

    from catalog.models import Sku
    from warehouses.services.availability import note_changes, publish_all, publish_changes

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    client, chance = Client(headers=headers()), random.Random(2)
    print("| what | statements | ms, median | worst | of it database | CPU of ours |")
    print("|---|---|---|---|---|---|")
    for asked in (10, 100, ASKED):
        times, database, cpu, seen = [], [], [], Statements()
        for _ in range(chosen.times + 2):
            body = {"channel": "WEB", "skus": [f"S{n}" for n in chance.sample(range(SKUS), asked)]}
            seen = Statements()
            with connection.execute_wrapper(seen):
                begin, worked = time.perf_counter(), time.process_time()
                answer = client.post("/api/v1/available-to-promise/", body, content_type="application/json")
                times.append((time.perf_counter() - begin) * 1000)
            assert answer.status_code == 200, answer.content[:300]
            assert len(answer.json()["results"]) == asked
            cpu.append((time.process_time() - worked) * 1000)
            database.append(seen.seconds * 1000)
        show(f"API: {asked} SKUs", seen.count, times[2:], database[2:], cpu[2:])
    swept = timed(lambda: publish_all(now=timezone.now()))
    show("sweep of all listings (the first tells them all)", "", [swept], [])
    show("the sweep again, none told", "", [timed(lambda: publish_all(now=timezone.now()))], [])
    skus = list(Sku.objects.filter(is_kit=False).values_list("pk", flat=True)[:ASKED])
    times = []
    for _ in range(5):
        note_changes(skus)
        times.append(timed(lambda: publish_changes(now=timezone.now())))
    show("publisher: changes of 1,000 SKUs", "", times, [])


def timed(call: Any) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def show(
    what: str, statements: object, times: list[float], database: list[float], cpu: list[float] | None = None
) -> None:
    said = f"{statistics.median(database):.0f} | {statistics.median(cpu or [0]):.0f}" if database else " | "
    print(f"| {what} | {statements} | **{statistics.median(times):.0f}** | {max(times):.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
