"""Measure `manage.py forecast` with the neutral scorer: export the panels, forecast each cutoff, score, print tables.

    EVAL_DATA=../shared/data EVAL_PANELS=/tmp/panels .venv/bin/python benchmarks/forecasting/run.py [panel …]
        [--modes full,everyday] [--against AutoETS,DynamicOptimizedTheta] [--python PATH] [--jobs 2]

The scorer (`eval_forecast.py`, `sim_inventory.py`) stands in the shared benchmarks folder; its path is taken from
EVAL_SCORER or found beside EVAL_DATA. `--against` runs the public library statsforecast on the same files in the same
run, with the Python of an environment made from requirements/benchmark.txt (`--python`). `--sample N` keeps the first
N series of every panel for both (a quick look, not the benchmark).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EVAL_DATA", ROOT.parent / "shared" / "data")).resolve()
SCORER = Path(os.environ.get("EVAL_SCORER", DATA.parent / "benchmarks" / "eval_forecast.py"))
PANELS = ("uci_daily", "uci_weekly", "carparts")
FREQ = {"uci_daily": "D", "uci_weekly": "W", "carparts": "M"}
THEIR_FREQ = {"uci_daily": "D", "uci_weekly": "W-SUN", "carparts": "MS"}
THEIR_SEASON = {"uci_daily": 7, "uci_weekly": 1, "carparts": 12}
TAUS = ("0.8", "0.9", "0.95", "0.99")


@dataclass
class Ask:
    """One panel, exported: where, its meta data, and the windows as the command line wants them."""

    panel: str
    folder: Path
    meta: dict[str, Any]

    @property
    def windows(self) -> str:
        return ",".join(map(str, self.meta["windows"]))


def call(*arguments: str | Path, python: str = sys.executable) -> str:
    done = subprocess.run(
        [python, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr[-2000:]}")
    return done.stdout


def sampled(panels: Path, work: Path, most: int) -> Path:
    """The panels with the first `most` series only: forecast and scored alike."""
    for panel in (p for p in panels.iterdir() if (p / "meta.json").exists()):
        (work / "sampled" / panel.name).mkdir(parents=True)
        history = pd.read_parquet(panel / "history.parquet")
        kept = set(sorted(history.unique_id.astype(str).unique())[:most])
        for file in panel.glob("*.parquet"):
            table = pd.read_parquet(file)
            part = table[table.unique_id.astype(str).isin(kept)].copy()
            part["unique_id"] = part.unique_id.astype(str)
            part.to_parquet(work / "sampled" / panel.name / file.name)
        (work / "sampled" / panel.name / "meta.json").write_text((panel / "meta.json").read_text())
    return work / "sampled"


def export(panel: str, work: Path) -> Ask:
    folder = work / panel
    call(SCORER, "export", "--panel", panel, "--out", folder)
    return Ask(panel, folder, json.loads((folder / "meta.json").read_text()))


def ours(ask: Ask, mode: str, cutoff: str, stem: Path, jobs: int) -> tuple[float, int, float]:
    """(seconds of the engine, series, peak MB)."""
    call(
        "manage.py",
        "forecast",
        ask.folder / f"train_{cutoff[:10]}.parquet",
        "--freq",
        FREQ[ask.panel],
        "--horizon",
        str(ask.meta["h"]),
        "--windows",
        ask.windows,
        "--mode",
        mode,
        "--jobs",
        str(jobs),
        "--out",
        f"{stem}.f.parquet",
        "--windows-out",
        f"{stem}.w.parquet",
        "--report",
        f"{stem}.json",
    )
    report = json.loads(Path(f"{stem}.json").read_text())
    print(ask.panel, cutoff[:10], mode, report["seconds"], report["methods"], file=sys.stderr, flush=True)
    return report["seconds"]["forecast"], report["input"]["series"], report["peak_memory_mb"]


def theirs(ask: Ask, method: str, cutoff: str, stem: Path, python: str) -> tuple[float, int, float]:
    out = call(
        ROOT / "benchmarks" / "forecasting" / "public_library.py",
        ask.folder / f"train_{cutoff[:10]}.parquet",
        THEIR_FREQ[ask.panel],
        str(ask.meta["h"]),
        ask.windows,
        str(THEIR_SEASON[ask.panel]),
        method,
        f"{stem}.f.parquet",
        f"{stem}.w.parquet",
        python=python,
    )
    found = json.loads(out.strip().splitlines()[-1])
    print(ask.panel, cutoff[:10], method, found, file=sys.stderr, flush=True)
    return found["seconds"], found["series"], float("nan")


def measure(ask: Ask, who: str, forecast: Any) -> dict[str, Any]:
    """One contestant on all cutoffs of one panel; `forecast(cutoff, stem)` writes the two files."""
    steps, sums, engine, fits, peak = [], [], 0.0, 0, 0.0
    begin = time.perf_counter()
    for cutoff in ask.meta["cutoffs"]:
        stem = ask.folder / f"{who}_{cutoff[:10]}"
        seconds, series, memory = forecast(cutoff, stem)
        engine, fits, peak = engine + seconds, fits + series, max(peak, memory)
        steps.append(pd.read_parquet(f"{stem}.f.parquet").assign(cutoff=cutoff))
        sums.append(pd.read_parquet(f"{stem}.w.parquet").assign(cutoff=cutoff))
    wall = time.perf_counter() - begin
    files = [ask.folder / f"{who}.{kind}.parquet" for kind in "fw"]
    for file, parts in zip(files, (steps, sums), strict=True):
        pd.concat(parts).to_parquet(file)
    score_file = ask.folder / f"{who}.json"
    call(SCORER, "score", "--panel", ask.panel, "--forecasts", files[0], "--windows", files[1], "--json", score_file)
    row = {"panel": ask.panel, "who": who, "fits": fits, "wall s": round(wall, 1), "fits/s": round(fits / engine, 1)}
    return row | {"peak MB": round(peak) if peak == peak else "–"} | figures(json.loads(score_file.read_text()))


def figures(score: dict[str, Any]) -> dict[str, Any]:
    one, window = score["per_period"], score["window_mean"]
    off = {tau: max(0.0, float(tau) - window[f"cov_{tau}"], window[f"cov_lt_{tau}"] - float(tau)) for tau in TAUS}
    return {
        "SPL": round(one["SPL"], 3),
        "window SPL": round(window["SPL"], 3),
        "RMSSE": round(one["RMSSE"], 3),
        "bias": round(one["BIAS"], 3),
        **{f"cov {tau}": round(window[f"cov_{tau}"], 3) for tau in TAUS},
        "off .8/.9/.95": "/".join(f"{off[tau]:.3f}" for tau in TAUS[:3]),
        "crossing": score["crossing"],
        "missing": score["missing"],
    }


def replay(work: Path, contestants: list[str]) -> str:
    """The decisions: what stock each contestant's windows need on the same demand (sim_inventory.py)."""
    files = [work / "uci_daily" / f"{who}.w.parquet" for who in contestants]
    lines = [call(SCORER.parent / "sim_inventory.py", "--windows", file, "--name", file.stem[:-2]) for file in files]
    return "".join(lines)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panels", nargs="*", default=list(PANELS))
    parser.add_argument("--modes", default="full,everyday")
    parser.add_argument("--against", default="")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int)
    return parser.parse_args()


def main() -> None:
    asked = options()
    os.environ.setdefault("EVAL_DATA", str(DATA))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    modes, against = (([x for x in text.split(",") if x]) for text in (asked.modes, asked.against))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ.setdefault("EVAL_PANELS", folder)
        if not (Path(os.environ["EVAL_PANELS"]) / asked.panels[0]).is_dir():
            call(SCORER, "panels")
        if asked.sample:
            os.environ["EVAL_PANELS"] = str(sampled(Path(os.environ["EVAL_PANELS"]), work, asked.sample))
        for panel in asked.panels:
            ask = export(panel, work)
            for mode in modes:
                rows.append(measure(ask, mode, lambda c, s, a=ask, m=mode: ours(a, m, c, s, asked.jobs)))
            for method in against:
                rows.append(measure(ask, method, lambda c, s, a=ask, m=method: theirs(a, m, c, s, asked.python)))
        if "uci_daily" in asked.panels and not asked.sample:
            print(replay(work, [*modes, *against]))
    table = pd.DataFrame(rows)
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(str(v) for v in row) + " |")


if __name__ == "__main__":
    main()
