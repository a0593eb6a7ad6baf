"""Times `manage.py import_sales` on the real file: wall, peak memory of the process and its children, a second run.

    ENTREPOT_DATA_DIR=/tmp/bench .venv/bin/python benchmarks/imports/run.py [--data ../shared/data/online_retail_ii]

Wants a migrated database of its own that holds no sales yet; refuses any other. Writes nothing but to that database.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
YEARS = ("online_retail_2009-2010.csv.gz", "online_retail_2010-2011.csv.gz")
TABLES = (
    *("forecasting_demandhistory", "warehouses_salesreturnline", "warehouses_salesreturn"),
    *("warehouses_salesorderline", "warehouses_salesorder", "warehouses_salesimport", "warehouses_channelroute"),
    *("warehouses_location", "warehouses_warehouse", "catalog_sku", "catalog_product", "catalog_channel"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "online_retail_ii")
    data = parser.parse_args().data

    import django

    django.setup()
    if count("warehouses_salesorder") or count("catalog_sku"):
        sys.exit("This database holds sales or SKUs already: name an ENTREPOT_DATA_DIR of its own.")
    csvs = [data / name for name in YEARS]
    runs = (
        ("both csv.gz", csvs),
        ("both csv.gz again", csvs),
        ("both csv.gz, later year first", csvs[::-1]),
        ("transactions.parquet", [data / "transactions.parquet"]),
        ("transactions.parquet again", [data / "transactions.parquet"]),
    )
    for name, files in runs:
        if "again" not in name:
            empty()
        before = total_rows()
        timed(name, files)
        print(f"rows before {before:,}, after {total_rows():,}; {state()}\n", flush=True)
    compare(data / "daily_sku_channel.parquet")


def timed(name: str, files: list[Path]) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "import_sales", *map(str, files), "--channel", "uk-shop"]
    started = time.perf_counter()
    done = subprocess.run([*command, "--time-zone", "Europe/London"], capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"== {name}: {wall:.1f} s wall, peak RSS of the largest process so far {peak:.0f} MB")
    print(done.stdout, flush=True)


def query(sql: str) -> list[tuple]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def count(table: str) -> int:
    return query(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608


def total_rows() -> int:
    return sum(count(table) for table in TABLES)


def empty() -> None:
    query(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def state() -> str:
    """A digest of what the forecasts will read: equal digests, equal demand."""
    return query(
        "SELECT 'demand ' || sum(quantity) || ', digest ' || md5(string_agg("
        "concat_ws('/', s.code, day, quantity, ordered, cancelled, returned, orders), ',' ORDER BY s.code, day)) "
        "FROM forecasting_demandhistory d JOIN catalog_sku s ON s.id = d.sku_id"
    )[0][0]


def compare(path: Path) -> None:
    """Our demand against daily_sku_channel.parquet, SKU by SKU and day by day (its two channels summed)."""
    import pandas as pd

    theirs = pd.read_parquet(path).groupby(["stock_code", "date"]).units.sum()
    theirs.index = theirs.index.set_names(["sku", "day"])
    rows = query(
        "SELECT s.code, d.day::text, d.quantity::float8, d.ordered::float8, d.cancelled::float8, d.returned::float8 "
        "FROM forecasting_demandhistory d JOIN catalog_sku s ON s.id = d.sku_id"
    )
    ours = pd.DataFrame(rows, columns=["sku", "day", "demand", "ordered", "cancelled", "returned"])
    ours["day"] = pd.to_datetime(ours.day)
    both = ours.set_index(["sku", "day"]).join(theirs.rename("theirs"), how="outer").fillna(0.0).reset_index()
    print(f"== against {path.name}")
    print(f"ours {both.demand.sum():,.0f} units, theirs {both.theirs.sum():,.0f}; {len(both):,} SKU-days in either")
    same = both.demand == both.theirs
    print(f"equal on {same.sum():,} days ({100 * same.mean():.2f} %), {both[same].demand.sum():,.0f} units")
    five = both.sku.str.match(r"^\d{5}")
    print(f"codes that do not begin with five digits: {both[~five].demand.sum():,.0f} units, theirs none")
    rest = both[~same & five]
    gross = rest[rest.ordered == rest.theirs]
    print(
        f"theirs = our ordered (the return did not count for them): {len(gross):,} days, "
        f"{(gross.theirs - gross.demand).sum():,.0f} units"
    )
    rest = rest[rest.ordered != rest.theirs]
    between = rest[(rest.theirs >= rest.demand) & (rest.theirs < rest.ordered)]
    print(
        f"theirs between our net and gross: {len(between):,} days, {(between.theirs - between.demand).sum():,.0f} units"
    )
    below = rest[rest.theirs < rest.demand]
    print(f"theirs below our net: {len(below):,} days, {(below.demand - below.theirs).sum():,.0f} units")
    above = rest[rest.theirs > rest.ordered]
    print(f"theirs above our ordered: {len(above):,} days, {(above.theirs - above.ordered).sum():,.0f} units")
    print(below.assign(gap=below.demand - below.theirs).nlargest(8, "gap").to_string())


if __name__ == "__main__":
    main()
