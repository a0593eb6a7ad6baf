"""A storm of orders, shipments, cancellations, returns, receipts, transfers and carts, and then the proof.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/storm.py                  # 32 connections, 60 s
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/storm.py --kills 10 --restarts 2

In a database of its own (`entrepot_bench_storm`): 50 SKUs with little stock in 2 warehouses, one channel. Every write
has an Idempotency-Key; what gets no answer, or a 5xx while something was just killed, is sent again with its key. With
--kills the web processes are killed with SIGKILL so often during the storm, with --restarts PostgreSQL is stopped at
once (SIGQUIT) and started again. The proof afterwards, from the database alone:

- `audit_stock`: Σ ledger = levels, reservations = orders, carts and transfers, value = layers = Σ ledger's values;
- every acknowledged write is there, once;
- the last acknowledged requests sent again with their keys are answered as before, and nothing is posted for them.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_storm"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402
from benchmarks.serving import Server  # noqa: E402

SKUS, STOCK, PURCHASES = 50, 60, 40
PROCESSES = 4
# What may honestly be answered when others were faster: nothing there, or not in that state any more.
HONEST = {"insufficient_stock", "wrong_state", "several_warehouses", "nothing_reserved"}


def prepare() -> dict[str, Any]:
    """Master data, little stock, many open purchase orders; (tokens, purchase orders' lines)."""
    fresh_database(NAME)
    from decimal import Decimal

    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.utils import timezone
    from knox.models import AuthToken

    from catalog.models import Channel, Product, Sku
    from procurement.models import PurchaseOrder, PurchaseOrderLine, Supplier
    from warehouses.models import ChannelRoute, Location, Warehouse
    from warehouses.services.stock import Move, post_movements

    now = timezone.now()
    tokens = {}
    for role in ("Warehouse clerk", "Planner", "Integration"):
        user = get_user_model().objects.create(username=role)
        user.groups.add(Group.objects.get(name=role))
        tokens[role] = str(AuthToken.objects.create(user)[1])
    product = Product.objects.create(code="P", name="Product")
    skus = Sku.objects.bulk_create(
        [Sku(code=f"S{n}", name=f"SKU {n}", product=product, unit_cost=Decimal("2.5")) for n in range(SKUS)]
    )
    channel = Channel.objects.create(code="WEB", name="Web")
    warehouses = []
    for code in ("MAIN", "NORTH"):
        warehouse = Warehouse.objects.create(code=code, name=code)
        warehouses.append(warehouse)
        shelf = Location.objects.create(warehouse=warehouse, code="A-01")
        Location.objects.create(warehouse=warehouse, code="DOCK", kind=Location.Kind.RECEIVING)
        Location.objects.create(warehouse=warehouse, code="HOLD", kind=Location.Kind.QUARANTINE)
        ChannelRoute.objects.create(channel=channel, warehouse=warehouse, rank=len(warehouses))
        post_movements(
            [
                Move("opening", sku.pk, shelf.pk, Decimal(STOCK), f"opening:{sku.pk}:{shelf.pk}", unit_cost=Decimal(2))
                for sku in skus
            ],
            happened_at=now,
        )
    supplier = Supplier.objects.create(code="SUP", name="Supplier")
    purchases = []
    for n in range(PURCHASES):
        order = PurchaseOrder.objects.create(
            number=f"PO-S{n:05d}",
            supplier=supplier,
            warehouse=warehouses[n % 2],
            currency="GBP",
            status=PurchaseOrder.Status.SENT,
        )
        lines = PurchaseOrderLine.objects.bulk_create(
            [
                PurchaseOrderLine(
                    order=order,
                    line_number=at,
                    sku=sku,
                    quantity=Decimal(100_000),
                    original_quantity=Decimal(100_000),
                    unit_cost=Decimal("2.75"),
                    need_by=now.date(),
                )
                for at, sku in enumerate(skus, start=1)
            ]
        )
        purchases.append((order.number, [line.pk for line in lines]))
    return {"tokens": tokens, "purchases": purchases}


class Caller:
    """One connection; a write is sent until it has an answer, always with its key."""

    def __init__(self, port: int, number: int, world: dict[str, Any], run: str, until: float) -> None:
        self.port, self.number, self.world, self.run, self.until = port, number, world, run, until
        self.random = random.Random(number)
        self.connection: http.client.HTTPConnection | None = None
        self.sent = 0
        self.acknowledged: list[tuple[str, str, str, str, str, str]] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self.took: list[float] = []
        self.open: list[dict[str, Any]] = []
        self.shipped: list[dict[str, Any]] = []

    def post(self, kind: str, role: str, path: str, body: Any) -> tuple[int, Any]:
        self.sent += 1
        key = f"{self.run}-{self.number}-{self.sent}"
        text = json.dumps(body)
        headers = {
            "Authorization": f"Token {self.world['tokens'][role]}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        begin = time.monotonic()
        while True:
            try:
                status, answer = self._exchange(path, text, headers)
            except (OSError, http.client.HTTPException):
                self.connection = None
                self.counts["no answer, sent again"] += 1
                if time.monotonic() - begin > 60:
                    self.failures.append(f"{kind}: no answer for 60 s")
                    return 0, {}
                time.sleep(0.2)
                continue
            code = answer.get("code", "") if isinstance(answer, dict) else ""
            if (status >= 500 or code == "in_flight") and self.world["faults"]:
                self.counts[f"{status} {code} after a kill, sent again"] += 1
                if time.monotonic() - begin > 60:
                    self.failures.append(f"{kind}: {status} for 60 s")
                    return 0, {}
                time.sleep(0.2)
                continue
            break
        self.took.append(time.monotonic() - begin)
        if status < 300:
            self.counts[kind] += 1
            named = str(answer.get("number") or answer.get("external_id") or answer.get("id"))
            self.acknowledged.append((kind, named, role, path, key, text))
        elif status == 409 and code in HONEST:
            self.counts[f"{kind}: {code}"] += 1
        else:
            self.failures.append(f"{kind} {path}: {status} {json.dumps(answer)[:300]}")
        return status, answer

    def _exchange(self, path: str, text: str, headers: dict[str, str]) -> tuple[int, Any]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.connection.request("POST", f"/api/v1/{path}", text, headers)
        response = self.connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else {}

    def some(self, most: int) -> list[str]:
        return [f"S{n}" for n in self.random.sample(range(SKUS), self.random.randint(1, most))]

    # --- what callers do --------------------------------------------------------------------------------------
    def order(self) -> None:
        name = f"{self.run}-{self.number}-{self.sent}"
        lines = [
            {"sku": sku, "quantity": str(self.random.randint(1, 3)), "unit_price": "9.00"}
            for sku in (*self.some(3), *self.some(1))
        ]
        body = {"channel": "WEB", "external_id": name, "ordered_at": "2026-03-02T08:15:00Z", "lines": lines}
        status, answer = self.post("order", "Integration", "orders/", body)
        if status in (200, 201):
            self.open.append({"id": answer["id"], "name": name})

    def ship(self) -> None:
        if not self.open:
            return self.order()
        order = self.open.pop(self.random.randrange(len(self.open)))
        path = f"orders/{order['id']}/ship/"
        status, answer = self.post("ship", "Warehouse clerk", path, {})
        if status == 409 and answer.get("code") == "several_warehouses":
            for item in answer["items"]:
                body = {"warehouse": item["warehouse"]}
                if self.post("ship", "Warehouse clerk", path, body)[0] == 201:
                    status = 201
        if status == 201:
            self.shipped.append(order)
        return None

    def cancel(self) -> None:
        if self.open:
            order = self.open.pop(self.random.randrange(len(self.open)))
            self.post("cancel", "Integration", f"orders/{order['id']}/cancel/", {})

    def give_back(self) -> None:
        if not self.shipped:
            return
        order = self.shipped.pop(self.random.randrange(len(self.shipped)))
        lines = self._lines(order["id"])
        back = {line["sku"]: 0 for line in lines}
        for line in lines:
            back[line["sku"]] += int(float(line["shipped_quantity"]) - float(line["returned_quantity"]))
        body = {
            "channel": "WEB",
            "external_id": f"R-{order['name']}",
            "order_external_id": order["name"],
            "lines": [
                {"sku": sku, "quantity": str(units), "restock": self.random.random() < 0.7}
                for sku, units in back.items()
                if units
            ],
        }
        if body["lines"]:
            self.post("return", "Warehouse clerk", "returns/", body)

    def _lines(self, order_id: int) -> list[dict[str, Any]]:
        begin = time.monotonic()
        while time.monotonic() - begin < 60:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                headers = {"Authorization": f"Token {self.world['tokens']['Warehouse clerk']}"}
                self.connection.request("GET", f"/api/v1/orders/{order_id}/", headers=headers)
                response = self.connection.getresponse()
                data = response.read()
                if response.status == 200:
                    return json.loads(data)["lines"]
            except (OSError, http.client.HTTPException):
                self.connection = None
            time.sleep(0.2)
        return []

    def receive(self) -> None:
        number, lines = self.random.choice(self.world["purchases"])
        body = {
            "order": number,
            "lines": [
                {"line_id": pk, "quantity": str(self.random.randint(1, 4))} for pk in self.random.sample(lines, 3)
            ],
        }
        self.post("receipt", "Warehouse clerk", "receipts/", body)

    def transfer(self) -> None:
        source, destination = self.random.sample(["MAIN", "NORTH"], 2)
        lines = [{"sku": sku, "quantity": str(self.random.randint(1, 3))} for sku in self.some(3)]
        body = {"source": source, "destination": destination, "lines": lines}
        status, made = self.post("transfer", "Planner", "transfers/", body)
        if status != 201:
            return
        path = f"transfers/{made['number']}"
        if self.post("transfer reserved", "Planner", f"{path}/reserve/", {})[0] >= 300:
            self.post("transfer cancelled", "Planner", f"{path}/cancel/", {})
            return
        if self.post("transfer shipped", "Warehouse clerk", f"{path}/ship/", {})[0] < 300:
            part = {"lines": [{"line_number": 1, "good": "1", "damaged": "0"}]}
            self.post("transfer received in part", "Warehouse clerk", f"{path}/receive/", part)
            if self.random.random() < 0.7:
                self.post("transfer received", "Warehouse clerk", f"{path}/receive/", {})
            else:
                self.post("transfer closed short", "Warehouse clerk", f"{path}/close-short/", {})

    def cart(self) -> None:
        name = f"C-{self.run}-{self.number}-{self.sent}"
        lines = [{"sku": sku, "quantity": "1"} for sku in self.some(2)]
        status, made = self.post(
            "cart", "Integration", "carts/", {"channel": "WEB", "external_id": name, "lines": lines}
        )
        if status == 201 and self.random.random() < 0.8:
            self.post("cart released", "Integration", f"carts/{made['id']}/release/", {})

    def work(self) -> None:
        todo = [self.order] * 8 + [self.ship] * 5 + [self.cancel, self.give_back, self.give_back, self.transfer]
        todo += [self.receive] * 3 + [self.cart] * 2
        while time.monotonic() < self.until:
            self.random.choice(todo)()


def process(port: int, first: int, count: int, world: dict[str, Any], run: str, until: float, pipe: Any) -> None:
    callers = [Caller(port, first + n, world, run, until) for n in range(count)]
    threads = [threading.Thread(target=caller.work) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send([(c.acknowledged, c.counts, c.failures, c.took) for c in callers])


def restart_postgres() -> None:
    from django.conf import settings

    from config.embedded import ensure_servers
    from config.embedded.stack import Stack

    server = Stack(Path(settings.DATA_DIR), redis=False).servers[0]
    pids = set(server.processes())
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        if int(fields[1]) not in pids:
            os.kill(pid, signal.SIGQUIT)
    while server.is_ready():
        time.sleep(0.05)
    ensure_servers(Path(settings.DATA_DIR))


def storm(world: dict[str, Any], connections: int, seconds: float, kills: int, restarts: int) -> list[Any]:
    from django.db import connections as database

    run = f"r{int(time.time())}"
    world["faults"] = bool(kills or restarts)
    with Server() as server:
        database.close_all()
        fork = multiprocessing.get_context("fork")
        until = time.monotonic() + seconds
        pipes, children = [], []
        for at in range(PROCESSES):
            ours, theirs = fork.Pipe(False)
            size = connections // PROCESSES
            child = fork.Process(target=process, args=(server.port, at * size, size, world, run, until, theirs))
            child.start()
            pipes.append(ours)
            children.append(child)
        faults = sorted(
            [(seconds * (n + 0.5) / max(kills, 1), "kill") for n in range(kills)]
            + [(seconds * (n + 0.75) / max(restarts, 1), "restart") for n in range(restarts)]
        )
        begin = until - seconds
        for at, what in faults:
            time.sleep(max(begin + at - time.monotonic(), 0))
            server.kill() if what == "kill" else restart_postgres()
            print(f"{time.monotonic() - begin:5.1f} s: {what}", file=sys.stderr)
        found = [one for pipe in pipes for one in pipe.recv()]
        for child in children:
            child.join()
        replayed = replay(server.port, world, found)
    return [found, replayed]


def replay(port: int, world: dict[str, Any], found: list[Any]) -> dict[str, int]:
    """Send the latest acknowledged requests of every caller again; what they are answered, and what they posted."""
    from warehouses.models import StockMovement

    before = StockMovement.objects.count()
    world["faults"] = False
    verdict: collections.Counter[str] = collections.Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for acknowledged, *_rest in found:
        for _kind, _named, role, path, key, text in acknowledged[-10:]:
            headers = {
                "Authorization": f"Token {world['tokens'][role]}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            }
            connection.request("POST", f"/api/v1/{path}", text, headers)
            response = connection.getresponse()
            response.read()
            verdict[
                "replayed" if response.getheader("Idempotent-Replayed") == "true" else f"NOT: {response.status}"
            ] += 1
    verdict["movements posted by it"] = StockMovement.objects.count() - before
    return dict(verdict)


def prove(found: list[Any]) -> list[str]:
    """What acknowledged writes are missing, and what the books say."""
    from django.core.management import call_command

    from procurement.models import Receipt
    from warehouses.models import Cart, SalesOrder, SalesReturn, Shipment, Transfer

    named: dict[str, set[str]] = collections.defaultdict(set)
    for acknowledged, *_rest in found:
        for kind, name, *_more in acknowledged:
            named[kind].add(name)
    wrong = []
    for kind, model, field in (
        ("order", SalesOrder, "external_id"),
        ("ship", Shipment, "number"),
        ("return", SalesReturn, "external_id"),
        ("receipt", Receipt, "number"),
        ("transfer", Transfer, "number"),
        ("cart", Cart, "external_id"),
    ):
        there = set(model.objects.values_list(field, flat=True))
        if missing := named[kind] - there:
            wrong.append(f"{len(missing)} acknowledged of {kind} are missing: {sorted(missing)[:3]}")
    cancelled = SalesOrder.objects.filter(external_id__in=named["cancel"]).exclude(status__in=["cancelled", "shipped"])
    if cancelled.exists():
        wrong.append(f"{cancelled.count()} acknowledged cancellations are not in the database")
    try:
        call_command("audit_stock")
    except SystemExit:
        wrong.append("audit_stock found drift")
    return wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--kills", type=int, default=0)
    options.add_argument("--restarts", type=int, default=0)
    chosen = options.parse_args()
    world = prepare()
    found, replayed = storm(world, chosen.connections, chosen.seconds, chosen.kills, chosen.restarts)
    counts: collections.Counter[str] = sum((one[1] for one in found), collections.Counter())
    failures = [failure for one in found for failure in one[2]]
    took = sorted(seconds for one in found for seconds in one[3])
    wrong = prove(found)
    for name, count in sorted(counts.items()):
        print(f"| {name} | {count:,} |")
    print(f"| requests a second | {len(took) / chosen.seconds:.0f} |")
    p50, p95, worst = (round(took[at] * 1000) for at in (len(took) // 2, len(took) * 95 // 100, -1))
    print(f"| p50 / p95 / worst ms | {p50} / {p95} / {worst} |")
    print(f"| sent again at the end | {replayed} |")
    print(f"| failed requests | {len(failures)} |")
    for failure in failures[:8]:
        print(f"|   | {failure} |")
    print(f"| violations | {len(wrong)} {wrong or ''} |")
    return 1 if failures or wrong or any(name.startswith("NOT") for name in replayed) else 0


if __name__ == "__main__":
    sys.exit(main())
