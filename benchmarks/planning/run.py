"""The planning run over the real file: demand, backtest, forecasts, proposals; wall time and peak memory.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python manage.py migrate
    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/planning/run.py

Imports the real file first where the database is empty, gives every SKU a supplier item, then plans as the command
does. `--all` takes every SKU that was ever sold, not only the active ones (sold within a year, or in stock).
"""

import argparse
import resource
import time
from pathlib import Path

import django

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_ii"


def import_real_file() -> None:
    from django.core.management import call_command

    for name in ("online_retail_2009-2010.csv.gz", "online_retail_2010-2011.csv.gz"):
        call_command("import_sales", str(DATA / name), channel="UK")


def give_everything_a_supplier() -> None:
    """12 suppliers with lead times of 5 to 60 days, so that the protection intervals differ as they do in life."""
    from catalog.models import Sku
    from procurement.models import Supplier, SupplierItem

    if Supplier.objects.exists():
        return
    suppliers = [
        Supplier.objects.create(code=f"S{n:02d}", name=f"Supplier {n}", lead_time_days=5 + 5 * n, fixed_order_cost=40)
        for n in range(12)
    ]
    SupplierItem.objects.bulk_create(
        SupplierItem(supplier=suppliers[sku.pk % 12], sku=sku, unit_cost=1, pack_size=6, minimum_order_quantity=12)
        for sku in Sku.objects.all()
    )


def every_pair(until: object) -> list[object]:
    from forecasting.models import DemandHistory
    from forecasting.selectors.inputs import ActivePair

    pairs = DemandHistory.objects.order_by("sku_id", "warehouse_id").values_list("sku_id", "warehouse_id").distinct()
    return [ActivePair(sku, warehouse, 0.0, 0.0) for sku, warehouse in pairs]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--all", action="store_true", help="every SKU ever sold")
    arguments = options.parse_args()
    django.setup()
    from django.utils import timezone

    from catalog.models import Sku
    from forecasting.services import runs
    from procurement.services.planning import queue_plan, run_plan

    if not Sku.objects.exists():
        import_real_file()
    give_everything_a_supplier()
    if arguments.all:
        runs.valued_pairs = every_pair
    for name, force in (("first", True), ("again, nothing changed", False)):
        started, cpu = time.perf_counter(), time.process_time()
        outcome = run_plan(queue_plan(force=force).pk, clock=timezone.now)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {time.perf_counter() - started:.1f} s wall, {time.process_time() - cpu:.1f} s CPU of the worker, "
            f"peak {peak:.0f} MB, {outcome}"
        )


if __name__ == "__main__":
    import os
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    main()
