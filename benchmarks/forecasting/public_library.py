"""Forecasts of a panel by statsforecast, to be scored beside ours: AutoETS, DynamicOptimizedTheta and CrostonSBA.

Run by run.py with the Python of its own environment (requirements/benchmark.txt): panel file, frequency, horizon,
windows, season, method, and where to write steps and windows. Step quantiles are the library's own prediction
intervals; window quantiles are made of them as a textbook does, mean ± z·√Σσ², for the library has none.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import NormalDist

import numpy as np
import pandas as pd

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
Z = {level: NormalDist().inv_cdf(level) for level in LEVELS}


def model_of(name: str, season: int, horizon: int) -> object:
    from statsforecast.models import AutoETS, CrostonSBA, DynamicOptimizedTheta
    from statsforecast.utils import ConformalIntervals

    if name == "AutoETS":
        return AutoETS(season_length=season)
    if name == "DynamicOptimizedTheta":
        return DynamicOptimizedTheta(season_length=season)
    return CrostonSBA(prediction_intervals=ConformalIntervals(h=horizon, n_windows=2))


def main() -> None:
    source, freq, horizon, windows, season, name, steps_out, windows_out = sys.argv[1:]
    from statsforecast import StatsForecast

    table = pd.read_parquet(source)
    table["unique_id"] = table.unique_id.astype(str)
    begin = time.perf_counter()
    engine = StatsForecast(models=[model_of(name, int(season), int(horizon))], freq=freq, n_jobs=-1)
    # A central interval of 90 % ends at the .95 quantile.
    central = [round((2 * level - 1) * 100, 6) for level in LEVELS if level > 0.5]
    found = engine.forecast(df=table[["unique_id", "ds", "y"]], h=int(horizon), level=central)
    seconds = time.perf_counter() - begin
    out = pd.DataFrame({"unique_id": found.unique_id, "ds": found.ds, "mean": found[name].fillna(0.0).clip(lower=0)})
    out["q_0.5"] = out["mean"]
    for level in LEVELS[1:]:
        column = next(c for c in found.columns if c.startswith(f"{name}-hi-") and near(c, (2 * level - 1) * 100))
        out[f"q_{level:g}"] = found[column].fillna(0.0).clip(lower=0)
    out.to_parquet(steps_out)
    sums(out, [int(k) for k in windows.split(",")]).to_parquet(windows_out)
    print(json.dumps({"seconds": seconds, "series": int(table.unique_id.nunique())}))


def near(column: str, level: float) -> bool:
    return abs(float(column.rsplit("-", 1)[1]) - level) < 1e-6


def sums(out: pd.DataFrame, windows: list[int]) -> pd.DataFrame:
    spread = ((out["q_0.95"] - out["q_0.5"]).clip(lower=0) / Z[0.95]).to_numpy()
    ids = out.unique_id.to_numpy().reshape(-1, int(out.groupby("unique_id").size().iloc[0]))[:, 0]
    mean = out["mean"].to_numpy().reshape(len(ids), -1).cumsum(axis=1)
    variance = (spread**2).reshape(len(ids), -1).cumsum(axis=1)
    parts = []
    for window in windows:
        centre, sd = mean[:, window - 1], np.sqrt(variance[:, window - 1])
        row = {"unique_id": ids, "window": window, "mean": centre}
        row |= {f"q_{level:g}": np.maximum(centre + Z[level] * sd, 0.0) for level in LEVELS}
        parts.append(pd.DataFrame(row))
    return pd.concat(parts)


if __name__ == "__main__":
    main()
