"""The file forecast: one panel file in, forecasts, windows and a report out; the same engine as the planning run, no
database."""

from __future__ import annotations

import json
import math
import multiprocessing
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.engine import Choice, Panel, PanelForecast, Pooled, fit_pooled, forecast_panel
from forecasting.panel_files import PanelFile, future_stamps, quantile_names, read_panel
from forecasting.table_files import PanelFileError, check_output, read_table, require_columns, write_all

PART = 1024
TABLES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class FileForecast:
    """Options of `manage.py forecast`, checked and typed."""

    source: Path
    out: Path
    freq: str = "D"
    horizon: int = 28
    quantiles: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 0.99)
    windows: tuple[int, ...] = ()
    future: Path | None = None
    static: Path | None = None
    season: int | tuple[int, ...] | None = None
    budget: float | None = None
    seed: int = 0
    jobs: int = 1
    windows_out: Path | None = None
    report: Path | None = None


def run_file_forecast(options: FileForecast, clock: Callable[[], float]) -> dict[str, Any]:
    """Forecast a panel file; returns the report. PanelFileError (one line) on bad input, and then nothing is
    written."""
    begin = clock()
    check_output(options.out, TABLES)
    if options.windows_out is not None:
        check_output(options.windows_out, TABLES)
        if not options.windows:
            raise PanelFileError("--windows-out needs --windows")
    if options.report is not None:
        check_output(options.report, (".json",))
    file = read_panel(options.source, options.freq)
    unused = [f"{options.source.name}:{c}" for c in file.covariates]
    unused += side_columns(options.static, ("unique_id",)) + side_columns(options.future, ("unique_id", "ds"))
    loaded = clock()
    result = forecast_in_parts(file.panel, options)
    done = clock()
    tables: list[tuple[Path, Any]] = [(options.out, step_table(file, result))]
    if options.windows_out is not None:
        tables.append((options.windows_out, window_table(result)))
    report = report_of(
        options, file, result, unused, {"read": loaded - begin, "forecast": done - loaded, "all": done - begin}
    )
    if options.report is not None:
        tables.append((options.report, json.dumps(plain(report), indent=1, allow_nan=False)))
    write_all(tables)
    return report


def side_columns(path: Path | None, keys: tuple[str, ...]) -> list[str]:
    """Covariates of a --static or --future file: read and checked, then named as unused (no present method learns from
    them)."""
    if path is None:
        return []
    table = read_table(path)
    require_columns(path, table, keys)
    return [f"{path.name}:{c}" for c in table.columns if c not in keys]


def forecast_in_parts(panel: Panel, options: FileForecast) -> PanelForecast:
    """One pooled fit, then parts of 1,024 series in this process or in `jobs` others: the result is the same either
    way."""
    pooled = fit_pooled(
        panel,
        quantiles=options.quantiles,
        horizon=options.horizon,
        windows=options.windows,
        season=options.season,
        seed=options.seed,
    )
    parts = [panel.take(slice(i, i + PART)) for i in range(0, len(panel.ids), PART)]
    share = None if options.budget is None else options.budget / max(len(parts), 1)
    work = partial(
        forecast_part,
        horizon=options.horizon,
        quantiles=options.quantiles,
        windows=options.windows,
        budget=share,
        pooled=pooled,
    )
    jobs = min(options.jobs, len(parts))
    if jobs <= 1:
        return merge([work(p) for p in parts])
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return merge(list(pool.imap(work, parts)))


def forecast_part(
    panel: Panel,
    *,
    horizon: int,
    quantiles: tuple[float, ...],
    windows: tuple[int, ...],
    budget: float | None,
    pooled: Pooled,
) -> PanelForecast:
    """Top-level so that a spawned process can find it."""
    return forecast_panel(
        panel, horizon=horizon, quantiles=quantiles, windows=windows, budget_seconds=budget, pooled=pooled
    )


def merge(parts: list[PanelForecast]) -> PanelForecast:
    """Parts of one panel, in order."""
    first = parts[0]
    return PanelForecast(
        ids=tuple(i for p in parts for i in p.ids),
        horizon=first.horizon,
        levels=first.levels,
        windows=first.windows,
        mean=np.concatenate([p.mean for p in parts]),
        quantiles=np.concatenate([p.quantiles for p in parts]),
        window_mean=np.concatenate([p.window_mean for p in parts]),
        window_quantiles=np.concatenate([p.window_quantiles for p in parts]),
        choices=[c for p in parts for c in p.choices],
    )


def step_table(file: PanelFile, result: PanelForecast) -> Any:
    """unique_id, ds, mean, q_… one row a series and future period."""
    import pandas as pd

    n, h = result.mean.shape
    table = pd.DataFrame(
        {"unique_id": np.repeat(np.array(result.ids, dtype=object), h), "ds": np.tile(future_stamps(file, h), n)}
    )
    table["mean"] = result.mean.ravel()
    for j, name in enumerate(quantile_names(result.levels)):
        table[name] = result.quantiles[:, :, j].ravel()
    return table


def window_table(result: PanelForecast) -> Any:
    """unique_id, window, mean, q_… one row a series and window."""
    import pandas as pd

    n, w = result.window_mean.shape
    table = pd.DataFrame(
        {"unique_id": np.repeat(np.array(result.ids, dtype=object), w), "window": np.tile(result.windows, n)}
    )
    table["mean"] = result.window_mean.ravel()
    for j, name in enumerate(quantile_names(result.levels)):
        table[name] = result.window_quantiles[:, :, j].ravel()
    return table


def report_of(
    options: FileForecast, file: PanelFile, result: PanelForecast, unused: list[str], seconds: dict[str, float]
) -> dict[str, Any]:
    """What was done, how well it did on the past, what it cost and what was left unused."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + (
        options.jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if options.jobs > 1 else 0
    )
    methods: dict[str, int] = {}
    for choice in result.choices:
        methods[choice.method] = methods.get(choice.method, 0) + 1
    return {
        "input": {
            "file": options.source.name,
            "rows": file.rows,
            "series": len(result.ids),
            "periods": file.panel.values.shape[1],
        },
        "options": {
            "freq": options.freq,
            "horizon": options.horizon,
            "quantiles": list(options.quantiles),
            "windows": list(options.windows),
            "seed": options.seed,
            "jobs": options.jobs,
            "budget": options.budget,
        },
        "seconds": {k: round(v, 3) for k, v in seconds.items()},
        "series_per_second": round(len(result.ids) / max(seconds["forecast"], 1e-9), 1),
        "peak_memory_mb": round(peak / (1024 if sys.platform != "darwin" else 1024**2), 1),
        "methods": dict(sorted(methods.items())),
        "unused_covariates": unused,
        "series": {name: choice_report(choice) for name, choice in zip(result.ids, result.choices, strict=True)},
    }


def plain(value: Any) -> Any:
    """The same value with null for every number JSON does not know (NaN, infinite)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def choice_report(choice: Choice) -> dict[str, Any]:
    """One series in the report; NaN becomes null."""

    def number(value: float) -> float | None:
        return round(value, 6) if math.isfinite(value) else None

    return {
        "method": choice.method,
        "reason": choice.reason,
        "demand_class": choice.demand_class,
        "runner_up": choice.runner_up,
        "fallback": choice.fallback,
        "notes": list(choice.notes),
        "folds": choice.folds,
        "outliers_capped": choice.outliers_capped,
        "censored_periods": choice.censored_periods,
        "backtest": {m: {k: number(v) for k, v in vars(s).items()} for m, s in choice.scores.items()},
    }
