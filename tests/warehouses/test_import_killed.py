"""R10: an import of sales that is killed again and again is as if it had never begun; only the one that ends counts.

IMPORT_LINES and IMPORT_KILLS set other sizes (nightly: 100000 and 10); a million lines are timed in benchmarks/imports.
"""

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from catalog.models import Sku
from tests.warehouses.importing_files import HEADER
from warehouses.models import SalesImport, SalesOrder, SalesOrderLine

LINES = int(os.environ.get("IMPORT_LINES", 8_000))
KILLS = int(os.environ.get("IMPORT_KILLS", 4))
LINES_AN_ORDER, SKUS = 4, 300
POINTS = ("reading", "orders", "products", "returns")  # halfway through the file, and with what was written before
# Says every step of its progress, then how much memory it took.
IMPORTER = """
import re, sys, django
django.setup()
from django.utils import timezone
from pathlib import Path
from warehouses.services.importing import import_sales
say = lambda step, done, of: print(step, done, of, flush=True)
import_sales(Path(sys.argv[1]), channel_code="SHOP", now=timezone.now(), progress=say)
# Not ru_maxrss, which begins with what the parent had taken.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print("memory", int(peak[1]) // 1024, 0, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_on_the_way_leaves_nothing_and_ends_as_if_never_killed(tmp_path: Path) -> None:
    path = write_sales(tmp_path / "sales.csv")

    for kill in range(KILLS):
        said = run_import(path, until=POINTS[kill % len(POINTS)])
        assert "memory" not in {step for step, _done, _of in said}, "it ended before it could be killed"
        assert SalesOrder.objects.count() == Sku.objects.count() == SalesImport.objects.count() == 0
    *steps, (_word, megabytes, _zero) = run_import(path)

    assert SalesOrder.objects.count() == LINES // LINES_AN_ORDER
    assert SalesOrderLine.objects.count() == LINES
    assert SalesOrderLine.objects.aggregate(n=Sum("quantity"))["n"] == sum(quantity(n) for n in range(LINES))
    assert steps == sorted(steps, key=lambda one: ([step for step, _d, _o in steps].index(one[0]), one[1]))
    assert megabytes < 400


def quantity(line: int) -> Decimal:
    return Decimal(1 + line % 7)


def write_sales(path: Path) -> Path:
    rows = [
        f"{10_000 + n // LINES_AN_ORDER},SKU{n % SKUS},THING {n % SKUS},{quantity(n)},2025-12-01 08:26:00,2.55,1,UK"
        for n in range(LINES)
    ]
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def run_import(path: Path, *, until: str = "") -> list[tuple[str, int, int]]:
    """Import in a process of its own, which is killed (-9) when it comes to this step; what it said of its progress."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "ENTREPOT_DB_NAME": str(connection.settings_dict["NAME"]),
    }
    process = subprocess.Popen([sys.executable, "-c", IMPORTER, str(path)], env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: list[tuple[str, int, int]] = []
    for text in process.stdout:
        step, done, of = text.rsplit(maxsplit=2)
        said.append((step, int(done), int(of)))
        if step == until and int(done) * 2 >= int(of):
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    status = process.wait()
    assert status == (-signal.SIGKILL if until else 0)
    return said
