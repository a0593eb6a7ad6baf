"""Speed of the everyday mode on generated panels: series a second, seconds of fit and forecast, peak memory, linearity.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/forecasting/speed.py [--sizes 1000,10000,100000] [--jobs 2]

Daily panels of two years (730 days, horizon 28, windows 7, 14, 28) and one weekly panel (156 weeks, horizon 13), a
seeded mixture of smooth, erratic, intermittent and lumpy series, a fifth of them younger than the panel. One fit, then
parts of 2,048 series through `jobs` processes, as the file engine does; the processes are started before the clock.
Backtest of 8 origins, choice and quantiles included; reading and writing files is not. "cpu" is what the workers used
of a core: on a machine that others use too, wall time says more about them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from forecasting.engine import Panel, Pooled, advance_panel, fit_pooled, forecast_panel

PART = 2048
WEEK = np.array([1.1, 1.0, 1.0, 1.0, 1.3, 0.7, 0.9])
CHANCE = np.array([1.0, 0.9, 0.15, 0.08])
SPREAD = np.array([0.0, 0.6, 0.2, 1.0])
DAILY = {"horizon": 28, "windows": (7, 14, 28)}
WEEKLY = {"horizon": 13, "windows": (4, 13)}


def demand(first: int, n: int, periods: int, freq: str) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, T) and starts (n,): a class for each series, lognormal rates, a weekday profile, growth."""
    rng = np.random.default_rng((7, first))
    kind, t = rng.integers(0, 4, n), np.arange(periods)
    rate, growth = np.exp(rng.normal(0.3, 1.2, n)), rng.normal(0, 0.2, n)
    season = WEEK[t % 7] if freq == "D" else np.ones(periods)
    noise = SPREAD[kind][:, None] * rng.standard_normal((n, periods), dtype=np.float32)
    mean = rate[:, None] * season * np.exp(growth[:, None] * t / periods + noise)
    values = (rng.poisson(mean) + (kind > 1)[:, None]) * (
        rng.random((n, periods), dtype=np.float32) < CHANCE[kind, None]
    )
    starts = np.where(rng.random(n) < 0.2, rng.integers(0, periods * 9 // 10, n), 0)
    return np.where(t < starts[:, None], 0.0, values), starts


def made_panel(n: int, periods: int, freq: str) -> Panel:
    values, starts = np.zeros((n, periods)), np.zeros(n, dtype=np.int64)
    for first in range(0, n, PART):
        rows = slice(first, min(first + PART, n))
        values[rows], starts[rows] = demand(first, rows.stop - first, periods, freq)
    return Panel(tuple(f"S{i}" for i in range(n)), values, starts, None, freq, date(2024, 1, 1))


def one_part(panel: Panel, pooled: Pooled, options: dict[str, object]) -> tuple[list[str], float]:
    """Methods of one part and CPU seconds; the arrays are dropped, as where they are saved by the worker."""
    begin = time.process_time()
    result = forecast_panel(panel, pooled=pooled, **options)
    return [choice.method for choice in result.choices], time.process_time() - begin


def one_day_more(task: tuple[Panel, list[str]], pooled: Pooled, options: dict[str, object]) -> float:
    begin = time.process_time()
    advance_panel(task[0], pooled, task[1], **options)
    return time.process_time() - begin


def parts_of(panel: Panel) -> Iterator[Panel]:
    for first in range(0, len(panel.ids), PART):
        yield panel.take(slice(first, first + PART))


def warm(_: int) -> None:
    """Load the compiled kernels before the clock."""
    for freq in ("D", "W"):
        small = made_panel(64, 200, freq)
        forecast_panel(small, horizon=14, windows=(7,))
        advance_panel(small, fit_pooled(small, horizon=14, windows=(7,)), ["ses"] * 64, horizon=14, windows=(7,))


def peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def measure(pool: object, n: int, periods: int, freq: str, options: dict[str, object]) -> float:
    panel = made_panel(n, periods, freq)
    shorter = panel.until(periods - 1)
    begin, spent = time.perf_counter(), time.process_time()
    pooled = fit_pooled(shorter, **options)
    fitted, fit_cpu = time.perf_counter(), time.process_time() - spent
    results = list(pool.imap(partial(one_part, pooled=pooled, options=options), parts_of(shorter)))
    done = time.perf_counter()
    tasks = ((part, methods) for part, (methods, _) in zip(parts_of(panel), results, strict=True))
    day_cpu = sum(pool.imap(partial(one_day_more, pooled=pooled, options=options), tasks))
    advanced = time.perf_counter()
    cpu = sum(spent for _, spent in results)
    print(
        f"{freq} {n:>7} x {periods}: fit {fitted - begin:5.2f} s (cpu {fit_cpu:.2f}), "
        f"forecast {done - fitted:6.2f} s = {n / (done - fitted):6.0f}/s (cpu {n / cpu:5.0f}/s a core), "
        f"both {n / (done - begin):6.0f}/s, {len(pooled.plan.folds)} folds; "
        f"one day more {advanced - done:5.2f} s = {n / (advanced - done):6.0f}/s (cpu {n / day_cpu:.0f}/s a core); "
        f"peak {peak_mb(resource.RUSAGE_SELF):.0f} MB, {panel.values.nbytes / 2**20:.0f} MB of it the panel",
        flush=True,
    )
    return (done - begin) / n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    sizes = [int(s) for s in asked.sizes.split(",")]
    begin = time.perf_counter()
    warm(0)
    print(f"first call, kernels loaded or compiled: {time.perf_counter() - begin:.1f} s")
    pool = multiprocessing.get_context("spawn").Pool(asked.jobs)
    pool.map(warm, range(asked.jobs * 2), chunksize=1)
    each = [measure(pool, n, 730, "D", DAILY) for n in sizes]
    print(f"linearity, seconds a series of the largest to the smallest panel: {each[-1] / each[0]:.2f}")
    measure(pool, sizes[min(1, len(sizes) - 1)], 156, "W", WEEKLY)
    pool.close()
    pool.join()
    print(f"largest worker: {peak_mb(resource.RUSAGE_CHILDREN):.0f} MB")


if __name__ == "__main__":
    main()
