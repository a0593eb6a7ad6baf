"""The levels both policies would have had, on each day they were looked at anew, and the replay of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from forecasting.models import ForecastRun
from procurement.services.aims import PlannedItem
from procurement.services.inputs import in_supplier_currency, stockout_cost
from procurement.services.replay_history import (
    BLOCK_DAYS,
    KNOWN_DAYS,
    LEVELS,
    Past,
    expectations,
    run_known_on,
    stored_expectations,
)
from procurement.services.replay_sharing import shared_by_day
from procurement.services.trials import Trial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from procurement.engine.policies.types import PolicyLevels
    from procurement.engine.replay.types import ReplayInput

WARM_UP_DAYS = 56
DRAWS = 200
Chosen = Callable[[Trial], PlannedItem]


@dataclass(slots=True)
class Chunk:
    """Some trials with their past; `first` is the first day replayed, before the warm-up."""

    trials: Sequence[Trial]
    past: Past
    first: date
    days: int
    runs: Sequence[ForecastRun]
    from_forecasts: int = 0
    from_history: int = 0

    @property
    def level_days(self) -> list[int]:
        return list(range(0, self.days, BLOCK_DAYS))


def levels_over_time(chunk: Chunk, chosen: Chosen, *, target: float | None = None) -> "PolicyLevels":
    """The levels of each trial (N) on each day they change (U), as one batch of U × N rows, day by day. `target`: at
    another service than the policy's, for the curve."""
    import numpy as np

    from procurement.engine.policies.solve import solve_policies
    from procurement.engine.policies.types import batch_of

    items = [chosen(trial) for trial in chunk.trials]
    protection = np.array([item.protection_days for item in items], dtype=np.int64)
    parts = [_known_on(chunk, day, protection, counts=target is None) for day in chunk.level_days]
    quantiles, mean, sd = (np.concatenate([part[place] for part in parts]) for place in range(3))
    terms = {name: np.tile(values, len(parts)) for name, values in _terms(chunk.trials, items, target).items()}
    daily = mean / np.tile(np.maximum(protection, 1), len(parts))
    batch = batch_of(
        np.array(LEVELS), quantiles, protection_mean=mean, protection_sd=sd, mean_daily_demand=daily, **terms
    )
    worth, cost = np.array([worth_of(item) for item in items]), np.array([unit_cost(item) for item in items])
    return solve_policies(shared_by_day(batch, items, chunk.past, chunk.level_days, worth, cost, target))


def _known_on(chunk: Chunk, day: int, protection: "NDArray[np.int64]", *, counts: bool) -> Any:
    quantiles, mean, sd = expectations(chunk.past, protection, day)
    run = run_known_on(chunk.first + timedelta(day), chunk.runs)
    stored = stored_expectations(run, [trial.pair for trial in chunk.trials], protection) if run else {}
    for place, (units, expected, spread) in stored.items():
        quantiles[place], mean[place], sd[place] = units, expected, spread
    if counts:
        chunk.from_forecasts += len(stored)
        chunk.from_history += len(chunk.trials) - len(stored)
    return quantiles, mean, sd


def _terms(trials: Sequence[Trial], items: Sequence[PlannedItem], target: float | None) -> dict[str, Any]:
    import numpy as np

    from procurement.engine.policies.types import POLICY_MODELS, TARGET_KINDS

    def kind(item: PlannedItem) -> int:
        aims_at_cost = item.policy.target == "cost" and target is not None
        return TARGET_KINDS.index("fill_rate" if aims_at_cost else item.policy.target)

    def share(item: PlannedItem) -> float:
        policy = item.policy
        return target or float(policy.fill_rate if policy.target == "fill_rate" else policy.service_level)

    def column(read: Callable[[PlannedItem], Any]) -> Any:
        return np.array([read(item) for item in items])

    return {
        "lead_time_days": column(lambda i: float(i.lead_time_days)),
        "lead_time_sd_days": column(lambda i: float(i.lead_time_sd_days)),
        "review_days": column(lambda i: float(i.review_days)),
        "target_kind": column(kind),
        "target": column(share),
        "is_lost": column(lambda i: i.policy.unmet_demand == "lost"),
        "unit_cost": column(unit_cost),
        "holding_rate_per_year": column(lambda i: float(i.policy.holding_cost_rate)),
        "fixed_order_cost": np.array([fixed_cost(t, i) for t, i in zip(trials, items, strict=True)]),
        "stockout_cost": column(lambda i: np.nan if (cost := stockout_cost(i)) is None else cost),
        "minimum": column(lambda i: float(i.item.minimum_order_quantity)),
        "pack": column(lambda i: float(i.item.pack_size)),
        "maximum_stock": column(_maximum),
        "maximum_cover_days": column(lambda i: float(i.policy.maximum_cover_days)),
        "model": column(lambda i: POLICY_MODELS.index(i.policy.model)),
    }


