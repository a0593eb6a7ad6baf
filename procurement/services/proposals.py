"""Step 8 of the story: each SKU's position against its policy; what is below its reorder point becomes a proposal.

SKUs are read, decided and let go by chunks: memory holds what is proposed and one chunk, however many there are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Sku
from config.kernel.lookups import is_one_of
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_forecasts
from procurement.models import ActionMessage, Proposal
from procurement.services.action_messages import MessageCounts, open_lines, propose_moves, wanted_moves
from procurement.services.aims import Pair, PlannedItem, planned_items, sku_chunks
from procurement.services.inputs import SharedAim, Supply, engine_input, segment_of, service_corrections
from procurement.services.joint_limits import is_coupled
from procurement.services.joint_orders import settle_jointly
from procurement.services.moves import Move, OpenLine, Watched
from procurement.services.planned_inputs import lines_sharing, supply_of
from procurement.services.projection import expected_demand
from procurement.services.screening import decide
from procurement.services.shared_targets import shared_aims
from procurement.services.standing import locked_open_proposals, quiet_pairs, reconcile
from procurement.services.wanted import wanted_proposal, watched_item
from warehouses.selectors.stock import stock_positions

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult
    from procurement.services.screening import Decided

_PROPOSING_LOCK = 7_203_114  # advisory lock: one planner of proposals at a time


@dataclass(frozen=True, slots=True)
class ProposalCounts:
    below_reorder_point: int
    without_supplier: int
    new: int = 0
    withdrawn: int = 0
    refreshed: int = 0
    open: int = 0
    unplannable: tuple[str, ...] = ()
    messages: MessageCounts = field(default_factory=MessageCounts)

    @property
    def changed(self) -> int:
        return self.new + self.withdrawn + self.refreshed + self.messages.changed


@dataclass(slots=True)
class _Pass:
    """What is the same for every chunk, and what the chunks have brought so far."""

    run: ForecastRun
    today: date
    supply: Supply
    sharing: Counter[tuple[int, int]]
    corrections: Mapping[tuple[int, str], float]
    lines: Mapping[Pair, list[OpenLine]]
    given: Mapping[Pair, PlannedItem] | None
    shared: Mapping[Pair, SharedAim]
    below: int = 0
    without_supplier: int = 0
    unplannable: list[str] = field(default_factory=list)
    planned: dict[Pair, PlannedItem] = field(default_factory=dict)
    inputs: dict[Pair, "ReplenishmentInput"] = field(default_factory=dict)
    results: dict[Pair, "ReplenishmentResult"] = field(default_factory=dict)
    moves: dict[int, tuple[Move, Watched]] = field(default_factory=dict)


def propose_reorders(
    run: ForecastRun,
    *,
    now: datetime,
    items: Mapping[Pair, PlannedItem] | None = None,
    is_look_back: bool = False,
) -> ProposalCounts:
    """Bring the open proposals and action messages in line with this run; planning twice changes nothing.

    Drafts and open orders count as supply. An open proposal that still says the same stays, with its dates and its
    explanation brought up to date; one that says something else is superseded by a new one; one no longer needed is
    withdrawn; a dismissed one keeps quiet until the next review. A look back proposes nothing: stock is today's. One
    transaction, one planner at a time (advisory lock), so that no SKU and warehouse ever has two open proposals.
    `items`: what holds for each, where the caller has read it already.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PROPOSING_LOCK])
        # Before supply is read: an acceptance in between would be neither an open proposal nor a draft that was seen.
        open_now = locked_open_proposals()
        found = _pass_of(run, timezone.localdate(now), items)
        for chunk in sku_chunks(_forecast_skus(run)):
            _decide_chunk(found, chunk)
        counts = ProposalCounts(found.below, found.without_supplier, unplannable=tuple(found.unplannable))
        if not is_look_back:
            new, withdrawn, refreshed = reconcile(open_now, _wanted(found, now))
            messages = propose_moves(run, found.moves)
            counts = replace(counts, new=new, withdrawn=withdrawn, refreshed=refreshed, messages=messages)
        return replace(counts, open=Proposal.objects.filter(status=Proposal.Status.OPEN).count())


def _pass_of(run: ForecastRun, today: date, given: Mapping[Pair, PlannedItem] | None) -> _Pass:
    supply = supply_of(run, today=today)
    sharing = lines_sharing(run)
    shared = shared_aims(run, today=today, counted_twice=supply.counted_twice, sharing=sharing, given=given)
    return _Pass(run, today, supply, sharing, service_corrections(), open_lines(), given, shared)


