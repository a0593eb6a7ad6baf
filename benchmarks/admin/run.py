"""How long the admin's lists take over a million order lines: `python benchmarks/admin/run.py`.

Makes its own rows (once) in the data directory it is given (ENTREPOT_DATA_DIR), which must not be one you care for.
Each page is asked for 30 times through the whole stack of middleware in this process; the median and the number of
queries are printed and written to RESULTS.md beside this file.
"""

import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

ORDERS, LINES, SKUS, TIMES = 300_000, 1_000_000, 5_000, 30

MAKE = [
    "INSERT INTO catalog_product (code, name) SELECT 'P' || n, 'Product ' || n FROM generate_series(1, %(skus)s) n",
    """INSERT INTO catalog_sku (code, name, product_id, barcode, status, unit_price, unit_cost, created_at)
       SELECT 'S' || p.id, p.name, p.id, '', 'active', 9, 4, now() FROM catalog_product p""",
    """INSERT INTO catalog_channel (code, name, kind, currency, time_zone, priority, ignored_codes, is_active)
       VALUES ('WEB', 'Web', 'web_shop', 'GBP', 'UTC', 1, '', true)""",
    "SELECT set_config('entrepot.stock_writer', 'on', false)",
    """INSERT INTO warehouses_warehouse (code, name, city, country, time_zone, is_active)
       VALUES ('MAIN', 'Main', '', 'GB', 'UTC', true)""",
    """INSERT INTO warehouses_location (warehouse_id, code, kind, is_active)
       SELECT id, 'A', 'storage', true FROM warehouses_warehouse""",
    """INSERT INTO warehouses_salesorder (channel_id, external_id, status, is_history, customer_reference,
                                          ship_to_country, currency, ordered_at, recorded_at)
       SELECT c.id, 'W-' || n, 'shipped', true, '', 'GB', 'GBP', now() - n * interval '2 minutes', now()
       FROM catalog_channel c, generate_series(1, %(orders)s) n""",
    """INSERT INTO warehouses_salesorderline (order_id, line_number, sku_id, warehouse_id, quantity, unit_price,
                        reserved_quantity, shipped_quantity, cancelled_quantity, returned_quantity)
       SELECT o.first + n %% %(orders)s, n / %(orders)s + 1, s.first + (n::bigint * 7919) %% %(skus)s, w.id,
              2, 9, 0, 2, 0, 0
       FROM generate_series(0, %(lines)s - 1) n, warehouses_warehouse w,
            (SELECT min(id) AS first FROM warehouses_salesorder) o, (SELECT min(id) AS first FROM catalog_sku) s""",
    """INSERT INTO warehouses_stockmovement (kind, sku_id, location_id, quantity, reference, reason, idempotency_key,
                                             happened_at, recorded_at)
       SELECT 'receipt', s.first + n %% %(skus)s, l.id, 1, 'R' || n, '', 'bench:' || n, now() - n * interval '1 minute',
              now()
       FROM generate_series(1, %(lines)s) n, warehouses_location l, (SELECT min(id) AS first FROM catalog_sku) s""",
]


def make_rows() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalog_sku")
        if cursor.fetchone()[0]:
            return
        with transaction.atomic():
            for statement in MAKE:
                cursor.execute(statement, {"skus": SKUS, "orders": ORDERS, "lines": LINES})
        cursor.execute("VACUUM ANALYZE")


def person() -> Client:
    user, _new = get_user_model().objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user, backend="config.kernel.policy.RoleBackend")
    return client


def pages() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, code FROM catalog_sku ORDER BY id OFFSET 17 LIMIT 1")
        sku, code = cursor.fetchone()
    lines = "/admin/warehouses/salesorderline/"
    return {
        "order lines, first page": lines,
        "order lines, page 200": f"{lines}?p=200",
        "order lines, page 19,000": f"{lines}?p=19000",
        "order lines of one SKU (filter)": f"{lines}?sku__id__exact={sku}",
        "order lines, search for a SKU": f"{lines}?q={code}",
        "order lines, search for an order number": f"{lines}?q=W-4711",
        "order lines, search for nothing there is": f"{lines}?q=NOSUCH",
        "sales orders, first page": "/admin/warehouses/salesorder/",
        "stock movements, first page": "/admin/warehouses/stockmovement/",
        "stock movements, search for a reference": "/admin/warehouses/stockmovement/?q=R4711",
    }


def measure(client: Client, path: str) -> tuple[float, float, int]:
    """Median and 95th percentile in milliseconds, and the number of queries."""
    for _warm in range(3):
        assert client.get(path).status_code == 200, path
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
        asked = len(queries)
    took = []
    for _time in range(TIMES):
        start = time.perf_counter()
        client.get(path)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1], asked


def main() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    make_rows()
    client = person()
    lines = [
        "# Admin lists over a million rows\n",
        f"{LINES:,} order lines in {ORDERS:,} orders, {LINES:,} stock movements, {SKUS:,} SKUs; 50 rows a page; "
        f"{TIMES} requests each, one process, whole middleware stack, a machine shared with other work.\n",
        "| page | median ms | p95 ms | queries |",
        "|---|---:|---:|---:|",
    ]
    for name, path in pages().items():
        median, high, queries = measure(client, path)
        lines.append(f"| {name} | {median:.0f} | {high:.0f} | {queries} |")
        print(lines[-1])
    (Path(__file__).parent / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
