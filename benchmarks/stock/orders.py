"""Measure orders through the API: how many one-line orders a second are recorded with their stock reserved.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/orders.py --prepare     # once: makes the database
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/stock/orders.py >> table.md
    … --case one --seconds 60 --clients 16                                                 # the rest has defaults

In a database of its own (`entrepot_bench_orders`): 1,000 SKUs with stock in one warehouse, one channel, one token. The
web processes are those of `bin/start` (`config.supervisor`), on a free port; worker and timetable are not started.
Clients are processes with one kept connection each, which send prebuilt bytes and read no more of an answer than its
status and length, so that they take little of the machine; their CPU is reported all the same. Every order has its own
Idempotency-Key. Afterwards the database must hold exactly the orders and reservations that were acknowledged.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "entrepot_bench_orders"
os.environ["ENTREPOT_DB_NAME"] = NAME
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
sys.path.insert(0, str(ROOT))

from benchmarks.databases import fresh_database  # noqa: E402
from benchmarks.serving import Server, answer  # noqa: E402

SKUS, STOCK = 1000, 1_000_000
CASES = {"spread": f"one-line orders over {SKUS:,} SKUs", "one": "one-line orders, all of one SKU"}
HEAD = """\
| orders | clients | a second | p50 / p95 / p99 ms | other answers | cores: web / PostgreSQL / clients | proof: \
acknowledged = orders = units |
|---|---|---|---|---|---|---|"""
TICKS = os.sysconf("SC_CLK_TCK")


# --- the database -------------------------------------------------------------------------------------------------
def prepare() -> None:
    """Make the database anew: master data through the models, stock through the API, as anybody would."""
    fresh_database(NAME)
    from django.db import connection

    _fill()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _fill() -> None:
    from django.conf import settings
    from django.test import Client

    from catalog.models import Category, Channel, Product, Sku
    from warehouses.models import ChannelRoute, Location, Warehouse

    category = Category.objects.create(code="ALL", name="All")
    product = Product.objects.create(code="P", name="Product", category=category)
    for number in range(SKUS):
        Sku.objects.create(code=f"S{number}", name=f"SKU {number}", product=product, unit_price=9, unit_cost=4)
    warehouse = Warehouse.objects.create(code="MAIN", name="Main", country="GB")
    Location.objects.create(warehouse=warehouse, code="A-01")
    channel = Channel.objects.create(code="WEB", name="Web")
    ChannelRoute.objects.create(channel=channel, warehouse=warehouse)
    settings.ALLOWED_HOSTS = ["testserver"]
    clerk = Client(headers={"Authorization": f"Token {token('Warehouse clerk')}"})
    for number in range(SKUS):
        adjustment = {
            "sku": f"S{number}",
            "warehouse": "MAIN",
            "location": "A-01",
            "quantity": str(STOCK),
            "kind": "opening",
            "unit_cost": "0.01",
            "reason": "count",
        }
        answer = clerk.post("/api/v1/stock-movements/", adjustment, content_type="application/json")
        assert answer.status_code == 201, answer.content[:300]


def token(role: str) -> str:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from knox.models import AuthToken

    user, _ = get_user_model().objects.get_or_create(username=f"bench {role}")
    user.groups.add(Group.objects.get(name=role))
    return str(AuthToken.objects.create(user)[1])


def recorded() -> tuple[int, Decimal, Decimal]:
    """(orders, units reserved by the levels, units reserved by the lines) as the database has them now."""
    from django.db.models import Sum

    from warehouses.models import SalesOrder, SalesOrderLine, StockLevel

    levels = StockLevel.objects.aggregate(n=Sum("reserved"))["n"] or Decimal(0)
    lines = SalesOrderLine.objects.aggregate(n=Sum("reserved_quantity"))["n"] or Decimal(0)
    return SalesOrder.objects.count(), levels, lines


# --- the clients --------------------------------------------------------------------------------------------------
def client(port: int, head: str, run: str, number: int, case: str, until: float, report: Any) -> None:
    """Send one order after the other until the time is up; report [(when it was answered, seconds)], other answers."""
    took: list[tuple[float, float]] = []
    others: list[int | str] = []
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = 0
    while (begin := time.monotonic()) < until:
        sku = 0 if case == "one" else (sent * 7 + number * 131) % SKUS
        name = f"{run}-{number}-{sent}"
        sent += 1
        body = (
            f'{{"channel":"WEB","external_id":"{name}","customer_reference":"C-{number}","ship_to_country":"GB",'
            f'"ordered_at":"2026-03-02T08:15:00Z","lines":[{{"sku":"S{sku}","quantity":"1","unit_price":"9.00"}}]}}'
        )
        connection.sendall(f"{head}Idempotency-Key: {name}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        try:
            status = answer(connection)
        except OSError as error:
            others.append(str(error))
            break
        now = time.monotonic()
        if status == 201:
            took.append((now, now - begin))
        else:
            others.append(status)
    used = resource.getrusage(resource.RUSAGE_SELF)
    report.send((took, others, used.ru_utime + used.ru_stime))


def measure(case: str, server: Server, *, clients: int, seconds: float, warm: float, secret: str) -> dict[str, Any]:
    from django.db import connections

    before = recorded()
    connections.close_all()  # the clients are forked
    head = (
        "POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Token {secret}\r\n"
    )
    fork = multiprocessing.get_context("fork")
    begin, run = time.monotonic(), f"{case}{int(time.time())}"
    pipes, processes = [], []
    for number in range(clients):
        ours, theirs = fork.Pipe(False)
        process = fork.Process(
            target=client, args=(server.port, head, run, number, case, begin + warm + seconds, theirs)
        )
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    time.sleep(begin + warm - time.monotonic())
    used = [cpu_of(server.pids()), cpu_of(postgres())]
    time.sleep(seconds)
    used = [(now - then) / seconds for now, then in zip([cpu_of(server.pids()), cpu_of(postgres())], used, strict=True)]
    reports = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    used.append(sum(spent for *_, spent in reports) / (seconds + warm))
    counted = [took for made, *_ in reports for at, took in made if begin + warm <= at < begin + warm + seconds]
    acknowledged = sum(len(made) for made, *_ in reports)
    others = [other for _, others, _ in reports for other in others]
    time.sleep(0.2)
    after = recorded()
    orders, levels, lines = after[0] - before[0], after[1] - before[1], after[2] - before[2]
    return {
        "rate": len(counted) / seconds,
        "took": sorted(counted),
        "others": others,
        "cpu": used,
        "acknowledged": acknowledged,
        "is_right": acknowledged == orders == levels == lines,
        "found": (orders, levels, lines),
    }


def postgres() -> list[int]:
    """PostgreSQL's first process, if it is the embedded one; its children are counted with it."""
    from django.conf import settings

    from config.embedded.stack import Stack

    pids = set(Stack(Path(settings.DATA_DIR), redis=False).servers[0].processes())
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[1]) not in pids]