def _forecast_skus(run: ForecastRun) -> list[int]:
    return list(Forecast.objects.filter(run=run).order_by("sku_id").values_list("sku_id", flat=True).distinct())


def _decide_chunk(found: _Pass, skus: Sequence[int]) -> None:
    """Decide for these SKUs, everywhere; a fixed number of queries."""
    items = planned_items(skus, today=found.today) if found.given is None else found.given
    adjusted = adjusted_forecasts(found.run, _protection_forecasts(found.run, skus), on=found.today, sku_ids=skus)
    forecasts = {(f.sku_id, f.warehouse_id): f for f in adjusted}
    supply = replace(found.supply, positions=stock_positions(skus, today=found.today))
    inputs = {
        pair: engine_input(
            items[pair],
            forecast,
            found.run.quantile_levels,
            supply,
            pair,
            lines=found.sharing[items[pair].item.supplier_id, pair[1]] or 1,
            correction=found.corrections.get((pair[1], segment_of(forecast)), 1.0),
            shared=found.shared.get(pair),
        )
        for pair, forecast in forecasts.items()
        if pair in items
    }
    coupled = {pair for pair in inputs if is_coupled(items[pair].item.supplier)}
    decided = decide(inputs, whole=found.lines.keys() | coupled)
    found.below += decided.below
    found.unplannable += decided.refused
    found.without_supplier += _without_supplier(forecasts.keys() - inputs.keys())
    _collect(found, decided, items)


def _collect(found: _Pass, decided: "Decided", items: Mapping[Pair, PlannedItem]) -> None:
    """Keep what is to be ordered or settled with other lines, and say which lines on order should move."""
    watched_pairs = decided.results.keys() & found.lines.keys()
    demand = expected_demand(found.run, watched_pairs, today=found.today, counted_twice=found.supply.counted_twice)
    watched = {
        pair: watched_item(items[pair], decided.inputs[pair], decided.results[pair], demand[pair])
        for pair in watched_pairs
    }
    found.moves |= wanted_moves(watched, found.lines, today=found.today)
    for pair, result in decided.results.items():
        if result.order_quantity > 0 or is_coupled(items[pair].item.supplier):
            found.planned[pair], found.inputs[pair], found.results[pair] = items[pair], decided.inputs[pair], result


def _wanted(found: _Pass, now: datetime) -> dict[Pair, Proposal]:
    """The proposals of this plan, orders with limits of their own settled as a whole."""
    # What is not going to be ordered neither fills an order up nor uses its room and money.
    quiet = quiet_pairs(found.planned, now=now)
    asked = {pair: result for pair, result in found.results.items() if pair not in quiet}
    changes = settle_jointly(found.run, found.planned, found.inputs, asked, now=now)
    results = {**asked, **{pair: change.applied_to(asked[pair]) for pair, change in changes.items()}}
    pairs = sorted(pair for pair, result in results.items() if result.order_quantity > 0)
    demand = expected_demand(found.run, set(pairs), today=found.today, counted_twice=found.supply.counted_twice)
    sooner = {line for line, (move, _watched) in found.moves.items() if move.kind == ActionMessage.Kind.EXPEDITE}
    return {
        pair: wanted_proposal(
            found.run,
            pair,
            found.planned[pair],
            found.inputs[pair],
            results[pair],
            demand[pair],
            found.lines.get(pair, []),
            today=found.today,
            is_expedited=any(line.line_id in sooner for line in found.lines.get(pair, [])),
            joint_order=changes[pair].joint_order if pair in changes else None,
        )
        for pair in pairs
    }


def _without_supplier(pairs: set[Pair]) -> int:
    """How many of these pairs should be bought but have nobody to buy from; what is phasing out is not bought."""
    skus = {sku for sku, _warehouse in pairs}
    bought = set(Sku.objects.filter(is_one_of("id", skus), status__in=Sku.PLANNED).values_list("pk", flat=True))
    return sum(sku in bought for sku, _warehouse in pairs)


def _protection_forecasts(run: ForecastRun, skus: Sequence[int]) -> Iterator[Forecast]:
    rows = Forecast.objects.filter(is_one_of("sku_id", skus), run=run).only(
        "sku_id",
        "warehouse_id",
        "protection_days",
        "protection_mean",
        "protection_sd",
        "protection_quantiles",
        "value_class",
        "demand_class",
    )
    return rows.order_by("sku_id", "warehouse_id").iterator(chunk_size=5000)
