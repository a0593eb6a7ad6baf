"""Transfer before buy: surplus of one warehouse goes where it saves more shortage than moving costs.

For each SKU the engine weighs the expected shortage over lead time and review at every warehouse against the cost of
moving (`procurement.engine.echelon.rebalancing`). An accepted proposal becomes a transfer whose stock is held at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.lookups import is_one_of
from config.kernel.transactions import one_transaction
from forecasting.models import Forecast, ForecastRun
from forecasting.selectors.adjusted import adjusted_forecasts
from forecasting.selectors.consumption import units_counted_twice
from procurement.models import TransferProposal
from procurement.selectors import on_order_quantities
from procurement.selectors_optimising import unshipped_transfer_quantities
from procurement.services.aims import Pair, PlannedItem, planned_items, sku_chunks
from procurement.services.inputs import Supply, stockout_cost
from procurement.services.moving_costs import MovingCosts
from procurement.services.rebalancing_terms import proposal_of
from warehouses.models import Transfer, Warehouse
from warehouses.selectors.sales import backordered_quantities
from warehouses.selectors.stock import Position, stock_positions
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer

if TYPE_CHECKING:
    from procurement.engine.echelon.rebalancing import Lane, Place

_MOVING_LOCK = 7_203_115  # advisory lock: one planner of transfers at a time
_ZERO = Decimal(0)
_QUIET_DAYS = 7
_DAYS_A_YEAR = 365.0
Key = tuple[int, int, int]
Status = TransferProposal.Status


@dataclass(frozen=True, slots=True)
class TransferCounts:
    new: int
    withdrawn: int
    kept: int

    @property
    def changed(self) -> int:
        return self.new + self.withdrawn


@one_transaction
def propose_transfers(run: ForecastRun, *, now: datetime) -> TransferCounts:
    """Bring the open transfer proposals in line with this run; planning twice changes nothing.

    What is dismissed keeps quiet for a week. Locks (advisory) one planner, then the open proposals by primary key.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MOVING_LOCK])
    open_now = list(TransferProposal.objects.select_for_update().filter(status=Status.OPEN).order_by("pk"))
    today = timezone.localdate(now)
    supply = Supply(
        {},
        backordered_quantities(),
        on_order_quantities(),
        {},
        units_counted_twice(run, today=today),
        unshipped_transfer_quantities(),
    )
    forecast = Forecast.objects.filter(run=run)
    skus = list(forecast.order_by("sku_id").values_list("sku_id", flat=True).distinct())
    wanted: dict[Key, TransferProposal] = {}
    active = set(Warehouse.objects.filter(is_active=True).values_list("pk", flat=True))
    if len(active) > 1:
        costs = MovingCosts()
        for chunk in sku_chunks(skus):
            wanted |= _wanted(run, _sites(run, chunk, supply, active, today), costs)
    quiet = TransferProposal.objects.filter(
        status=Status.DISMISSED, decided_at__gt=now - timedelta(days=_QUIET_DAYS)
    ).values_list("sku_id", "source_id", "target_id")
    return _reconcile(open_now, {key: row for key, row in wanted.items() if key not in set(quiet)})


def _reconcile(open_now: Sequence[TransferProposal], wanted: Mapping[Key, TransferProposal]) -> TransferCounts:
    standing = {(p.sku_id, p.source_id, p.target_id): p for p in open_now}
    kept = {key for key, row in wanted.items() if key in standing and standing[key].quantity == row.quantity}
    refreshed = []
    for key in kept:
        for name in ("run_id", "explanation", "cost", "saving", "shortage_avoided"):
            setattr(standing[key], name, getattr(wanted[key], name))
        refreshed.append(standing[key])
    gone = [row.pk for key, row in standing.items() if key not in kept]
    TransferProposal.objects.filter(pk__in=gone).update(status=Status.SUPERSEDED)
    TransferProposal.objects.bulk_update(
        refreshed, ["run", "explanation", "cost", "saving", "shortage_avoided"], batch_size=200
    )
    fresh = [row for key, row in wanted.items() if key not in kept]
    TransferProposal.objects.bulk_create(fresh, batch_size=500)
    return TransferCounts(len(fresh), len(gone), len(kept))


@dataclass(frozen=True, slots=True)
class _Site:
    """A SKU at a warehouse, as the engine sees it."""

    warehouse: int
    planned: PlannedItem
    place: "Place"


def _sites(
    run: ForecastRun, skus: Sequence[int], supply: Supply, active: set[int], today: date
) -> dict[int, list[_Site]]:
    """SKU id → where it is planned; a fixed number of queries."""
    items = planned_items(skus, today=today)
    positions = stock_positions(skus, today=today)
    rows = Forecast.objects.filter(is_one_of("sku_id", skus), run=run).iterator(chunk_size=5000)
    found: dict[int, list[_Site]] = defaultdict(list)
    for forecast in adjusted_forecasts(run, rows, on=today, sku_ids=skus):
        pair = (forecast.sku_id, forecast.warehouse_id)
        if pair in items and pair[1] in active:
            place = _place(items[pair], forecast, run.quantile_levels, supply, positions.get(pair, Position()), pair)
            found[pair[0]].append(_Site(pair[1], items[pair], place))
    return found


