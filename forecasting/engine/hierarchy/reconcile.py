"""Base forecasts of all nodes, each made on its own, become bottom forecasts that add up to every level."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from forecasting.engine.hierarchy.tree import Tree
from forecasting.engine.types import FloatArray

METHODS = ("bottom_up", "top_down", "middle_out", "mint")
TINY = 1e-12


def reconcile(
    tree: Tree,
    base: FloatArray,
    *,
    method: str = "bottom_up",
    middle: str | None = None,
    variances: FloatArray | None = None,
) -> FloatArray:
    """(n, h) coherent bottom means, never negative; `tree.aggregate` of them is every level.

    base       (N, h) forecasts of all nodes, numbered as in Tree.
    bottom_up  the bottom's own. top_down: the total's, shared out by the bottom's forecasts (forecast proportions;
               Athanasopoulos, Ahmed & Hyndman 2009). middle_out: the same from the level `middle` down.
    mint       minimum trace (Wickramasuriya, Athanasopoulos & Hyndman 2019): ỹ = ŷ − WU(UᵀWU)⁻¹Uᵀŷ with Uᵀ = [I −A]
               and W = diag(variances) of the base errors, (N,); None = structural, each node its number of bottom
               series. Negative results become 0 (the sums follow).

    Total 110, parts 40 and 60, W = (2, 1, 1): each part gets a quarter of the missing 10 → 42.5 and 62.5.
    """
    nodes = int(sum(tree.counts)) + tree.bottom
    if base.shape[:1] != (nodes,) or base.ndim != 2:
        raise ValueError(f"base must have shape ({nodes}, horizon), got {base.shape}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    own = np.maximum(base[nodes - tree.bottom :], 0.0)
    if method == "bottom_up":
        return own
    if method == "mint":
        return mint(tree, base, variances)
    name = "total" if method == "top_down" else middle
    if name not in tree.names:
        raise ValueError(f"middle must be one of {', '.join(tree.names)}, got {middle!r}")
    return shared_out(tree, str(name), base, own)


def shared_out(tree: Tree, name: str, base: FloatArray, own: FloatArray) -> FloatArray:
    """(n, h) a level's forecasts shared out by its series' own forecasts; equally where those are all zero."""
    code = tree.codes[tree.names.index(name)]
    count = tree.counts[tree.names.index(name)]
    top = np.maximum(base[tree.level(name)], 0.0)
    member = sparse.csr_matrix((np.ones(tree.bottom), (code, np.arange(tree.bottom))), shape=(count, tree.bottom))
    sums, size = member @ own, np.bincount(code, minlength=count)
    equal = 1.0 / np.maximum(size[code], 1)[:, None]
    share = np.where(sums[code] > TINY, own / np.maximum(sums[code], TINY), equal)
    return share * top[code]


def mint(tree: Tree, base: FloatArray, variances: FloatArray | None = None) -> FloatArray:
    """(n, h) MinT with a diagonal W, by one sparse solve of the size of the levels above the bottom.

    With W = diag(w_a, w_b): b̃ = b̂ + w_b Aᵀ (A w_b Aᵀ + w_a)⁻¹ (â − A b̂).
    """
    a, upper = tree.above, int(sum(tree.counts))
    if variances is None:
        weights = np.concatenate([np.asarray(a.sum(axis=1)).ravel(), np.ones(tree.bottom)])
    else:
        weights = np.asarray(variances, dtype=float)
        if weights.shape != (upper + tree.bottom,) or not (weights >= 0).all():
            raise ValueError(f"variances must be {upper + tree.bottom} numbers of at least 0")
    floor = max(float(weights.max(initial=0.0)) * 1e-9, TINY)
    weights = np.maximum(weights, floor)
    spread = sparse.diags(weights[upper:]) @ a.T
    system = (a @ spread + sparse.diags(weights[:upper])).tocsc()
    gap = base[:upper] - a @ base[upper:]
    return np.maximum(base[upper:] + spread @ splu(system).solve(np.asarray(gap)), 0.0)
