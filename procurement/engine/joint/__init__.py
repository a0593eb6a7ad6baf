"""One order of many lines: what to buy of each when minimums, packs, price breaks, money and room hang together.

`solve_joint(problem)` answers one supplier's order, `solve_groups(problems)` several that share budgets or room.
Every line is a special ordered set (SOS1) of the quantities the supplier sells, each at its exact expected cost, so the
convex hull of each line is in the relaxation and only the constraints that couple lines can open a gap. The relaxation
is solved by column generation (Dantzig & Wolfe 1960), the whole numbers by HiGHS; units, days and money as in `types`.
"""

from procurement.engine.joint.groups import solve_groups
from procurement.engine.joint.solve import cost_of, solve_joint
from procurement.engine.joint.types import (
    Container,
    JointAnswer,
    JointLine,
    JointProblem,
    LongRun,
    OrderTerms,
    Pool,
    Relaxation,
    Room,
    Usage,
)

__all__ = [
    "Container",
    "JointAnswer",
    "JointLine",
    "JointProblem",
    "LongRun",
    "OrderTerms",
    "Pool",
    "Relaxation",
    "Room",
    "Usage",
    "cost_of",
    "solve_groups",
    "solve_joint",
]
