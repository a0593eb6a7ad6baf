"""200 buyers at once, over the API, for the last 100 units (and for the last one).

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/buyers.py

In a database of its own (`entrepot_bench_buyers`), through the web processes of `bin/start`. Every buyer has his own
connection, all send at the same moment. As many orders as units must be taken; the rest must be told "short by n".
The negative control, with the locks taken out, is a test: tests/concurrency.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import os
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_buyers"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402
from benchmarks.serving import Server  # noqa: E402


def prepare(cases: list[int]) -> str:
    fresh_database(NAME)
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.utils import timezone
    from knox.models import AuthToken

    from catalog.models import Channel, Product, Sku
    from warehouses.models import ChannelRoute, Location, Warehouse
    from warehouses.services.stock import Move, post_movements

    user = get_user_model().objects.create(username="shop")
    user.groups.add(Group.objects.get(name="Integration"))
    product = Product.objects.create(code="P", name="Product")
    warehouse = Warehouse.objects.create(code="MAIN", name="Main")
    shelf = Location.objects.create(warehouse=warehouse, code="A-01")
    channel = Channel.objects.create(code="WEB", name="Web", allows_backorders=False)
    ChannelRoute.objects.create(channel=channel, warehouse=warehouse)
    for units in cases:
        sku = Sku.objects.create(code=f"LAST-{units}", name="The last ones", product=product)
        move = Move("opening", sku.pk, shelf.pk, Decimal(units), f"opening:{sku.pk}", unit_cost=Decimal(2))
        post_movements([move], happened_at=timezone.now())
    return str(AuthToken.objects.create(user)[1])


def rush(port: int, token: str, units: int, buyers: int) -> tuple[collections.Counter[str], list[float]]:
    ready = threading.Barrier(buyers)
    said: collections.Counter[str] = collections.Counter()
    took: list[float] = []
    lock = threading.Lock()

    def buy(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        body: dict[str, Any] = {
            "channel": "WEB",
            "external_id": f"B-{units}-{number}",
            "ordered_at": "2026-03-02T08:15:00Z",
            "lines": [{"sku": f"LAST-{units}", "quantity": "1", "unit_price": "9.00"}],
        }
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        ready.wait()
        begin = time.monotonic()
        connection.request("POST", "/api/v1/orders/", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        with lock:
            took.append(time.monotonic() - begin)
            detail = "" if response.status == 201 else f": {answer.get('code')}, {answer.get('detail')}"
            said[f"{response.status}{detail}"] += 1

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(buyers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said, sorted(took)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--buyers", type=int, default=200)
    chosen = options.parse_args()
    cases = [100, 1]
    token = prepare(cases)
    from django.core.management import call_command

    from warehouses.models import SalesOrder, StockLevel

    right = True
    with Server() as server:
        for units in cases:
            said, took = rush(server.port, token, units, chosen.buyers)
            level = StockLevel.objects.get(sku__code=f"LAST-{units}")
            orders = SalesOrder.objects.filter(external_id__startswith=f"B-{units}-").count()
            exact = said["201"] == orders == units == level.reserved and all(
                "short by" in answer for answer in said if answer != "201"
            )
            right = right and exact
            p95 = took[len(took) * 95 // 100] * 1000
            print(
                f"| {chosen.buyers} buyers, {units} units | {dict(said)} | on hand {level.on_hand}, reserved ", end=""
            )
            print(f"{level.reserved}, {orders} orders | p95 {p95:.0f} ms | {'exact' if exact else 'WRONG'} |")
    call_command("audit_stock")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
