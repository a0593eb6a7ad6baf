"""Measure the searches: gap to the exact (s, S) policy, and tuning on the simulator where no exact model exists.

    .venv/bin/python benchmarks/optimisation/search.py

Part 1: 40 made (s, S) problems with Poisson demand (mean 0.4–60, K 2–200, p/h 4–99), exact cost as the objective, so
the gap is the search's own; start: the (R,S) newsvendor. Part 2: lost sales, gamma lead times, packs and a minimum, 60
items: the analytical policy (normal safety stock, EOQ) against the tuned one on demand none has seen.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import poisson

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from procurement.engine.replay.compare import compare  # noqa: E402
from procurement.engine.replay.futures import mean_futures  # noqa: E402
from procurement.engine.replay.simulate import simulate  # noqa: E402
from procurement.engine.replay.types import ReplayInput  # noqa: E402
from procurement.engine.search.annealing import annealing, random_search  # noqa: E402
from procurement.engine.search.bounds import PoissonProblems  # noqa: E402
from procurement.engine.search.genetic import genetic  # noqa: E402
from procurement.engine.search.tune import tune_policies  # noqa: E402
from procurement.engine.search.types import Budget, Space  # noqa: E402

SEARCHES = {"genetic": genetic, "annealing": annealing, "random": random_search}


def against_the_bound(count: int = 40, seeds: tuple[int, ...] = (1, 2, 3)) -> None:
    rng = np.random.default_rng(0)
    mean, fixed = (np.exp(rng.uniform(np.log(a), np.log(b), count)) for a, b in ((0.4, 60), (2, 200)))
    ratio = np.exp(rng.uniform(np.log(4), np.log(99), count))
    problems = PoissonProblems(mean, 1.0, ratio, fixed)
    bound = problems.best()[:, 2]
    stock = poisson.ppf(ratio / (1 + ratio), mean)
    lot = np.maximum(np.sqrt(2 * fixed * mean), 1.0)
    start = np.stack([stock - 1, np.ones(count)], axis=1)
    space = Space(np.stack([stock - 3 * lot - 5, np.ones(count)], 1), np.stack([stock + lot, 5 * lot + 5], 1), True)
    print(f"gap to the exact (s, S), {count} problems × {len(seeds)} seeds; start: mean "
          f"{(problems.objective()(start[None])[0] / bound - 1).mean():.1%}")  # fmt: skip
    print("method      candidates    mean gap    median   largest   within 1 %   seconds")
    for budget in (100, 200, 400, 800):
        for name, search in SEARCHES.items():
            since = time.perf_counter()
            runs = [search(problems.objective(), space, start, Budget(budget), seed=seed) for seed in seeds]
            gaps = np.concatenate([run.gap(bound) for run in runs])
            seconds = (time.perf_counter() - since) / len(seeds)
            print(f"{name:10s}  {budget:10d}  {gaps.mean():9.3%}  {np.median(gaps):8.3%}  {gaps.max():8.2%}  "
                  f"{(gaps < 0.01).mean():10.0%}  {seconds:8.2f}")  # fmt: skip


def world(seed: int, scenarios: int, items: int = 60) -> ReplayInput:
    """Lost sales, R = 7, gamma lead times (mean 14, CV 0.56), packs of 4 for half, K = 20, 25 % a year."""
    rng = np.random.default_rng(5)
    mean, ratio = np.exp(rng.uniform(np.log(0.1), np.log(10), items)), rng.uniform(1.2, 6.0, items)
    cost = rng.uniform(2, 40, items)
    protection, lead_sd = 21.0, 14 * 0.56
    sd = np.sqrt(protection * mean * ratio + (mean * lead_sd) ** 2)
    s = np.ceil(mean * protection + 1.645 * sd)
    terms: dict[str, Any] = {
        "reorder_point": s, "order_up_to_level": s + np.ceil(np.sqrt(2 * 20 * mean * 365 / (0.25 * cost))),
        "review_days": 7, "lead_time_draws": rng.gamma(3.2, 14 / 3.2, (items, 200)), "unit_cost": cost,
        "pack": np.where(np.arange(items) % 2, 4.0, 1.0), "minimum": 4.0, "fixed_order_cost": 20.0,
        "stockout_cost": 0.4 * cost, "warm_up_days": 120,
    }  # fmt: skip
    days = np.repeat(mean[:, None], 120 + 365, axis=1)
    return ReplayInput(
        demand=mean_futures(days, scenarios=scenarios, variance_ratio=ratio, seed=seed), seed=seed, **terms
    )


def on_the_simulator() -> None:
    unseen = world(999, 40)
    print(
        "\ntuning 60 items, lost sales, random lead times; judged on 40 worlds unseen (cost a year, paired difference)"
    )
    for kind in ("levels", "multipliers"):
        for method in ("genetic", "annealing"):
            since = time.perf_counter()
            tuned = tune_policies(world(1, 20), world(2, 20), budget=Budget(300), seed=1, method=method, kind=kind)
            seconds = time.perf_counter() - since
            levels = {"order_up_to_level": tuned.order_up_to_level, "reorder_point": tuned.reorder_point}
            found = compare(simulate(unseen), simulate(unseen.with_levels(**levels)))
            before, change = found.today["cost_total"].value, found.difference["cost_total"]
            print(f"{kind:11s} {method:10s} chosen {tuned.is_chosen.sum():3d} of 60, {before:,.0f} → "
                  f"{before + change.value:,.0f}: {change.value / before:+.1%} [{change.low / before:+.1%}, "
                  f"{change.high / before:+.1%}], fill {found.today['fill_rate'].value:.3f} → "
                  f"{found.challenger['fill_rate'].value:.3f}, {seconds:.1f} s")  # fmt: skip


if __name__ == "__main__":
    against_the_bound()
    on_the_simulator()
