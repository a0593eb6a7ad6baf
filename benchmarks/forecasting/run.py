"""Measure `manage.py forecast` with the neutral scorer: export the panels, forecast each cutoff, score, print one
table.

    EVAL_DATA=../shared/data EVAL_PANELS=/tmp/panels .venv/bin/python benchmarks/forecasting/run.py [panel …]

The scorer (`eval_forecast.py`) stands in the shared benchmarks folder; its path is taken from EVAL_SCORER or found
beside EVAL_DATA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EVAL_DATA", ROOT.parent / "shared" / "data")).resolve()
SCORER = Path(os.environ.get("EVAL_SCORER", DATA.parent / "benchmarks" / "eval_forecast.py"))
PANELS = ("uci_daily", "uci_weekly", "carparts")
FREQ = {"uci_daily": "D", "uci_weekly": "W", "carparts": "M"}


def call(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr[-2000:]}")
    return done.stdout


def measure(panel: str, work: Path, extra: list[str]) -> dict[str, float | str]:
    call(SCORER, "export", "--panel", panel, "--out", work / panel)
    meta = json.loads((work / panel / "meta.json").read_text())
    steps, sums, seconds, fits, peak = [], [], 0.0, 0, 0.0
    for cutoff in meta["cutoffs"]:
        stem = work / panel / cutoff[:10]
        begin = time.perf_counter()
        call(
            "manage.py",
            "forecast",
            work / panel / f"train_{cutoff[:10]}.parquet",
            "--freq",
            FREQ[panel],
            "--horizon",
            str(meta["h"]),
            "--windows",
            ",".join(map(str, meta["windows"])),
            "--out",
            f"{stem}.f.parquet",
            "--windows-out",
            f"{stem}.w.parquet",
            "--report",
            f"{stem}.json",
            *extra,
        )
        seconds += time.perf_counter() - begin
        report = json.loads(Path(f"{stem}.json").read_text())
        fits += report["input"]["series"]
        peak = max(peak, report["peak_memory_mb"])
        steps.append(pd.read_parquet(f"{stem}.f.parquet").assign(cutoff=cutoff))
        sums.append(pd.read_parquet(f"{stem}.w.parquet").assign(cutoff=cutoff))
        print(panel, cutoff[:10], report["seconds"], report["methods"], file=sys.stderr, flush=True)
    pd.concat(steps).to_parquet(work / f"{panel}.f.parquet")
    pd.concat(sums).to_parquet(work / f"{panel}.w.parquet")
    call(
        SCORER,
        "score",
        "--panel",
        panel,
        "--forecasts",
        work / f"{panel}.f.parquet",
        "--windows",
        work / f"{panel}.w.parquet",
        "--json",
        work / f"{panel}.score.json",
        "--name",
        "entrepot",
    )
    score = json.loads((work / f"{panel}.score.json").read_text())
    one, window = score["per_period"], score["window_mean"]
    return {
        "panel": panel,
        "fits": fits,
        "wall s": round(seconds, 1),
        "ms a fit": round(seconds / fits * 1000, 2),
        "peak MB": round(peak),
        "SPL": round(one["SPL"], 3),
        "window SPL": round(window["SPL"], 3),
        "cov .95": round(window["cov_0.95"], 3),
        "cov .99": round(window["cov_0.99"], 3),
        "RMSSE": round(one["RMSSE"], 3),
        "WAPE": round(one["WAPE"], 3),
        "bias": round(one["BIAS"], 3),
        "crossing": score["crossing"],
        "missing": score["missing"],
    }


def main() -> None:
    extra = [a for a in sys.argv[1:] if a.startswith("--")]
    panels = [a for a in sys.argv[1:] if not a.startswith("--")] or list(PANELS)
    os.environ.setdefault("EVAL_DATA", str(DATA))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("EVAL_PANELS", folder)
        if not (Path(os.environ["EVAL_PANELS"]) / panels[0]).is_dir():
            call(SCORER, "panels")
        table = pd.DataFrame([measure(panel, Path(folder), extra) for panel in panels])
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(str(v) for v in row) + " |")


if __name__ == "__main__":
    main()
