"""Seconds and memory of policies for many SKU × warehouse rows, and of the explained single item.

Run: python -m benchmarks.optimisation.policies [rows] [threads]
"""

import resource
import sys
import time

import numpy as np
from scipy.special import gammaincinv

from procurement.engine.policies.solve import solve_policies
from procurement.engine.policies.types import batch_of
from procurement.engine.replenishment import ReplenishmentInput, plan_item

LEVELS = np.array([0.5, 0.8, 0.9, 0.95, 0.99])


def rows(count, seed=1):
    """A mix of targets, fates of unmet demand, and lead times; a third of the rows of each target."""
    rng = np.random.default_rng(seed)
    mean, shape = np.exp(rng.normal(1.5, 1.5, count)), rng.uniform(0.1, 20, count)
    quantiles = gammaincinv(shape[:, None], LEVELS) / shape[:, None] * mean[:, None]
    quantiles[mean < 30] = np.ceil(quantiles[mean < 30] - 0.5)
    lead, review = rng.integers(2, 60, count).astype(float), rng.choice([1.0, 7.0], count)
    return batch_of(
        LEVELS, quantiles, protection_mean=mean, protection_sd=mean / np.sqrt(shape),
        mean_daily_demand=mean / (lead + review), lead_time_days=lead,
        lead_time_sd_days=np.where(rng.random(count) < 0.5, 0.0, 0.3 * lead), review_days=review,
        target_kind=rng.integers(0, 3, count), target=rng.choice([0.9, 0.95, 0.98], count),
        is_lost=rng.random(count) < 0.5, unit_cost=5.0, holding_rate_per_year=0.25,
        fixed_order_cost=rng.choice([0.0, 5.0], count), stockout_cost=10.0, pack=rng.choice([1.0, 6.0], count),
    )  # fmt: skip


def main(count=100_000, threads=2):
    solve_policies(rows(64))
    batch = rows(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    solve_policies(batch, threads=threads)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{count} rows, {threads} threads: {seconds:.1f} s, {count / seconds:.0f} rows/s, +{grown / 1024:.0f} MB peak"
    )
    item = ReplenishmentInput(
        sku_key="A", mean_daily_demand=0.25, lead_time_days=14, review_days=7, protection_mean=5.25, protection_sd=4.5,
        service_level=0.95, protection_quantiles=dict(zip(LEVELS.tolist(), (4, 8, 11, 14, 21), strict=True)),
        target_kind="fill_rate", fill_rate=0.95, unit_cost=4, holding_cost_rate_per_year=0.25,
    )  # fmt: skip
    plan_item(item)
    start = time.perf_counter()
    for _ in range(500):
        plan_item(item)
    print(f"one item with its explanation: {(time.perf_counter() - start) / 500 * 1000:.2f} ms")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
