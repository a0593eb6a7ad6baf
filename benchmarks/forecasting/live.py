"""Measure what is live: an order in the next nowcast, a batch of signals, what to recommend among 5,000 SKUs.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/forecasting/live.py --prepare    # once: makes the database
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/forecasting/live.py >> table.md

In a database of its own (`entrepot_bench_live`): 5,000 SKUs in 2 warehouses with a forecast of 56 days each as of
yesterday, all listed in one channel; 60 days of 2,000 orders of 2 lines up to now; a transfer under way of every tenth
SKU and a quota of another channel of every 50th. Measured through the web server (uvicorn, one process), token check
and JSON included, as medians over --times calls: an order posted, then its nowcast; the nowcast alone; batches of
10,000 lines of signals, all new days and all known days; the first page of what to recommend.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_live"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.api.run import Server  # noqa: E402
from benchmarks.databases import fresh_database  # noqa: E402

os.environ["ENTREPOT_DB_NAME"] = NAME  # the other benchmark names its own when it is imported

FILL = """
SELECT set_config('entrepot.stock_writer', 'on', false);
INSERT INTO catalog_category (code, name) VALUES ('ALL', 'All');
INSERT INTO catalog_product (code, name, category_id)
  SELECT 'P' || n, 'Product ' || n, (SELECT id FROM catalog_category) FROM generate_series(1, 5000) n;
INSERT INTO catalog_sku (code, name, product_id, barcode, status, unit_price, unit_cost, created_at)
  SELECT 'S' || row_number() OVER (ORDER BY id), name, id, '', 'active', 9, 1 + id % 7, now() FROM catalog_product;
INSERT INTO catalog_channel (code, name, kind, currency, time_zone, priority, ignored_codes, is_active)
  VALUES ('WEB', 'Web', 'web_shop', 'GBP', 'UTC', 1, '', true), ('SHOP', 'Shop', 'store', 'GBP', 'UTC', 2, '', true);
INSERT INTO warehouses_warehouse (code, name, city, country, time_zone, is_active)
  VALUES ('MAIN', 'Main', '', 'GB', 'UTC', true), ('NORTH', 'North', '', 'GB', 'UTC', true);
INSERT INTO warehouses_channelroute (channel_id, warehouse_id, rank)
  SELECT c.id, w.id, row_number() OVER (PARTITION BY c.id ORDER BY w.id) FROM catalog_channel c, warehouses_warehouse w;
INSERT INTO warehouses_location (warehouse_id, code, kind, is_active)
  SELECT id, 'A-01', 'storage', true FROM warehouses_warehouse;
INSERT INTO catalog_listing (channel_id, sku_id, external_id, unit_price, is_active)
  SELECT (SELECT min(id) FROM catalog_channel), id, '', 9, true FROM catalog_sku;
INSERT INTO warehouses_stocklevel (sku_id, location_id, on_hand, reserved, updated_at)
  SELECT s.id, l.id, 1000 + s.id % 90, s.id % 5, now() FROM catalog_sku s, warehouses_location l;
INSERT INTO warehouses_salesorder (channel_id, external_id, status, is_history, customer_reference, ship_to_country,
                                   currency, ordered_at, recorded_at)
  SELECT (SELECT min(id) FROM catalog_channel), 'W-' || n, 'shipped', true, 'C' || n % 5000, 'GB', 'GBP',
         now() - n * interval '43 seconds', now()
  FROM generate_series(1, 120000) n;
INSERT INTO warehouses_salesorderline (order_id, line_number, sku_id, warehouse_id, quantity, unit_price,
                                       reserved_quantity, shipped_quantity, cancelled_quantity, returned_quantity)
  SELECT o.id, k, (SELECT min(id) FROM catalog_sku) + (power(random() * 0.99999, 3) * 5000)::int % 5000,
         (SELECT min(id) FROM warehouses_warehouse) + o.id % 2, 2, 9, 0, 0, 0, 0
  FROM warehouses_salesorder o, generate_series(1, 2) k ORDER BY o.id, k;
