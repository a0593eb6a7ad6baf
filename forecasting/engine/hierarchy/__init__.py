"""One truth at every level: forecasts of SKUs, warehouses, channels, categories and the total that add up.

tree = Tree.of({"category": categories, "warehouse": warehouses})      # codes per bottom series
coherent = reconcile(tree, base, method="mint", variances=backtest_variances)
levels = tree.sums(coherent.bottom)                                     # every level, exactly
joint = sample_levels(tree, sums_of(...), ...)                          # quantiles of sums, never sums of quantiles
"""

from forecasting.engine.hierarchy.channels import Split, channel_shares, split_channels
from forecasting.engine.hierarchy.joint import Dependence, GroupSums, fit_dependence, sample_groups, sums_of_groups
from forecasting.engine.hierarchy.reconcile import METHODS, reconcile
from forecasting.engine.hierarchy.tree import Tree, to_grid

__all__ = [
    "METHODS",
    "Dependence",
    "GroupSums",
    "Split",
    "Tree",
    "channel_shares",
    "fit_dependence",
    "reconcile",
    "sample_groups",
    "split_channels",
    "sums_of_groups",
    "to_grid",
]
