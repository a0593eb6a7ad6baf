"""Stock that will not sell in time or at all: how much, what each way out is worth, and which brings most back."""

from procurement.engine.clearance.elasticity import Elasticity, learn_elasticities
from procurement.engine.clearance.excess import Excess, excess_stock
from procurement.engine.clearance.markdown import MarkdownPlan, best_markdown, markdown_path
from procurement.engine.clearance.ways_out import ClearanceCase, WayOut, weigh_ways_out

__all__ = [
    "ClearanceCase",
    "Elasticity",
    "Excess",
    "MarkdownPlan",
    "WayOut",
    "best_markdown",
    "excess_stock",
    "learn_elasticities",
    "markdown_path",
    "weigh_ways_out",
]
