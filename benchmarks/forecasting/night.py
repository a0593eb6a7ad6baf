"""A whole night: N daily series of two years through Celery with two workers, then one more day brought up to date.

    ENTREPOT_DATA_DIR=/tmp/night ENTREPOT_DB_NAME=night .venv/bin/python benchmarks/forecasting/night.py 1000 10000

Each size has a database made anew. The series are drawn from a seed: slow ones that sell on a tenth of the days,
middling ones, and one in six that sells nearly daily, with weeks, years and trends; a quarter of all days has sales.
Demand is written straight into its table, so reading the orders is no part of what is measured; all else is, from the
message that starts the plan to the finished job. Memory is that of the two workers with their pools, sampled from
/proc; PostgreSQL's (shared pages counted once) stands beside it. `--kill` ends a pool process with SIGKILL mid-way.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.databases import fresh_database
from benchmarks.forecasting.night_world import DAYS, LAST_DAY, add_demand, make_skus

WORKERS = 2


@dataclass
class Measured:
    """What one plan took: seconds by step, and the most memory (MiB) that was seen at one time."""

    seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    workers_mib: float = 0.0
    postgres_mib: float = 0.0
    workers_cpu: float = 0.0
    postgres_cpu: float = 0.0
    killed: bool = False


@contextmanager
def workers(data_dir: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two of the project's own worker processes, one task at a time each."""
    started = []
    for number in range(WORKERS):
        command = [
            sys.executable,
            "-m",
            "config.supervisor.worker",
            "-A",
            "config",
            "worker",
            "-c",
            "1",
            "-l",
            "WARNING",
        ]
        command += ["-n", f"night-{number}-{os.getpid()}@{socket.gethostname()}"]
        log = (data_dir / f"night-worker-{number}.log").open("wb")
        started.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))
    try:
        yield started
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGQUIT)
        for process in started:
            process.wait(20)


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def memory_mib(pids: list[int], what: str) -> float:
    """Rss or Pss of these processes together."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))
    return total / 1024


def cpu_seconds(pids: list[int]) -> float:
    """Of all of them, with those of their children that have ended."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return total


def postmaster(data_dir: Path) -> int:
    from config.embedded.stack import Stack

    found = Stack(data_dir).layout.postgres_data / "postmaster.pid"
    return int(found.read_text().split()[0]) if found.exists() else 0


def watch(job: Any, running: list[subprocess.Popen[bytes]], *, kills: bool, data_dir: Path) -> Measured:
    """Follow the job to its end."""
    measured, began, before = Measured(), time.monotonic(), time.monotonic()
    server = postmaster(data_dir)
    at_first = cpu_seconds([pid for process in running for pid in family(process.pid)])
    server_at_first = cpu_seconds(family(server))
    while True:
        job.refresh_from_db()
        now = time.monotonic()
        step = job.step if job.state == job.State.RUNNING else f"({job.state})"
        measured.steps[step] = measured.steps.get(step, 0.0) + now - before
        before = now
        ours = [pid for process in running for pid in family(process.pid)]
        measured.workers_mib = max(measured.workers_mib, memory_mib(ours, "Rss"))
        if server:
            measured.postgres_mib = max(measured.postgres_mib, memory_mib(family(server), "Pss"))
        if kills and not measured.killed and job.total and job.done > 0.3 * job.total:
            os.kill(family(running[0].pid)[-1], signal.SIGKILL)
            measured.killed = True
        if job.state not in job.OPEN:
            measured.seconds = now - began
            measured.workers_cpu = cpu_seconds(ours) - at_first
            measured.postgres_cpu = cpu_seconds(family(server)) - server_at_first
            assert job.state == job.State.DONE, job.error
            return measured
        time.sleep(0.2)


def plan(running: list[subprocess.Popen[bytes]], data_dir: Path, *, kills: bool = False, **options: Any) -> Measured:
    from config.kernel.jobs import send_to_worker
    from procurement.services.planning import queue_plan

    job = queue_plan(refreshes=False, **options)
    send_to_worker(job)
    return watch(job, running, kills=kills, data_dir=data_dir)


def night(series: int, *, mode: str, kills: bool, data_dir: Path) -> dict[str, Any]:
    from django.db import connection

    from forecasting.models import Forecast, ForecastRun

    skus = make_skus(series)
    rows = add_demand(skus, first=LAST_DAY - timedelta(days=DAYS - 1), days=DAYS, seed=1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with workers(data_dir) as running:
        learnt = plan(running, data_dir, kills=kills, mode=mode)
        run = ForecastRun.objects.latest("pk")
        redone = run.chunks.filter(attempts__gt=1).count()
        assert Forecast.objects.filter(run=run).count() == series, "not every series was forecast once"
        add_demand(skus, first=LAST_DAY + timedelta(days=1), days=1, seed=2)
        update = plan(running, data_dir, mode=mode, is_update=True)
        assert Forecast.objects.filter(run=ForecastRun.objects.latest("pk")).count() == series
        took = [seconds or 0.0 for seconds in run.chunks.values_list("seconds", flat=True)]
    chunk = sum(took) / max(len(took), 1)
    return {"series": series, "rows": rows, "learnt": learnt, "update": update, "redone": redone, "chunk": chunk}


def told(found: list[dict[str, Any]]) -> None:
    print(
        "| series | demand rows | night s | series/s | s per 1,000 | workers MiB | PostgreSQL MiB | update s | redone |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for one in found:
        learnt, n = one["learnt"], one["series"]
        print(
            f"| {n:,} | {one['rows']:,} | {learnt.seconds:.1f} | {n / learnt.seconds:.0f} "
            f"| {1000 * learnt.seconds / n:.2f} | {learnt.workers_mib:.0f} | {learnt.postgres_mib:.0f} "
            f"| {one['update'].seconds:.1f} | {one['redone']}{' (killed)' if learnt.killed else ''} |"
        )
    for one in found:
        for name in ("learnt", "update"):
            steps = ", ".join(f"{step or '…'} {seconds:.1f}" for step, seconds in one[name].steps.items())
            print(f"\n{one['series']:,} {name}: {steps}; a chunk {one['chunk']:.2f} s on average")
            print(f"CPU: workers {one[name].workers_cpu:.0f} s, PostgreSQL {one[name].postgres_cpu:.0f} s")
    if len(found) > 1:
        first, last = found[0], found[-1]
        ratio = (last["learnt"].seconds / last["series"]) / (first["learnt"].seconds / first["series"])
        print(f"\nCost of a series at {last['series']:,} against {first['series']:,}: {ratio:.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    options.add_argument("--mode", default="everyday")
    options.add_argument("--kill", action="store_true", help="end a pool process with SIGKILL mid-way")
    arguments = options.parse_args()
    assert os.environ.get("ENTREPOT_DB_NAME"), "say ENTREPOT_DB_NAME: the database is dropped and made anew"
    from django.conf import settings
    from django.db import connection

    found: list[dict[str, Any]] = []
    for size in arguments.sizes:
        if found:
            connection.close()
        fresh_database(os.environ["ENTREPOT_DB_NAME"])
        found.append(night(size, mode=arguments.mode, kills=arguments.kill, data_dir=Path(settings.DATA_DIR)))
        print(f"{date.today()} {size:,} done", file=sys.stderr)
    told(found)


if __name__ == "__main__":
    main()
