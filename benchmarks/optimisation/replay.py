"""Measure the replay: 10,000 SKUs × 730 days × 20 scenarios on two cores, beside a plain numpy simulator.

    .venv/bin/python benchmarks/optimisation/replay.py [--items 10000] [--days 730] [--scenarios 20]

Demand is put together from three years of made history (smooth, erratic, intermittent and lumpy items) while it runs,
so the 1.2 GB of it are never held. Terms: weekly review, gamma lead times (mean 14 days, CV 0.56), (R,s,S), packs,
minimum, maximum stock; a third of the items keep for 30 days. The numpy simulator is the usual day loop with a column
of items at a time, (R,S) and lost sales only, on one scenario; both must count the same.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from procurement.engine.replay.history import history_scenarios  # noqa: E402
from procurement.engine.replay.simulate import simulate  # noqa: E402
from procurement.engine.replay.types import ReplayInput  # noqa: E402


def history(items: int, days: int, rng: np.random.Generator) -> np.ndarray:
    """Mean 0.05 to 20 a day; a quarter each: Poisson, overdispersed, rare Poisson, rare and lumpy."""
    mean = np.exp(rng.uniform(np.log(0.05), np.log(20.0), items))[:, None]
    kind = np.arange(items)[:, None] % 4
    chance = np.where(kind >= 2, 0.2, 1.0)
    spread = np.where(kind % 2 == 1, 4.0, 0.05)
    size = rng.poisson(rng.gamma(mean / chance / spread, spread, (items, days)))
    return (size * (rng.random((items, days)) < chance)).astype(float)


def terms(past: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    items = len(past)
    mean, sd = past.mean(axis=1), past.std(axis=1)
    s = np.ceil(mean * 21 + 1.645 * sd * 21**0.5)
    return {
        "reorder_point": s, "order_up_to_level": s + np.ceil(mean * 7), "review_days": 7,
        "review_offset": np.arange(items) % 7, "lead_time_draws": rng.gamma(3.2, 14 / 3.2, (items, 50)),
        "pack": np.where(np.arange(items) % 2, 6.0, 1.0), "minimum": 6.0, "maximum_stock": 2.0 * s + 100.0,
        "shelf_life_days": np.where(np.arange(items) % 3, 0, 30), "unit_cost": rng.uniform(1, 20, items),
        "fixed_order_cost": 5.0, "stockout_cost": 4.0, "warm_up_days": 60,
    }  # fmt: skip


def plain_numpy(demand: np.ndarray, level: np.ndarray, lead: int, review: int) -> tuple[np.ndarray, np.ndarray]:
    """Served units and stock-days per item, all items of one scenario a day at a time."""
    items, days = demand.shape
    on_hand, coming = level.copy(), np.zeros((days + lead + 1, items))
    on_order, served, stock_days = np.zeros(items), np.zeros(items), np.zeros(items)
    columns = np.ascontiguousarray(demand.T)
    for day in range(days):
        on_hand += coming[day]
        on_order -= coming[day]
        if day % review == 0:
            order = np.maximum(level - on_hand - on_order, 0.0)
            coming[day + lead] += order
            on_order += order
        sold = np.minimum(on_hand, columns[day])
        on_hand -= sold
        served += sold
        stock_days += on_hand
    return served, stock_days


def timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("items", 10_000), ("days", 730), ("scenarios", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    past = history(given.items, 1095, rng)
    source = history_scenarios(past, days=given.days, scenarios=given.scenarios, seed=1)
    replay = ReplayInput(demand=source, **terms(past, rng))
    tiny = ReplayInput(demand=np.ones((1, 5)), order_up_to_level=1, lead_time_days=1)
    print(f"first call (compiled or read from the cache): {timed(lambda: simulate(tiny))[0]:.2f} s")
    sku_days = given.items * given.days * given.scenarios
    before = peak()
    print(f"{given.items:,} SKUs × {given.days} days × {given.scenarios} scenarios = {sku_days:,} SKU-days")
    for threads in (2, 1):
        seconds, found = timed(lambda n=threads: simulate(replay, threads=n))
        print(f"  {threads} thread(s): {seconds:5.1f} s, {sku_days / seconds / 1e6:6.1f} million SKU-days a second, "
              f"peak {peak():,.0f} MB ({before:,.0f} MB before)")  # fmt: skip
    for name in ("fill_rate", "cycle_service", "interval_service", "stock_value", "orders", "wasted", "cost_total"):
        estimate = found.totals()[name]
        print(f"  {name:17s} {estimate.value:16,.4f}   95 % {estimate.low:16,.4f} … {estimate.high:16,.4f}")
    beside_numpy(past[:, : given.days])


def beside_numpy(demand: np.ndarray) -> None:
    level = np.ceil(demand.mean(axis=1) * 30)
    plain_seconds, (served, stock_days) = timed(lambda: plain_numpy(demand, level, 14, 7))
    replay = ReplayInput(demand=demand, order_up_to_level=level, lead_time_days=14, review_days=7)
    seconds, found = timed(lambda: simulate(replay))
    assert np.array_equal(found.served[0], served)
    assert np.array_equal(found.stock_days[0], stock_days)
    print(f"(R,S), lost sales, one scenario, one thread: plain numpy {plain_seconds:.2f} s, replay {seconds:.2f} s: "
          f"{plain_seconds / seconds:.1f} × as fast, every item's served units and stock-days equal")  # fmt: skip


if __name__ == "__main__":
    main()
