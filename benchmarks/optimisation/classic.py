"""The classic models beside stockpyl and brute force, on the same instances, ordinary and extreme, in one run.

    .venv/bin/python benchmarks/optimisation/classic.py --python PATH [--share 1.0] [--rows 200000]

PATH is the Python of an environment made from requirements/benchmark.txt. Prints two Markdown tables: failures, cost
gaps and milliseconds a call of every model, and rows a second of the batch solvers with the ratio a row.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from classic_brute import BRUTE  # noqa: E402
from classic_instances import instances  # noqa: E402

from procurement.engine.optimize import solve_instance  # noqa: E402


def ours(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        solve_instance(entry)  # what is loaded and compiled once is not a call's time
        begin = time.perf_counter()
        answer = solve_instance(entry)
        entry["seconds"] = time.perf_counter() - begin
        entry["outputs"], entry["error"] = answer.get("outputs"), answer.get("error")


def theirs(entries: list[dict[str, Any]], python: str) -> dict[str, dict[str, Any]]:
    script = Path(__file__).with_name("classic_library.py")
    done = subprocess.run([python, script], input=json.dumps(entries), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return {found["id"]: found for found in json.loads(done.stdout)}


def cost(outputs: dict[str, Any]) -> float:
    return float(outputs.get("cost", outputs.get("total_cost", math.nan)))


def gap(mine: float, other: float) -> float:
    """How much dearer mine is, relative; 0 where both are nothing."""
    return 0.0 if mine == other else (mine - other) / max(abs(other), 1e-300)


def row(model: str, kind: str, group: list[dict[str, Any]], library: dict[str, dict[str, Any]]) -> str:
    dearer, apart, beaten, from_brute, pace = [], [], 0, [], []
    for entry in (e for e in group if e["outputs"]):
        mine, found = cost(entry["outputs"]), library[entry["id"]]
        if "cost" in found and math.isfinite(found["cost"]):
            dearer.append(gap(mine, found["cost"]))
            beaten += dearer[-1] < -1e-6
            pace.append((found["seconds"], entry["seconds"]))
        if "again" in found:
            apart.append(abs(gap(mine, found["again"])))
        if model in BRUTE and math.isfinite(least := BRUTE[model](entry["inputs"])):
            from_brute.append(gap(mine, least))
    failed = sum(1 for e in group if not math.isfinite(library[e["id"]].get("cost", math.nan)))
    cells = [model, kind, len(group), sum(1 for e in group if e["error"]), failed]
    cells += [_share(dearer), beaten, _share(apart), _share(from_brute)]
    if pace:
        us, them = median(b for _, b in pace) * 1e3, median(a for a, _ in pace) * 1e3
        cells += [f"{us:.3f}", f"{them:.3f}", f"{median(a / b for a, b in pace):.1f}"]
    return "| " + " | ".join(map(str, cells + ["–"] * (12 - len(cells)))) + " |"


def _share(values: list[float]) -> str:
    return f"{max(0.0, max(values)):.1e}" if values else "–"


def table(entries: list[dict[str, Any]], library: dict[str, dict[str, Any]]) -> None:
    print("| model | kind | instances | failures ours | theirs | dearer than theirs | cheaper by > 1e-6 "
          "| our policy at their cost | dearer than brute force | ms a call ours | theirs | ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    groups = defaultdict(list)
    for entry in entries:
        groups[entry["model"], "extreme" if entry["extreme"] else "ordinary"].append(entry)
    for (model, kind), group in groups.items():
        print(row(model, kind, group, library))


#: model of `optimize` → the batch solver of the same name and its arguments.
BATCHED = {
    "eoq": ("eoq", ("fixed_cost", "holding_cost", "demand_rate")),
    "newsvendor_normal": ("newsvendor_normal", ("holding_cost", "stockout_cost", "demand_mean", "demand_sd")),
    "newsvendor_poisson": ("newsvendor_poisson", ("holding_cost", "stockout_cost", "demand_mean")),
    "rq_normal": (
        "rq_normal",
        ("holding_cost", "stockout_cost", "fixed_cost", "demand_mean", "demand_sd", "lead_time"),
    ),
    "rq_poisson": ("rq_poisson", ("holding_cost", "stockout_cost", "fixed_cost", "demand_mean", "lead_time")),
    "ss": ("ss_poisson", ("holding_cost", "stockout_cost", "fixed_cost", "demand_mean")),
}


def batches(entries: list[dict[str, Any]], library: dict[str, dict[str, Any]], rows: int) -> None:
    """The ordinary instances of a model again and again until there are `rows` of them, solved in one call."""
    import numpy as np

    from procurement.engine import batch

    print("\n| model | rows | rows a second | µs a row | ms a call of stockpyl, mean | ratio a row | apart from ours |")
    print("|---|---|---|---|---|---|---|")
    for model, (name, names) in BATCHED.items():
        group = [e for e in entries if e["model"] == model and not e["extreme"] and e["outputs"]]
        if model == "newsvendor_normal":
            group = [e for e in group if e["inputs"]["lead_time"] == 0]
        columns = [np.resize([float(e["inputs"][key]) for e in group], rows) for key in names]
        solver = getattr(batch, name)
        solver(*(column[:8] for column in columns))
        begin = time.perf_counter()
        found = solver(*columns)
        seconds = time.perf_counter() - begin
        mean = sum(library[e["id"]].get("seconds", 0.0) for e in group) / len(group)
        apart = max(abs(gap(float(found.cost[k]), cost(e["outputs"]))) for k, e in enumerate(group))
        timed = [(name, seconds)]
        if name == "eoq":  # again, over the answers of the call before
            begin = time.perf_counter()
            solver(*columns, out=found)
            timed.append(("eoq, answers written over", time.perf_counter() - begin))
        for told, taken in timed:
            print(f"| {told} | {rows} | {rows / taken:,.0f} | {taken / rows * 1e6:.4f} | {mean * 1e3:.4f} "
                  f"| {mean / taken * rows:,.0f} | {apart:.1e} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    entries = instances(asked.seed, asked.share)
    ours(entries)
    library = theirs(entries, asked.python)
    table(entries, library)
    batches(entries, library, asked.rows)


if __name__ == "__main__":
    main()
