"""Lost sales: what was asked for on days that were not fully in stock, where the sale is only a lower bound of it.

Two worlds make the same file. Stock-outs that strike whatever the demand is (a shop's closure, a late delivery): the
days that were missed are like the others, and leaving them out is right. Stock-outs that demand itself brings about (a
big day empties the shelf): leaving them out loses the big days, and the sale must be lifted to E[D | D ≥ sale]. Each
series tells which it is by where its stock-outs begin, so far: struck at random, they fall on low days as often as any
day falls low; brought about by demand, they fall on none.

    low(x) = share of beginnings of stock-outs with a sale ≤ x ;  F(x) = share of full days with a sale ≤ x
    random = min over x in {0, ¼ m, m, 2 m} of low(x) / F(x), m the mean sale, drawn to ½ by one pseudo-count

below ¼ it counts as 0 and above ¾ as 1. A partial share p with sale s tells s/p (demand spread evenly in the day), with
weight 1 − random·(1 − p). A sale on a day of share 0 tells E[D | D ≥ s], with weight 1 − random. No sale and share 0:
nothing.

E[D | D ≥ s] is Kaplan and Meier's (1958) estimate on a grid of √2 steps: hazard of a step = (sales that end in it +
2 h₀) / (sales at risk + 2), h₀ the hazard of the log-normal law fitted to the earlier sales, the censored among them by
EM (Tobin 1958; Dempster, Laird and Rubin 1977). Above the largest sale seen only the law speaks. The law's variance is
drawn to 1.05² as if by 8 sales (retail order sizes have a heavy tail; where demand is capped at a fixed stock again and
again and its tail is light, the estimate is too high: nothing in the data says how far it would have gone).
"""

from __future__ import annotations

import numpy as np

from forecasting.engine.cleaning.kernel import run
from forecasting.engine.types import BoolArray, FloatArray, IntArray


def uncensored(
    sales: FloatArray, exposure: FloatArray, in_stock: FloatArray, starts: IntArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """(demand × exposure, exposure, censored) (n, T) of sales (n, T) ≥ 0 whose exposure is 1 (seen) or 0 (unknown).

    in_stock (n, T) share of the period in stock; NaN = in stock. Column t uses the columns before it and its own sale.
    Half of each day in stock by chance and 2 sold in every such half: demand 4, exposure ½.
    """
    share = np.clip(np.where(np.isnan(in_stock), 1.0, in_stock), 0.0, 1.0)
    censored = (share < 1.0) & (exposure > 0)
    rows = np.flatnonzero(censored.any(axis=1))
    demand, weight = sales, exposure
    if len(rows):
        demand, weight = sales.copy(), exposure.copy()
        seen = np.where(exposure[rows] > 0, sales[rows], np.nan)
        value, told = run(seen, np.ascontiguousarray(share[rows]), np.asarray(starts[rows], dtype=np.int64))
        demand[rows], weight[rows] = value * told, told
    return demand, weight, censored
