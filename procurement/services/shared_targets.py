"""One fill rate for all items of a policy: before anything is decided, each of them gets its part of it.

Read by chunks; what stays is an array of numbers a row, and at the end the part of each SKU and warehouse.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from config.kernel.lookups import is_one_of
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors import demand_panel
from forecasting.selectors.adjusted import adjusted_forecasts
from procurement.models import Experiment, Policy
from procurement.services.aims import Pair, PlannedItem, planned_items, sku_chunks
from procurement.services.inputs import NO_SUPPLY, SharedAim, engine_input
from procurement.services.replay_history import KNOWN_DAYS
from procurement.services.replay_levels import unit_cost, worth_of
from procurement.services.replay_sharing import is_shared, sd_of_days
from procurement.services.screening import batch_from

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from procurement.engine.policies.types import PolicyBatch

ROWS_AT_A_TIME = 2000
Group = tuple[int | None, float]


@dataclass(slots=True)
class _Rows:
    """What was read of the rows of one target so far, chunk by chunk."""

    pairs: list[Pair] = field(default_factory=list)
    batches: list["PolicyBatch"] = field(default_factory=list)
    money: list[tuple[float, float]] = field(default_factory=list)
    daily_sd: list["NDArray[np.float64]"] = field(default_factory=list)


def shared_aims(
    run: ForecastRun,
    *,
    today: date,
    counted_twice: Mapping[Pair, float],
    sharing: Counter[tuple[int, int]],
    given: Mapping[Pair, PlannedItem] | None = None,
) -> dict[Pair, SharedAim]:
    """The part of every SKU and warehouse whose policy shares its fill rate; two queries where none does.

    `sharing`: lines that share an order, by supplier and warehouse; `given`: what holds, where it was read already.
    What an experiment changed shares with its like: the same policy at the same fill rate.
    """
    if given is None and not _any_shares():
        return {}
    groups: dict[Group, _Rows] = {}
    skus = Forecast.objects.filter(run=run).order_by("sku_id").values_list("sku_id", flat=True).distinct()
    for chunk in sku_chunks(list(skus), ROWS_AT_A_TIME):
        items = planned_items(chunk, today=today) if given is None else given
        _read(run, chunk, items, today, replace(NO_SUPPLY, counted_twice=counted_twice), sharing, groups)
    aims: dict[Pair, SharedAim] = {}
    for (_policy, fill_rate), rows in groups.items():
        aims |= _shared_out(rows, fill_rate)
    return aims


def _any_shares() -> bool:
    """Also where only the challenger of a running experiment does."""
    trying = Experiment.objects.filter(status=Experiment.Status.RUNNING, changes__has_key="shares_target")
    return Policy.objects.filter(shares_target=True).exists() or trying.exists()


def _read(
    run: ForecastRun, skus: Sequence[int], items: Mapping[Pair, PlannedItem], today: date, supply: Any,
    sharing: Counter[tuple[int, int]], groups: dict[Group, _Rows],
) -> None:  # fmt: skip
    from procurement.engine.policies.types import ROW_FIELDS

    asked = set(skus)
    meant = {pair[0] for pair, planned in items.items() if pair[0] in asked and is_shared(planned.policy)}
    if not meant:
        return
    rows = Forecast.objects.filter(is_one_of("sku_id", meant), run=run).defer("mean", "quantiles", "scores")
    found: dict[Group, dict[Pair, Any]] = {}
    for forecast in adjusted_forecasts(run, rows.order_by("sku_id", "warehouse_id"), on=today, sku_ids=sorted(meant)):
        pair = (forecast.sku_id, forecast.warehouse_id)
        if pair in items and is_shared(policy := items[pair].policy):
            lines = sharing[items[pair].item.supplier_id, pair[1]] or 1
            item = engine_input(items[pair], forecast, run.quantile_levels, supply, pair, lines=lines)
            found.setdefault((policy.pk, float(policy.fill_rate)), {})[pair] = item
    for group, inputs in found.items():
        batch, pairs = batch_from(list(inputs.values())), list(inputs)
        good = [int(place) for place in usable(batch).nonzero()[0]]
        told = groups.setdefault(group, _Rows())
        told.pairs += [pairs[place] for place in good]
        told.batches.append(replace(batch, **{name: getattr(batch, name)[good] for name in ROW_FIELDS}))
        told.money += [(worth_of(items[pairs[place]]), unit_cost(items[pairs[place]])) for place in good]
        told.daily_sd.append(_daily_sd([pairs[place] for place in good], run.as_of))


def usable(batch: "PolicyBatch") -> "NDArray[np.bool_]":
    """Rows the engine will decide; the plan names the others."""
    import numpy as np

    good = np.isfinite(batch.quantiles).all(axis=1) & (batch.review_days > 0.0) & (batch.pack > 0.0)
    for one in fields(batch):
        values = getattr(batch, one.name)
        if one.name not in ("levels", "quantiles", "stockout_cost", "maximum_stock"):
            good &= np.isfinite(values) & (values >= 0)
    found: NDArray[np.bool_] = good
    return found


def _daily_sd(pairs: Sequence[Pair], as_of: date) -> "NDArray[np.float64]":
    """Of the days of the last year; nan for what has sold for less than eight weeks."""
    import numpy as np

    if not pairs:
        return np.empty(0)
    values, _starts = demand_panel(pairs, until=as_of, days=KNOWN_DAYS)
    return sd_of_days(values)


def _shared_out(rows: _Rows, fill_rate: float) -> dict[Pair, SharedAim]:
    import numpy as np

    from procurement.engine.policies.shared_target import share_fill_rate, spread_factors, spread_out
    from procurement.engine.policies.types import ROW_FIELDS

    if not rows.pairs:
        return {}
    columns = {name: np.concatenate([getattr(one, name) for one in rows.batches]) for name in ROW_FIELDS}
    batch = replace(rows.batches[0], **columns)
    worth, cost = np.array(rows.money).T
    spread = spread_factors(batch, np.concatenate(rows.daily_sd), worth)
    found = share_fill_rate(spread_out(batch, spread), worth, cost, fill_rate)
    return {
        pair: SharedAim(fill_rate, float(level), float(weight), float(factor))
        for pair, level, weight, factor in zip(rows.pairs, found.service_level, found.weight, spread, strict=True)
    }