def unit_cost(planned: PlannedItem) -> float:
    """In the company's currency; the supplier's price where the SKU names none."""
    return float(planned.item.sku.unit_cost or planned.item.unit_cost)


def worth_of(planned: PlannedItem) -> float:
    """Of a unit served, in the company's currency: its list price, its cost where there is none, else 1."""
    return float(planned.item.sku.unit_price or 0) or unit_cost(planned) or 1.0


def fixed_cost(trial: Trial, planned: PlannedItem) -> float:
    """A line's share of an order's fixed cost, in the company's currency as `unit_cost` is."""
    share = float(planned.item.supplier.fixed_order_cost) / max(trial.sharing, 1)
    rate = in_supplier_currency(planned, 1.0)
    return share / rate if rate else share


def _maximum(planned: PlannedItem) -> float:
    most = planned.policy.maximum_stock
    return float("inf") if most is None else max(float(most), float(planned.item.minimum_order_quantity))


def replay_of(chunk: Chunk, chosen: Chosen, levels: "PolicyLevels", demand: Any, *, seed: int) -> "ReplayInput":
    """The policy's replay. Costs are counted as today's policy has them, whichever is replayed; both begin with what
    today's would hold, which the warm-up wears off."""
    import numpy as np

    from procurement.engine.replay.types import ReplayInput

    trials, items = chunk.trials, [chosen(trial) for trial in chunk.trials]
    today = [trial.today for trial in trials]

    def column(read: Callable[[PlannedItem], Any], of: Sequence[PlannedItem]) -> Any:
        return np.array([read(item) for item in of], dtype=float)

    return ReplayInput(
        demand=demand,
        **by_day(levels, len(trials)),
        level_days=chunk.level_days,
        review_days=column(lambda i: i.review_days, items),
        lead_time_draws=lead_time_draws(trials, seed=seed),
        is_lost=column(lambda i: i.policy.unmet_demand == "lost", today),
        minimum=column(lambda i: i.item.minimum_order_quantity, items),
        pack=column(lambda i: i.item.pack_size, items),
        maximum_stock=column(_maximum, items),
        shelf_life_days=column(lambda i: i.item.sku.shelf_life_days or 0, items),
        unit_cost=column(unit_cost, today),
        unit_price=column(lambda i: i.item.sku.unit_price, today),
        holding_rate_per_year=column(lambda i: i.policy.holding_cost_rate, today),
        fixed_order_cost=np.array([fixed_cost(trial, trial.today) for trial in trials]),
        stockout_cost=np.array([_short_cost(trial) for trial in trials]),
        warm_up_days=WARM_UP_DAYS,
        seed=seed,
    )


def _short_cost(trial: Trial) -> float:
    """Of a unit short, the same for both: the challenger's, where today's policy names none."""
    costs = [cost for cost in (stockout_cost(trial.today), stockout_cost(trial.challenger)) if cost is not None]
    return costs[0] if costs else float("nan")


def by_day(levels: "PolicyLevels", count: int) -> dict[str, Any]:
    """The batch of `levels_over_time` as (N, U); (R,S) has s = S, and only whole lots have a lot."""
    import numpy as np

    from procurement.engine.policies.types import POLICY_MODELS

    def shaped(values: Any) -> Any:
        return np.ascontiguousarray(values.reshape(-1, count).T)

    is_up_to = levels.model == POLICY_MODELS.index("order_up_to")
    has_lots = levels.model == POLICY_MODELS.index("fixed_lot")
    top = np.maximum(levels.order_up_to_level, levels.reorder_point)
    return {
        "reorder_point": shaped(np.where(is_up_to, top, levels.reorder_point)),
        "order_up_to_level": shaped(top),
        "lot": shaped(np.where(has_lots, levels.lot, 0.0)),
    }


def lead_time_draws(trials: Sequence[Trial], *, seed: int) -> Any:
    """(N, DRAWS) days: gamma with the mean and standard deviation learned of the supplier's item; the same for both."""
    import numpy as np

    draws = np.empty((len(trials), DRAWS))
    for place, trial in enumerate(trials):
        learned, sd = trial.today.learned, trial.today.lead_time_sd_days
        mean = learned.mean_days if learned else float(trial.today.lead_time_days)
        rng = np.random.Generator(np.random.Philox(key=[seed, trial.today.item.pk]))
        draws[place] = rng.gamma((mean / sd) ** 2, sd**2 / mean, DRAWS) if sd > 0 and mean > 0 else mean
    return np.clip(draws, 0.0, float(KNOWN_DAYS))
