"""The file forecast: one panel file in, forecasts, windows and a report out; the same engine as the planning run, no
database."""

from __future__ import annotations

import math
import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.engine import Choice, Panel, PanelForecast, Pooled, fit_pooled, forecast_panel
from forecasting.engine.cleaning import READ_BY_CLEANING
from forecasting.engine.forecast import mode_within
from forecasting.engine.warm import warm
from forecasting.output_files import Outputs
from forecasting.panel_files import PanelFile, future_stamps, quantile_names, read_panel
from forecasting.table_files import PanelFileError, check_output

PART = 1024
TABLES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class FileForecast:
    """Options of `manage.py forecast`, checked and typed."""

    source: Path
    out: Path
    freq: str = "D"
    horizon: int = 28
    mode: str = "full"
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
    """Forecast a panel file, part by part; returns the report without its series. PanelFileError (one line) on bad
    input, and then nothing is written."""
    begin = clock()
    check_options(options)
    ahead = max(options.horizon, *options.windows, 1)
    file = read_panel(options.source, options.freq, static=options.static, future=options.future, ahead=ahead)
    loaded = clock()
    warm()
    ready = clock()
    tally = Tally()
    with Outputs() as outputs:
        steps = outputs.table(options.out)
        sums = None if options.windows_out is None else outputs.table(options.windows_out)
        series = None if options.report is None else outputs.report(options.report)
        for part in forecast_parts(file.panel, options):
            tally.add(part)
            steps.write(step_table(file, part))
            if sums is not None:
                sums.write(window_table(part))
            if series is not None:
                for name, choice in zip(part.ids, part.choices, strict=True):
                    series.add(name, choice_report(choice))
        done = clock()
        seconds = {
            "read": loaded - begin,
            "compile": ready - loaded,
            "forecast": done - ready,
            "all": done - begin,
        }
        report = report_of(options, file, tally, seconds)
        if series is not None:
            series.finish(report)
    return report


def check_options(options: FileForecast) -> None:
    """Outputs that can be written, each in a file of its own."""
    check_output(options.out, TABLES)
    if options.windows_out is not None:
        check_output(options.windows_out, TABLES)
        if not options.windows:
            raise PanelFileError("--windows-out needs --windows")
    if options.report is not None:
        check_output(options.report, (".json",))
    if options.horizon < 1:
        raise PanelFileError(f"--horizon {options.horizon}: a whole number of at least 1 expected")


class Tally:
    """What the report says of all series, kept while the parts come and go."""

    def __init__(self) -> None:
        self.series = 0
        self.methods: dict[str, int] = {}
        self.unused: set[str] = set()

    def add(self, part: PanelForecast) -> None:
        self.series += len(part.ids)
        self.unused |= set(part.unused)
        for choice in part.choices:
            self.methods[choice.method] = self.methods.get(choice.method, 0) + 1


def forecast_parts(panel: Panel, options: FileForecast) -> Iterator[PanelForecast]:
    """One pooled fit, then parts of 1,024 series in this process or in `jobs` others, in order: the result is the same
    either way."""
    pooled = fit_pooled(
        panel,
        quantiles=options.quantiles,
        horizon=options.horizon,
        windows=options.windows,
        season=options.season,
        seed=options.seed,
        mode=mode_within(options.mode, options.budget, len(panel.ids), options.freq),
    )
    begins = range(0, len(panel.ids), PART)
    parts = (panel.take(slice(i, i + PART)) for i in begins)
    share = None if options.budget is None else options.budget / max(len(begins), 1)
    work = partial(
        forecast_part,
        horizon=options.horizon,
        quantiles=options.quantiles,
        windows=options.windows,
        budget=share,
        pooled=pooled,
    )
    jobs = min(options.jobs, len(begins))
    if jobs <= 1:
        yield from map(work, parts)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(work, parts)


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


def report_of(options: FileForecast, file: PanelFile, tally: Tally, seconds: dict[str, float]) -> dict[str, Any]:
    """What was done, what it cost, what was read of the covariates and what was left unused."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + (
        options.jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if options.jobs > 1 else 0
    )
    return {
        "input": {
            "file": options.source.name,
            "rows": file.rows,
            "series": tally.series,
            "periods": file.panel.values.shape[1],
            "warnings": list(file.warnings),
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
        "series_per_second": round(tally.series / max(seconds["forecast"], 1e-9), 1),
        "peak_memory_mb": round(peak / (1024 if sys.platform != "darwin" else 1024**2), 1),
        "methods": dict(sorted(tally.methods.items())),
        "covariates": file.covariates,
        "unused_covariates": unread(options, file, tally),
    }


def unread(options: FileForecast, file: PanelFile, tally: Tally) -> list[str]:
    """Covariates that no part of the forecast read. In everyday mode nothing that varies over time is, but
    what cleaning looks at; in full mode the boosted model reads all that the engine does not name as unused."""
    covariates = file.panel.covariates
    if covariates is None:
        return []
    over_time = {*covariates.known, *covariates.past}
    left = tally.unused if options.mode == "full" else over_time
    return sorted(left - set(READ_BY_CLEANING))


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
