"""A shared fill rate in a replay: on each day levels are set, the items of a policy get their part of it anew."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from procurement.models import Policy
from procurement.services.aims import PlannedItem
from procurement.services.replay_history import KNOWN_DAYS, Past

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from procurement.engine.policies.types import PolicyBatch

    Array = NDArray[np.float64]

_LEAST_DAYS = 56


def is_shared(policy: Policy) -> bool:
    return policy.shares_target and policy.target == Policy.Target.FILL


def sd_of_days(values: "Array") -> "Array":
    """(N, days) demand, nan before the first → (N,); nan for what has sold for less than eight weeks."""
    import numpy as np

    known = ~np.isnan(values)
    count = known.sum(axis=1)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = (np.where(known, values - mean[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(count, 1)
    found: NDArray[np.float64] = np.where(count >= _LEAST_DAYS, np.sqrt(squares), np.nan)
    return found


def shared_by_day(
    batch: "PolicyBatch", items: Sequence[PlannedItem], past: Past, days: Sequence[int], worth: "Array", cost: "Array",
    target: float | None,
) -> "PolicyBatch":  # fmt: skip
    """The batch of U days × N items with every item that shares aimed at its part, as the plan would have aimed it.

    Shared among the items at hand, which a replay takes some hundreds at a time. `target`: another fill rate than the
    policy's, for the curve.
    """
    import numpy as np

    from procurement.engine.policies.shared_target import share_fill_rate, spread_factors, spread_out
    from procurement.engine.policies.types import ROW_FIELDS

    groups: dict[tuple[int | None, float], list[int]] = {}
    for place, item in enumerate(items):
        if is_shared(item.policy):
            rate = target or float(item.policy.fill_rate)
            groups.setdefault((item.policy.pk, rate), []).append(place)
    if not groups:
        return batch
    columns = {name: getattr(batch, name).copy() for name in ROW_FIELDS}
    for step, day in enumerate(days):
        for (_policy, rate), places in groups.items():
            here = np.array(places)
            rows = here + step * len(items)
            part = replace(batch, **{name: getattr(batch, name)[rows] for name in ROW_FIELDS})
            spread = spread_factors(part, sd_of_days(_known(past, day)[here]), worth[here])
            part = spread_out(part, spread)
            found = share_fill_rate(part, worth[here], cost[here], rate)
            columns["quantiles"][rows], columns["protection_sd"][rows] = part.quantiles, part.protection_sd
            columns["target_kind"][rows], columns["target"][rows] = 0, found.service_level
    return replace(batch, **columns)


def _known(past: Past, day: int) -> "Array":
    """(N, KNOWN_DAYS) demand before this day of the replay, nan before a pair's first."""
    import numpy as np

    columns = np.arange(day, KNOWN_DAYS + day)
    unknown = columns < (KNOWN_DAYS - past.known)[:, None]
    return np.where(unknown, np.nan, past.demand[:, day : KNOWN_DAYS + day])