def _wanted(run: ForecastRun, sites_of: Mapping[int, list[_Site]], costs: MovingCosts) -> dict[Key, TransferProposal]:
    """The moves that pay for these SKUs."""
    from procurement.engine.echelon.rebalancing import rebalance

    found: dict[Key, TransferProposal] = {}
    for sku, sites in sites_of.items():
        places = [site.place for site in sites]
        if len(places) < 2 or not _may_lack(places) or not any(place.movable >= 1.0 for place in places):
            continue
        answer = rebalance(places, _lanes(sites, costs))
        for move in answer.moves:
            source, target = sites[move.lane.source].warehouse, sites[move.lane.target].warehouse
            found[sku, source, target] = proposal_of(run, sku, (source, target), places, answer, move)
    return found


def _lanes(sites: Sequence[_Site], costs: MovingCosts) -> "list[Lane]":
    from procurement.engine.echelon.rebalancing import Lane

    lanes = []
    for (a, source), (b, target) in permutations(enumerate(sites), 2):
        item = source.planned.item
        cost = costs.between(source.warehouse, target.warehouse, item.sku, float(item.unit_cost))
        lanes.append(Lane(a, b, cost.unit, cost.fixed))
    return lanes


def _place(
    planned: PlannedItem, forecast: Forecast, levels: Sequence[float], supply: Supply, position: Position, pair: Pair
) -> "Place":
    """Demand over the protection interval against stock, what is coming, and what others wait for.

    Drafts of orders do not count: what a transfer brings need not be bought, and a draft made beside a proposal must
    not make the proposal go away again.
    """
    from procurement.engine.echelon.rebalancing import Place

    twice = supply.counted_twice.get(pair, 0.0)
    coming = supply.on_order.get(pair, _ZERO) + position.in_transit
    waiting, moving = supply.backordered.get(pair, _ZERO), supply.moving.get(pair, _ZERO)
    cost, price = float(planned.item.unit_cost), float(planned.item.sku.unit_price)
    return Place(
        key=str(pair[1]),
        quantiles={
            level: max(units - twice, 0.0) for level, units in zip(levels, forecast.protection_quantiles, strict=True)
        },
        stock=float(position.available + coming + moving - waiting),
        movable=float(max(position.available + min(moving, _ZERO) - waiting, _ZERO) // 1),
        shortage_cost=stockout_cost(planned) or max(price - cost, 0.1 * cost),
        holding_cost=float(planned.policy.holding_cost_rate) * cost * forecast.protection_days / _DAYS_A_YEAR,
    )


def _may_lack(places: "Sequence[Place]") -> bool:
    """Is any place below the highest demand forecast? Where none is, nothing has to be weighed."""
    return any(place.stock < max(place.quantiles.values()) for place in places)


@one_transaction
def accept_transfer_proposals(
    ids: Iterable[int], *, actor: Any, now: datetime, quantities: Mapping[int, Decimal] | None = None
) -> list[Transfer]:
    """Make a transfer of each, with its stock held, all or none; another quantity where one is given.

    Locks the proposals by primary key, then the transfers, then levels. Raises NotFound, Conflict for what is decided
    already, ValidationFailed for a quantity, InsufficientStock where the source has not enough any more.
    """
    proposals = _locked_open(ids)
    transfers = []
    for proposal in proposals:
        quantity = (quantities or {}).get(proposal.pk, proposal.quantity)
        transfer, _is_new = create_transfer(
            [TransferItem(proposal.sku.code, quantity)],
            source_code=proposal.source.code,
            destination_code=proposal.target.code,
            key=f"transfer-proposal-{proposal.pk}",
            now=now,
            actor=actor,
        )
        reserve_transfer(transfer.pk, now=now, actor=actor)
        proposal.status, proposal.accepted_quantity, proposal.transfer_id = Status.ACCEPTED, quantity, transfer.pk
        proposal.decided_by, proposal.decided_at = actor, now
        transfers.append(transfer)
    TransferProposal.objects.bulk_update(
        proposals, ["status", "accepted_quantity", "transfer_id", "decided_by", "decided_at"]
    )
    return transfers


@one_transaction
def dismiss_transfer_proposals(ids: Iterable[int], *, actor: Any, now: datetime, note: str = "") -> int:
    """Leave the stock where it is; not proposed again for a week. Raises NotFound and Conflict."""
    if len(note) > 300:
        raise ValidationFailed(_("The note is longer than 300 characters."))
    proposals = _locked_open(ids)
    return TransferProposal.objects.filter(pk__in=[p.pk for p in proposals]).update(
        status=Status.DISMISSED, decided_by=actor, decided_at=now, decision_note=note
    )


def _locked_open(ids: Iterable[int]) -> list[TransferProposal]:
    wanted = set(ids)
    if not wanted:
        raise ValidationFailed(_("No transfer proposal was chosen."))
    rows = TransferProposal.objects.filter(pk__in=wanted).select_related("sku", "source", "target").order_by("pk")
    proposals = list(rows.select_for_update(of=("self",), no_key=True))
    if missing := sorted(wanted - {p.pk for p in proposals}):
        raise NotFound(_("There is no such transfer proposal: %(ids)s.") % {"ids": ", ".join(map(str, missing))})
    if decided := [p for p in proposals if p.status != Status.OPEN]:
        named = "; ".join(map(str, decided))
        raise Conflict(_("Decided already: %(named)s.") % {"named": named}, code="already_decided")
    return proposals
