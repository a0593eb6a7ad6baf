"""The trade-off drawn as SVG by hand: fill rate across, mean stock value upwards, one panel a half year."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.optimisation.mission_curves import Curve

COLOURS = ("#0b6e4f", "#b3541e", "#5b5f97", "#8d99ae", "#c9ada7")
WIDTH, HEIGHT, LEFT, TOP, WIDE, TALL = 960, 420, 70, 50, 370, 300
FIRST, LAST = 0.90, 0.99


def panel(curves: list[Curve], x0: int, title: str, top: float) -> list[str]:
    def place(fill: float, stock: float) -> str:
        return f"{x0 + (fill - FIRST) / (LAST - FIRST) * WIDE:.1f},{TOP + TALL * (1 - stock / top):.1f}"

    lines = [f'<text x="{x0}" y="{TOP - 18}" font-weight="bold">{title}</text>']
    for fill in np.arange(FIRST, LAST + 0.001, 0.01):
        x, bottom = place(fill, 0.0).split(",")
        lines.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#ddd"/>')
        lines.append(f'<text x="{x}" y="{float(bottom) + 16:.0f}" text-anchor="middle">{fill:.0%}</text>')
    for part in range(5):
        stock = top * part / 4
        x, y = place(FIRST, stock).split(",")
        lines.append(f'<line x1="{x}" y1="{y}" x2="{x0 + WIDE}" y2="{y}" stroke="#eee"/>')
        lines.append(f'<text x="{x0 - 6}" y="{y}" text-anchor="end" dy="4">{stock / 1000:.0f}</text>')
    for colour, found in zip(COLOURS, curves, strict=False):
        fills = [fill for fill in np.arange(FIRST, LAST + 1e-9, 0.0025) if found.stock_at(fill, False) <= top]
        points = " ".join(place(fill, found.stock_at(fill, False)) for fill in fills)
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
    return lines


def draw(halves: dict[str, list[Curve]], file: Path) -> None:
    """`halves`: title → curves, the same contestants in the same order."""
    every = [found.stock_at(fill, False) for curves in halves.values() for found in curves for fill in (0.97, 0.98)]
    top = float(np.ceil(np.nanmax(every) / 1e5) * 1e5)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        '<text x="12" y="18">Mean stock at cost, thousand £, by fill rate reached (value of demand served)</text>',
    ]
    for place, (title, curves) in enumerate(halves.items()):
        lines += panel(curves, LEFT + place * (WIDE + 100), title, top)
    for place, (colour, found) in enumerate(zip(COLOURS, next(iter(halves.values())), strict=False)):
        x = LEFT + place * 215
        lines.append(
            f'<line x1="{x}" y1="{HEIGHT - 20}" x2="{x + 24}" y2="{HEIGHT - 20}" stroke="{colour}" stroke-width="3"/>'
        )
        lines.append(f'<text x="{x + 30}" y="{HEIGHT - 16}">{found.name}</text>')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
