"""The mission's number: what stock our forecasts and policy need for a fill rate, on real demand and lead times.

    .venv/bin/python -m benchmarks.optimisation.mission [design] [unseen] [--python PATH] [--work DIR] [--picture FILE]

`design` is 2010-12-10 … 2011-06-09, on which the policy was made; `unseen` is 2011-06-10 … 2011-12-08. Prints Markdown
and writes the curves. `--python` is an environment of requirements/benchmark.txt (statsforecast); `--work` keeps the
forecasts; `--step` is the days between two forecasts of everybody.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.optimisation.mission_chart import draw
from benchmarks.optimisation.mission_commands import cost_aims, fill_rate_aims, levels_by_command
from benchmarks.optimisation.mission_curves import FILLS, WARM_UP, Curve, best_of, curve, replayed
from benchmarks.optimisation.mission_data import Array, fixed_lead_times, load_half, load_lead_times
from benchmarks.optimisation.mission_forecasts import Windows, forecasts
from benchmarks.optimisation.mission_policies import Setting, auto_ets, levels_of, ours, seasonal_naive
from benchmarks.optimisation.mission_targets import CAUTIONS, requested, served_by

Z = np.arange(0.0, 8.1, 0.25)
SHARES = (0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999)
SEEDS = (7, 8, 9)


def contest(setting: Setting, full: Windows, ets: Windows) -> tuple[list[Curve], list[Curve], list[Curve]]:
    """(ours for value, ours for units, the rest), each a curve."""
    naive_z, naive_fill = seasonal_naive(setting)
    ets_z, ets_fill = auto_ets(setting, ets)
    theirs = [
        curve(setting, "AutoETS, z", ets_z, Z),
        curve(setting, "seasonal naive, z", naive_z, Z),
        curve(setting, "AutoETS, fill rate", ets_fill, SHARES),
        curve(setting, "seasonal naive, fill rate", naive_fill, SHARES),
    ]
    helped = [curve(setting, "AutoETS, z, with our weekly update", auto_ets(setting, ets, update=True)[0], Z)]
    mine = []
    for units in (False, True):
        asked = ours(setting, full, units=units)
        name = "ours, for units" if units else "ours"
        mine.append(curve(setting, name, lambda x, a=asked: levels_of(a, x), CAUTIONS))
    plain = ours(setting, full, update=False)
    still = [curve(setting, "ours, no update between forecasts", lambda x: levels_of(plain, x), CAUTIONS)]
    return mine[:1] + still + helped, mine[1:], theirs


def row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def equal_fill(title: str, runs: list[tuple[list[Curve], list[Curve], list[Curve]]], units: bool) -> None:
    """Stock at equal fill rate, mean of the runs, and the difference to the better of the public ones."""
    print(f"\n{title}, {'unit' if units else 'value'} fill rate: mean stock at cost, thousand £\n")
    print(row("", [f"{fill:.0%}" for fill in FILLS]) + "\n|---|" + "---|" * len(FILLS))
    count = len(runs[0][2])
    for place in range(count):
        found = [[run[2][place].stock_at(fill, units) for fill in FILLS] for run in runs]
        print(row(runs[0][2][place].name, [f"{x / 1e3:.0f}" for x in np.mean(found, axis=0)]))
    for kind in range(4 if units else 3):
        picked = [(run[0] + run[1])[kind] for run in runs]
        stock = np.array([[one.stock_at(fill, units) for fill in FILLS] for one in picked])
        least = np.array([[best_of(run[2], fill, units) for fill in FILLS] for run in runs])
        gained = [
            [one.fill_at(low, units) - fill for fill, low in zip(FILLS, lows, strict=True)]
            for one, lows in zip(picked, least, strict=True)
        ]
        print(row(picked[0].name, [f"{x / 1e3:.0f}" for x in stock.mean(axis=0)]))
        print(row("… against the better", [f"**{x:+.1%}**" for x in (stock / least).mean(axis=0) - 1.0]))
        print(row("… fill at its stock, points", [f"{100 * x:+.1f}" for x in np.mean(gained, axis=0)]))


def requested_rates(settings: list[Setting], full: Windows, earlier: list[dict[bool, Array]]) -> None:
    print("\nRequested → reached (ours, by replay of the known past, mean of the lead-time seeds)\n")
    print("| aim | 90% | 92% | 95% | 97% | 98% |\n|---|---|---|---|---|---|")
    for units in (False, True):
        cells = []
        for share in (0.90, 0.92, 0.95, 0.97, 0.98):
            reached = []
            for setting, past in zip(settings, earlier, strict=True):
                weight = np.ones(len(setting.half.ids)) if units else setting.half.price
                done = requested(setting, ours(setting, full, units=units), share, weight, past.get(units))
                reached.append(done.fill(weight))
            cells.append(f"{np.mean(reached):.1%}")
        print(row("units" if units else "value", cells))


def learned(settings: list[Setting], full: Windows) -> list[dict[bool, Array]]:
    """What the replays of a finished half year say about caution and fill rate, for the half year after it."""
    said = []
    for setting in settings:
        weights = {False: setting.half.price, True: np.ones(len(setting.half.ids))}
        days = setting.half.demand.shape[1]
        said.append({u: served_by(setting, ours(setting, full, units=u), days, w) for u, w in weights.items()})
    return said


def by_command(setting: Setting, full: Windows) -> None:
    half = setting.half
    print("\n`order_up_to` of `manage.py optimize`, a target per item, lead time 14 days\n")
    heads = ("asked", "value fill", "unit fill", "mean SKU fill", "stock, thousand £", "cost, thousand £")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    aims = {f"fill_rate {share}": fill_rate_aims(setting, share) for share in (0.90, 0.95, 0.98)}
    for name, asked in (aims | {"holding_cost, stockout_cost": cost_aims(setting)}).items():
        done = replayed(setting, levels_by_command(setting, full, asked))
        sold = done.demand > 0
        cost = done.cost(half.price, half.cost, half.demand.shape[1] - WARM_UP)
        each = float((done.served[sold] / done.demand[sold]).mean())
        cells = [f"{done.fill(half.price):.1%}", f"{done.fill():.1%}", f"{each:.1%}"]
        print(row(name, [*cells, f"{(done.stock * half.cost).sum() / 1e3:.0f}", f"{cost / 1e3:.1f}"]))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("halves", nargs="*", default=["design", "unseen"])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--picture", type=Path, default=Path("docs/pictures/trade-off.svg"))
    parser.add_argument("--step", type=int, default=28)
    parser.add_argument("--items", type=int, default=1000)
    return parser.parse_args()


def main() -> None:
    asked = options()
    with tempfile.TemporaryDirectory() as folder:
        work, drawn, past = asked.work or Path(folder), {}, [{} for _ in SEEDS]
        for name in asked.halves:
            half = load_half(name, asked.items, asked.step)
            full, ets = (forecasts(half, who, work, asked.python) for who in ("full", "AutoETS"))
            title = f"{half.days[half.start].date()} … {half.days[-1].date()}"
            print(f"\n## {name}: {title}, {len(half.ids)} SKUs")
            still = Setting(half, fixed_lead_times(len(half.ids)))
            settings = [Setting(half, load_lead_times(len(half.ids), scaled=True, seed=seed)) for seed in SEEDS]
            runs = [contest(setting, full, ets) for setting in settings]
            calm = [contest(still, full, ets)]
            for units in (False, True):
                equal_fill("SCMS lead times scaled to 14 days", runs, units)
                equal_fill("Lead time of 14 days", calm, units)
            least = {found.name: found.cost.min() / 1e3 for found in [*runs[0][0], *runs[0][2]]}
            print("\nLeast cost, thousand £:", ", ".join(f"{who} {cost:.1f}" for who, cost in least.items()))
            requested_rates(settings, full, past)
            by_command(still, full)
            past = learned(settings, full)
            drawn[f"{name}, {title}"] = [runs[0][0][0], *runs[0][2]]
        draw(drawn, asked.picture)


if __name__ == "__main__":
    main()
