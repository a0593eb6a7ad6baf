"""From the levels of a policy batch to the keywords of a replay."""

import numpy as np

from procurement.engine.policies.types import POLICY_MODELS, PolicyLevels
from procurement.engine.replay.checks import Array

FIXED_LOT = POLICY_MODELS.index("fixed_lot")


def replay_levels(levels: PolicyLevels) -> dict[str, Array]:
    """Keywords of `ReplayInput` and `ReplayInput.with_levels`; the lot counts for (R,s,nQ) rows only."""
    return {
        "reorder_point": np.minimum(levels.reorder_point, levels.order_up_to_level),
        "order_up_to_level": levels.order_up_to_level,
        "lot": np.where(levels.model == FIXED_LOT, levels.lot, 0.0),
    }