"""


def prepare() -> None:
    fresh_database(NAME)
    from django.db import connection

    for statement in FILL.split(";\n")[:-1]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    _forecasts()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _forecasts() -> None:
    from django.utils import timezone

    from catalog.models import Channel, Sku
    from config.kernel.models import Job
    from forecasting.models import Forecast, ForecastRun
    from forecasting.services.history import refresh_demand
    from warehouses.models import ChannelQuota, Transfer, TransferLine, Warehouse

    refresh_demand()
    now = timezone.now()
    run = ForecastRun.objects.create(
        job=Job.objects.create(kind="plan", state=Job.State.DONE),
        as_of=now.date() - timedelta(days=1),
        horizon_days=56,
        quantile_levels=[0.5, 0.8, 0.9, 0.95, 0.99],
        input_fingerprint="f",
        is_complete=True,
    )
    skus, places = list(Sku.objects.order_by("pk")), list(Warehouse.objects.order_by("pk"))
    Forecast.objects.bulk_create(
        [
            Forecast(
                run=run,
                sku=sku,
                warehouse=place,
                method="naive",
                reason="",
                mean=[1.0 + n % 50] * 56,
                quantiles=[[(1.0 + n % 50) * q] * 56 for q in (1, 1.3, 1.5, 1.7, 2)],
                protection_days=20,
                protection_mean=20.0 * (1 + n % 50),
                protection_sd=5.0 * (1 + n % 50),
                protection_quantiles=[20.0 * (1 + n % 50) * q for q in (1, 1.2, 1.3, 1.4, 1.6)],
            )
            for n, sku in enumerate(skus)
            for place in places
        ],
        1000,
    )
    moving = Transfer.objects.create(
        number="T-1", source=places[0], destination=places[1], status="in_transit", expected_on=now, created_at=now
    )
    TransferLine.objects.bulk_create(
        TransferLine(transfer=moving, line_number=n, sku=sku, quantity=9, shipped_quantity=9)
        for n, sku in enumerate(skus[::10], 1)
    )
    other = Channel.objects.get(code="SHOP")
    ChannelQuota.objects.bulk_create(ChannelQuota(channel=other, sku=sku, quantity=10) for sku in skus[::50])


def token(role: str) -> str:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from knox.models import AuthToken

    user, _ = get_user_model().objects.get_or_create(username=f"bench-{role.lower()}")
    user.groups.add(Group.objects.get(name=role))
    return str(AuthToken.objects.create(user)[1])


class Caller:
    """The API as an integration sees it."""

    def __init__(self, base: str) -> None:
        self.base = f"{base}/api/v1/"
        self.headers = {"Authorization": f"Token {token('Integration')}", "Content-Type": "application/json"}

    def __call__(self, path: str, body: Any = None) -> tuple[float, Any]:
        """(ms, answer)"""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=self.headers)  # noqa: S310
        begin = time.perf_counter()
        answer = urllib.request.urlopen(request).read()  # noqa: S310
        return (time.perf_counter() - begin) * 1000, json.loads(answer)


def report(name: str, took: list[float], more: str = "") -> None:
    print(f"| {name} | {statistics.median(took):.0f} | {max(took):.0f} | {more} |", flush=True)


def measure_nowcast(call: Caller, times: int) -> None:
    first, _answer = call("forecasts/S1/nowcast")
    alone = [call(f"forecasts/S{n + 1}/nowcast")[0] for n in range(times)]
    changed = []
    for n in range(times):
        _ms, before = call("forecasts/S7/nowcast")
        order = {
            "channel": "WEB",
            "external_id": f"L-{time.time_ns()}",
            "currency": "GBP",
            "ordered_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "lines": [{"sku": "S7", "quantity": "3", "unit_price": "9"}],
        }
        call("orders/", order)
        begin = time.perf_counter()
        _ms, after = call("forecasts/S7/nowcast")
        changed.append((time.perf_counter() - begin) * 1000)
        assert after["total"]["today"]["observed"] == before["total"]["today"]["observed"] + 3, n
    report("nowcast of a SKU", alone, f"first call of the process {first:.0f} ms")
    report("order committed → in the nowcast", changed, "answer of the POST to answer of the GET")


def measure_signals(call: Caller, times: int) -> None:
    for name, fresh in (("10,000 lines of signals, new days", True), ("the same days again", False)):
        took = []
        for n in range(max(times // 5, 3)):
            day = (time.time() - 86400 * (2 + (n if fresh else 0) * 2)) // 86400 * 86400
            dates = [time.strftime("%Y-%m-%d", time.gmtime(day - 86400 * k)) for k in (0, 1)]
            lines = [
                {"sku": f"S{k // 2 + 1}", "at": dates[k % 2], "page_views": k, "cart_adds": 1, "wishes": 1}
                for k in range(10_000)
            ]
            ms, answer = call("signals/", {"channel": "WEB", "batch_id": f"{name}-{time.time_ns()}", "lines": lines})
            assert answer["taken"] == 10_000
            took.append(ms)
        report(name, took, f"{10_000 / statistics.median(took) * 1000:,.0f} lines a second")


def measure_recommendable(call: Caller, times: int) -> None:
    for name, path in (
        ("recommendable, 5,000 SKUs of a channel", "recommendable/?channel=WEB"),
        ("recommendable, whole house", "recommendable/"),
    ):
        call(path)
        report(name, [call(path)[0] for _ in range(times)])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--prepare", action="store_true", help="make the database")
    options.add_argument("--times", type=int, default=20)
    chosen = options.parse_args()
    if chosen.prepare:
        prepare()
        return
    import django

    django.setup()
    print("| what | median ms | worst ms | |")
    print("|---|---|---|---|")
    with Server() as base:
        call = Caller(base)
        measure_nowcast(call, chosen.times)
        measure_signals(call, chosen.times)
        measure_recommendable(call, chosen.times)


if __name__ == "__main__":
    main()