def cpu_of(roots: list[int]) -> float:
    """CPU seconds used so far by these processes and everything below them, those that have ended included."""
    stats = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    children: dict[int, list[int]] = {}
    for pid, fields in stats.items():
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)

    def total(pid: int) -> float:
        return sum(map(int, stats[pid][11:15])) / TICKS + sum(map(total, children.get(pid, ())))

    return sum(total(pid) for pid in roots if stats.get(pid))


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def row(case: str, clients: int, found: dict[str, Any], note: str) -> str:
    took = found["took"]
    cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    times = " / ".join(f"{cuts[at - 1] * 1000:.0f}" for at in (50, 95, 99))
    shares = " / ".join(f"{cores:.2f}" for cores in found["cpu"])
    proof = f"{found['acknowledged']} = {found['found'][0]} = {plainly(found['found'][1])}"
    return (
        f"| {CASES[case]}{', ' + note if note else ''} | {clients} | **{found['rate']:.0f}** | {times} | "
        f"{len(found['others'])} | {shares} | {proof if found['is_right'] else 'WRONG: ' + str(found['found'])} |"
    )


def plainly(number: Decimal) -> str:
    return f"{number:.0f}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--prepare", action="store_true", help="make the database")
    options.add_argument("--case", choices=[*CASES], action="append", help="default: each")
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seconds", type=float, default=20, help="what is counted")
    options.add_argument("--warm", type=float, default=3, help="seconds before that")
    options.add_argument("--note", default="", help="put beside the name of the case")
    options.add_argument("--no-head", action="store_true", help="the rows alone")
    options.add_argument("--during", help="a command to run meanwhile, with {pids} of the web processes")
    chosen = options.parse_args()
    if chosen.prepare:
        prepare()
        return 0
    import django

    django.setup()
    secret = token("Integration")
    right = True
    if not chosen.no_head:
        print(HEAD)
    for case in chosen.case or [*CASES]:
        with Server() as server:
            if chosen.during:
                os.system(chosen.during.format(pids=",".join(map(str, server.pids()))) + " &")  # noqa: S605
            found = measure(
                case, server, clients=chosen.clients, seconds=chosen.seconds, warm=chosen.warm, secret=secret
            )
        print(row(case, chosen.clients, found, chosen.note), flush=True)
        if found["others"]:
            print(f"other answers: {found['others'][:10]}", file=sys.stderr)
        right = right and bool(found["is_right"]) and not found["others"]
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
