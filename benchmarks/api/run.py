"""Measure list pages of the API with a million order lines behind them, in the process and through the web server.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/api/run.py --prepare     # once: makes the database, ~2 min
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/api/run.py > table.md

The rows are made by generate_series in a database of their own (`entrepot_bench_api`), which nothing else uses: 200,000
orders of 5 lines, 5,000 SKUs in 2 warehouses, a ledger of 1 million movements. The first SKU has 46,000 lines, the
last ones 73 each.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_api"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402

FILL = """
SELECT set_config('entrepot.stock_writer', 'on', false);
INSERT INTO catalog_category (code, name) VALUES ('ALL', 'All');
INSERT INTO catalog_product (code, name, category_id)
  SELECT 'P' || n, 'Product ' || n, (SELECT id FROM catalog_category) FROM generate_series(1, 5000) n;
INSERT INTO catalog_sku (code, name, product_id, barcode, status, unit_price, unit_cost, created_at)
  SELECT 'S' || row_number() OVER (ORDER BY id), name, id, '', 'active', 9, 4, now() FROM catalog_product;
INSERT INTO catalog_channel (code, name, kind, currency, time_zone, priority, ignored_codes, is_active)
  VALUES ('WEB', 'Web', 'web_shop', 'GBP', 'UTC', 1, '', true), ('SHOP', 'Shop', 'store', 'GBP', 'UTC', 2, '', true);
INSERT INTO warehouses_warehouse (code, name, city, country, time_zone, is_active)
  VALUES ('MAIN', 'Main', '', 'GB', 'UTC', true), ('NORTH', 'North', '', 'GB', 'UTC', true);
INSERT INTO warehouses_location (warehouse_id, code, kind, is_active)
  SELECT id, 'A-01', 'storage', true FROM warehouses_warehouse;
INSERT INTO warehouses_stocklevel (sku_id, location_id, on_hand, reserved, updated_at)
  SELECT s.id, l.id, 100, 5, now() FROM catalog_sku s, warehouses_location l;
INSERT INTO warehouses_salesorder (channel_id, external_id, status, is_history, customer_reference, ship_to_country,
                                   currency, ordered_at, recorded_at)
  SELECT (SELECT min(id) FROM catalog_channel) + n % 2, 'W-' || n,
         CASE WHEN n > 199000 THEN 'reserved' ELSE 'shipped' END, n <= 199000, 'C' || n % 5000, 'GB', 'GBP',
         timestamptz '2024-01-01' + n * interval '5 minutes', now()
  FROM generate_series(1, 200000) n;
INSERT INTO warehouses_salesorderline (order_id, line_number, sku_id, warehouse_id, quantity, unit_price,
                                       reserved_quantity, shipped_quantity, cancelled_quantity, returned_quantity)
  SELECT o.id, k, (SELECT min(id) FROM catalog_sku) + (power(random() * 0.99999, 3) * 5000)::int % 5000,
         (SELECT min(id) FROM warehouses_warehouse) + o.id % 2, 2, 9, 0, CASE WHEN o.is_history THEN 2 ELSE 0 END, 0, 0
  FROM warehouses_salesorder o, generate_series(1, 5) k ORDER BY o.id, k;
INSERT INTO warehouses_stockmovement (kind, sku_id, location_id, quantity, reference, reason, idempotency_key,
                                      happened_at, recorded_at)
  SELECT 'sale', l.sku_id, (SELECT min(id) FROM warehouses_location), -2, 'SH-' || l.order_id, '', 'bench:' || l.id,
         timestamptz '2024-01-01' + l.id * interval '1 minute', now()
  FROM warehouses_salesorderline l;
