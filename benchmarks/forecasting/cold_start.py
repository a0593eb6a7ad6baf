"""Measure new items: those first sold 1–8 weeks before a cutoff, with what a shop knew by then.

    EVAL_DATA=../shared/data .venv/bin/python benchmarks/forecasting/cold_start.py [cutoff …]

Compared are the own mean with a gamma spread, the own mean alone (every quantile the mean), the own mean with the
tables of comparable series (what a panel gives that teaches nothing of launches) and the start learnt from the panel's
earlier launches. Window SPL is that of the shared scorer: pinball / (in-sample mean |y_t − y_{t−1}| from the first sale
· √window), mean over levels and windows; wQL = 2 · Σ pinball / Σ y, which no tiny scale rules.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from forecasting.engine import Panel, fit_pooled, forecast_panel  # noqa: E402
from forecasting.engine.cleaning import clean  # noqa: E402
from forecasting.engine.fallbacks import dispersion_of, gamma_spread  # noqa: E402
from forecasting.engine.metrics import naive_scale, pinball  # noqa: E402
from forecasting.engine.types import Covariates  # noqa: E402

DATA = Path(os.environ.get("EVAL_DATA", ROOT.parent / "shared" / "data"))
DESIGN = ("2010-08-15", "2010-10-01", "2011-03-01", "2011-04-10", "2011-05-15", "2011-07-10")
HELD_OUT = ("2010-06-15", "2011-08-20")
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
WINDOWS = (7, 14, 21, 28)
YOUNGEST, OLDEST = 7, 56
WAYS = ("own mean", "own mean, point", "own mean + tables", "new start")


def sales() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units and revenue, days × stock codes, both channels together."""
    daily = pd.read_parquet(DATA / "online_retail_ii" / "daily_sku_channel.parquet")
    sums = daily.groupby(["date", "stock_code"])[["units", "revenue"]].sum().unstack("stock_code")
    days = pd.date_range(daily.date.min(), "2011-12-08")
    return tuple(sums[c].reindex(days).fillna(0.0) for c in ("units", "revenue"))  # type: ignore[return-value]


def panel_at(units: pd.DataFrame, revenue: pd.DataFrame, cutoff: str) -> Panel:
    """Every item sold by the cutoff, from its first sale; static: price of its first week, the code's first digits."""
    known = units.loc[:cutoff]
    names = known.columns[(known > 0).any()]
    values = known[names].to_numpy().T.astype(float)
    starts = (values > 0).argmax(axis=1)
    age = np.arange(values.shape[1])[None, :] - starts[:, None]
    first = (age >= 0) & (age < 7)
    paid = revenue.loc[:cutoff, names].to_numpy().T
    price = (paid * first).sum(axis=1) / np.maximum((values * first).sum(axis=1), 1.0)
    family = pd.factorize(pd.Index(names).astype(str).str[:3], sort=True)[0].astype(np.int64)
    covariates = Covariates(static={"price": price}, categories={"family": family})
    return Panel(tuple(names), values, starts.astype(np.int64), None, "D", units.index[0].date(), covariates)


def losses(sums: np.ndarray, quantiles: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(n, w, q) scaled pinball of the window sums."""
    unit = scale[:, None, None] * np.sqrt(np.array(WINDOWS))[None, :, None]
    return pinball(sums[:, :, None], quantiles, np.array(LEVELS)) / unit


def measure(units: pd.DataFrame, revenue: pd.DataFrame, cutoff: str) -> list[dict[str, object]]:
    panel = panel_at(units, revenue, cutoff)
    age = panel.values.shape[1] - panel.starts
    rows = np.flatnonzero((age >= YOUNGEST) & (age <= OLDEST))
    ahead = units.loc[pd.Timestamp(cutoff) + pd.Timedelta(days=1) :, list(panel.ids)].to_numpy().T[rows]
    sums = np.stack([ahead[:, :k].sum(axis=1) for k in WINDOWS], axis=1)
    young = panel.take(rows)
    scale = naive_scale(young.values, young.values.shape[1])
    begin = time.perf_counter()
    pooled = fit_pooled(panel, quantiles=LEVELS, horizon=28, windows=WINDOWS)
    seconds = time.perf_counter() - begin
    cleaned = clean(young)
    mean = (cleaned.demand.sum(axis=1) / cleaned.exposure.sum(axis=1))[:, None] * np.array(WINDOWS)
    spread = gamma_spread(mean.ravel(), np.repeat(dispersion_of(cleaned), len(WINDOWS)), LEVELS)
    taught = forecast_panel(young, horizon=28, quantiles=LEVELS, windows=WINDOWS, pooled=pooled)
    plain = forecast_panel(young, horizon=28, quantiles=LEVELS, windows=WINDOWS, pooled=replace(pooled, newcomers=None))
    answers = (
        (mean, spread.reshape(*mean.shape, -1)),
        (mean, np.repeat(mean[:, :, None], len(LEVELS), axis=2)),
        (plain.window_mean, plain.window_quantiles),
        (taught.window_mean, taught.window_quantiles),
    )
    out = []
    usable = scale > 0
    for way, (centre, quantiles) in zip(WAYS, answers, strict=True):
        raw = pinball(sums[:, :, None], quantiles, np.array(LEVELS))
        inside = (sums[:, :, None] <= quantiles + 1e-9).mean(axis=(0, 1))
        out.append(
            {
                "cutoff": cutoff,
                "items": int(usable.sum()),
                "way": way,
                "window SPL": losses(sums, quantiles, np.where(usable, scale, 1.0))[usable].mean(),
                "wQL": 2.0 * raw.mean(axis=2).sum() / sums.sum(),
                "bias": (centre - sums).sum() / sums.sum(),
                **{f"cov {level:g}": c for level, c in zip(LEVELS, inside, strict=True)},
                "fit s": seconds,
            }
        )
    return out


def main() -> None:
    cutoffs = sys.argv[1:] or [*DESIGN, *HELD_OUT]
    units, revenue = sales()
    table = pd.DataFrame([row for cutoff in cutoffs for row in measure(units, revenue, cutoff)])
    print(table.round(3).to_string(index=False))
    for label, chosen in (("design", DESIGN), ("held out", HELD_OUT)):
        part = table[table.cutoff.isin(chosen)]
        if len(part):
            both = part[["window SPL", "wQL"]].mul(part["items"], axis=0).groupby(part["way"]).sum()
            both = both.loc[list(WAYS)] / (part["items"].sum() / len(WAYS))
            print(f"\n{label}: mean over items\n{both.round(3)}")
            print((both / both.loc["own mean"]).round(3).to_string(header=[f"{c} ratio" for c in both]))


if __name__ == "__main__":
    main()
