"""Forecasts of the mission's number, kept in a folder: ours by `manage.py forecast`, AutoETS by the public library."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.optimisation.mission_data import ROOT, Array, Half, write_train

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
WINDOWS = (7, 10, 14, 17, 21, 28, 35, 49, 63, 84)
COLUMNS = [f"q_{level:g}" for level in LEVELS]


@dataclass(frozen=True)
class Windows:
    """Per cutoff, item and window: the mean and the quantiles of the sum of demand."""

    mean: Array  # (cutoffs, items, windows)
    quantiles: Array  # (cutoffs, items, windows, levels)


def run(*arguments: str | Path) -> None:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*map(str, arguments)], cwd=ROOT, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr[-2000:]}")


def ours(train: Path, out: Path, mode: str, jobs: int) -> None:
    windows = ",".join(map(str, WINDOWS))
    command = [sys.executable, "manage.py", "forecast", train, "--horizon", "7", "--windows", windows, "--mode", mode]
    run(*command, "--jobs", str(jobs), "--out", out.with_suffix(".steps.parquet"), "--windows-out", out)


def theirs(train: Path, out: Path, python: str) -> None:
    """AutoETS with a weekly season; its steps are kept too, for their spread."""
    library = ROOT / "benchmarks" / "forecasting" / "public_library.py"
    windows = ",".join(map(str, WINDOWS))
    steps = out.with_suffix(".steps.parquet")
    run(python, library, train, "D", str(max(WINDOWS)), windows, "7", "AutoETS", steps, out)


def forecasts(half: Half, who: str, folder: Path, python: str = sys.executable, jobs: int = 1) -> Windows:
    """Read the forecasts of all cutoffs; what is not there is made first."""
    folder = folder / half.name
    folder.mkdir(parents=True, exist_ok=True)
    means, quantiles = [], []
    for cutoff in half.cutoffs:
        train, out = folder / f"train_{cutoff}.parquet", folder / f"{who}_{cutoff}.parquet"
        if not out.exists():
            write_train(half, cutoff, train)
            if who == "AutoETS":
                theirs(train, out, python)
            else:
                ours(train, out, who, jobs)
        table = pd.read_parquet(out)
        table["unique_id"] = table.unique_id.astype(str)
        order = pd.MultiIndex.from_product([half.ids, WINDOWS])
        table = table.set_index(["unique_id", "window"]).reindex(order)
        means.append(table["mean"].to_numpy(float).reshape(len(half.ids), -1))
        quantiles.append(table[COLUMNS].to_numpy(float).reshape(len(half.ids), len(WINDOWS), -1))
    return Windows(np.nan_to_num(np.array(means)), np.sort(np.nan_to_num(np.array(quantiles)), axis=-1))
