"""Lost sales: a fifth of the days of real demand is cut off on purpose; how much of the mean comes back?

    EVAL_PANELS=/tmp/panels .venv/bin/python benchmarks/forecasting/lost_sales.py [--until 2011-07-28] [--forecasts 200]

The panel is `uci_daily` of the shared scorer (built by `eval_forecast.py panels`), cut before its first scored cutoff.
Each row: the bias in percent of the mean of the history, Σ estimated / Σ true − 1 over all series, read naively (as
sold), with the censored days left out, and by the engine's cleaning; and, for the first `--forecasts` series, of the
mean of the 28-day forecast from the censored history against that from the whole one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from forecasting.engine import Panel, forecast_panel
from forecasting.engine.cleaning import clean

Case = tuple[str, np.ndarray, np.ndarray]


def whole_history(until: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """ids, demand (n, T) and first day of each series."""
    folder = Path(os.environ.get("EVAL_PANELS", "panels"))
    rows = pd.read_parquet(folder / "uci_daily" / "history.parquet")
    rows = rows[rows.ds <= until].assign(unique_id=rows.unique_id.astype(str))
    wide = rows.pivot(index="unique_id", columns="ds", values="y")
    values = wide.to_numpy(dtype=float)
    return list(wide.index), values, (~np.isnan(values)).argmax(axis=1).astype(np.int64)


def censored(demand: np.ndarray, seed: int = 0) -> Iterator[Case]:
    """(name, sales, share in stock) of each way to lose a fifth."""
    rng = np.random.default_rng(seed)
    hit, part = rng.random(demand.shape) < 0.2, rng.uniform(0.1, 0.9, demand.shape)
    sold = np.where(demand > 0, demand, np.nan)
    yield "random days, cap = a share of the day's demand, share told", *_cut(demand, hit, part * demand, part)
    yield "random days, cap = a share of the day's demand, marked 0", *_cut(demand, hit, part * demand, 0.0)
    yield "random days, cap = half of it, marked 0.5", *_cut(demand, hit, 0.5 * demand, 0.5)
    low = np.ceil(0.3 * np.nanmean(sold, axis=1, keepdims=True))
    yield "random days, cap = 30 % of the mean sale, marked 0", *_cut(demand, hit, low, 0.0)
    yield "random days, the same, only days it cuts marked 0", *_cut(demand, hit & (demand > low), low, 0.0)
    yield "random days, nothing sold, marked 0", *_cut(demand, hit, 0.0, 0.0)
    level = np.maximum(np.floor(np.nanquantile(sold, 0.8, axis=1, keepdims=True)), 1.0)
    yield "fixed stock, hit by the top 20 % of sales, marked 0", *_cut(demand, demand > level, level, 0.0)
    yield "fixed stock, hit by the top 20 % of sales, share told", *_cut(demand, demand > level, level, None)
    days = np.where(np.isnan(demand), np.nan, demand)
    level = np.maximum(np.floor(np.nanquantile(days, 0.8, axis=1, keepdims=True)), 1.0)
    yield "fixed stock, hit by the top 20 % of days, marked 0", *_cut(demand, demand > level, level, 0.0)
    yield "fixed stock, hit by the top 20 % of days, share told", *_cut(demand, demand > level, level, None)
    stock = np.ceil(np.nanmean(sold, axis=1, keepdims=True) * rng.exponential(1.5, demand.shape))
    yield "random stock, hit by whatever exceeds it, marked 0", *_cut(demand, demand > stock, stock, 0.0)


def _cut(
    demand: np.ndarray, hit: np.ndarray, cap: np.ndarray | float, share: np.ndarray | float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sales and share in stock; share None = as long as an evenly spread demand takes to sell the cap."""
    hit = hit & ~np.isnan(demand)
    sales = np.where(hit, np.minimum(demand, cap), demand)
    told = sales / np.maximum(demand, 1.0) if share is None else share
    return sales, np.where(hit, told, 1.0)


def bias(estimate: np.ndarray, truth: np.ndarray) -> float:
    return 100.0 * (float(estimate.sum()) / float(truth.sum()) - 1.0)


def means(ids: list[str], sales: np.ndarray, share: np.ndarray, starts: np.ndarray) -> list[np.ndarray]:
    """Mean of each series read naively, with censored days left out, and cleaned."""
    full = (share >= 1) & ~np.isnan(sales)
    cleaned = clean(Panel(tuple(ids), sales, starts, in_stock=share))
    return [
        np.nanmean(sales, axis=1),
        np.where(full, sales, 0.0).sum(axis=1) / np.maximum(full.sum(axis=1), 1),
        cleaned.actual.sum(axis=1) / np.maximum(cleaned.exposure.sum(axis=1), 1e-9),
    ]


def forecast_mean(ids: list[str], sales: np.ndarray, share: np.ndarray | None, starts: np.ndarray) -> np.ndarray:
    panel = Panel(tuple(ids), sales, starts, in_stock=share)
    return forecast_panel(panel, horizon=28, windows=(28,)).window_mean[:, 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--until", default="2011-07-28")
    parser.add_argument("--forecasts", type=int, default=200, help="series that are forecast, too; 0 = none")
    asked = parser.parse_args()
    ids, demand, starts = whole_history(asked.until)
    truth, some = np.nanmean(demand, axis=1), slice(0, asked.forecasts)
    whole = forecast_mean(ids[some], demand[some], None, starts[some]) if asked.forecasts else None
    head = ["censoring", "naive %", "left out %", "ours %"]
    head += [] if whole is None else ["forecast naive %", "forecast ours %"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name, sales, share in censored(demand):
        row = [f"{bias(m, truth):+.1f}" for m in means(ids, sales, share, starts)]
        if whole is not None:
            for told in (None, share[some]):
                row.append(f"{bias(forecast_mean(ids[some], sales[some], told, starts[some]), whole):+.1f}")
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