"""

PAGES = {
    "order lines, newest": "order-lines/?page_size=50",
    "order lines, of a common SKU": "order-lines/?page_size=50&sku=S1",
    "order lines, of a rare SKU": "order-lines/?page_size=50&sku=S4999",
    "order lines, of one order": "order-lines/?page_size=50&external_id=W-77777",
    "orders, newest": "orders/?page_size=50",
    "orders, by day of order": "orders/?page_size=50&ordering=-ordered_at&ordered_at__lte=2025-06-01T00:00:00Z",
    "orders, open": "orders/?page_size=50&status__in=reserved,backordered",
    "order by its number": "orders/?external_id=W-123456",
    "stock levels": "stock-levels/?page_size=50",
    "stock levels, of one SKU": "stock-levels/?sku=S77",
    "stock levels, least first": "stock-levels/?page_size=50&ordering=on_hand&warehouse=MAIN",
    "stock movements, newest": "stock-movements/?page_size=50",
    "stock movements, of a rare SKU": "stock-movements/?page_size=50&sku=S4999",
    "stock movements, of one document": "stock-movements/?reference=SH-77777",
    "SKUs": "skus/?page_size=50",
}


def prepare() -> None:
    """Make the database anew and fill it."""
    fresh_database(NAME)
    from django.db import connection

    for statement in FILL.split(";\n"):
        if statement.strip():
            with connection.cursor() as cursor:
                cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def token() -> str:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from knox.models import AuthToken

    user, _ = get_user_model().objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="Viewer"))
    return AuthToken.objects.create(user)[1]


def in_process(path: str, headers: dict[str, str], times: int) -> tuple[float, float, int, int]:
    """(median ms, worst ms, queries, bytes) of the page, by Django's test client."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers=headers)
    with CaptureQueriesContext(connection) as seen:
        first = client.get(f"/api/v1/{path}")
    assert first.status_code == 200, (path, first.content[:300])
    queries = len(seen)  # now: the next request empties the log
    took = [_timed(lambda: client.get(f"/api/v1/{path}")) for _ in range(times)]
    return statistics.median(took), max(took), queries, len(first.content)


def _timed(call: Any) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def far_page(headers: dict[str, str], pages: int) -> str:
    """The path of the page so many pages of 200 order lines behind the first."""
    from django.test import Client

    client, path = Client(headers=headers), "/api/v1/order-lines/?page_size=200"
    for _ in range(pages):
        path = client.get(path).json()["next"]
    return path.partition("/api/v1/")[2].replace("page_size=200", "page_size=50")


class Server:
    """uvicorn on a free port, as `bin/start` runs it."""

    def __enter__(self) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "config.asgi:application",
            "--port",
            str(port),
            "--log-level",
            "error",
        ]
        self.process = subprocess.Popen(command, cwd=ROOT)
        base = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{base}/livez").read()  # noqa: S310
                return base
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server did not start")

    def __exit__(self, *_: Any) -> None:
        self.process.terminate()
        self.process.wait()


def through_server(base: str, path: str, headers: dict[str, str], times: int) -> float:
    def call() -> None:
        request = urllib.request.Request(f"{base}/api/v1/{path}", headers=headers)  # noqa: S310
        urllib.request.urlopen(request).read()  # noqa: S310

    call()
    return statistics.median(_timed(call) for _ in range(times))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--prepare", action="store_true", help="make the database")
    options.add_argument("--times", type=int, default=30)
    chosen = options.parse_args()
    if chosen.prepare:
        prepare()
        return
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    headers = {"Authorization": f"Token {token()}"}
    pages = PAGES | {"order lines, page 401": far_page(headers, 100)}
    print("| page | queries | KB | median ms | worst ms | median ms through uvicorn |")
    print("|---|---|---|---|---|---|")
    with Server() as base:
        for name, path in pages.items():
            median, worst, queries, size = in_process(path, headers, chosen.times)
            served = through_server(base, path, headers, chosen.times)
            print(f"| {name} | {queries} | {size / 1000:.0f} | {median:.0f} | {worst:.0f} | {served:.0f} |", flush=True)


if __name__ == "__main__":
    main()
