"""Orders that should come sooner, later or not at all: said once while it stays true, instead of a second order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F

from forecasting.models import ForecastRun
from procurement.models import ActionMessage, PurchaseOrder, PurchaseOrderLine
from procurement.models.orders import OUTSTANDING
from procurement.services.aims import Pair
from procurement.services.moves import Move, OpenLine, Watched, as_units, moves_of

Status = ActionMessage.Status


@dataclass(frozen=True, slots=True)
class MessageCounts:
    new: int = 0
    ended: int = 0

    @property
    def changed(self) -> int:
        return self.new + self.ended


def open_lines(sku_ids: Iterable[int] | None = None) -> dict[Pair, list[OpenLine]]:
    """(sku id, warehouse id) → the lines on order that are still to come; one query."""
    rows = PurchaseOrderLine.objects.filter(order__status__in=PurchaseOrder.ON_ORDER)
    rows = rows.exclude(status=PurchaseOrderLine.Status.REJECTED).filter(received_quantity__lt=F("quantity"))
    if sku_ids is not None:
        rows = rows.filter(sku__in=set(sku_ids))
    found: dict[Pair, list[OpenLine]] = {}
    fields = ("pk", "sku_id", "order__warehouse_id", "promised_on", "need_by", "unit_cost", "status")
    for pk, sku, warehouse, promised, need_by, cost, status, units in (
        rows.annotate(units=OUTSTANDING).order_by("pk").values_list(*fields, "units")
    ):
        waits = status == PurchaseOrderLine.Status.CHANGE_PROPOSED
        line = OpenLine(pk, promised or need_by, float(units), float(cost), waits)
        found.setdefault((sku, warehouse), []).append(line)
    return found


def wanted_moves(
    watched: Mapping[Pair, Watched], lines: Mapping[Pair, Sequence[OpenLine]], *, today: date
) -> dict[int, tuple[Move, Watched]]:
    """Line id → the move worth asking for."""
    return {
        move.line_id: (move, one)
        for pair, one in watched.items()
        for move in moves_of(one, lines.get(pair, ()), today=today)
    }


def propose_moves(run: ForecastRun, wanted: Mapping[int, tuple[Move, Watched]]) -> MessageCounts:
    """Bring the open messages in line with the moves wanted; planning twice changes nothing.

    A message stays while it asks for the same within the policy's dampening; one that does not is superseded. What a
    planner has accepted or dismissed is not said again until a date changes. Runs in the plan's transaction, under its
    lock. Four queries.
    """
    open_now = ActionMessage.objects.select_for_update().filter(status=Status.OPEN).order_by("pk")
    standing = {message.line_id: message for message in open_now}
    decided = _latest_decided(wanted)
    fresh, ended = [], []
    for line_id, (move, watched) in wanted.items():
        old = standing.pop(line_id, None)
        if old is not None and _says_the_same(old, move, watched):
            continue
        if old is not None:
            ended.append(old.pk)
        if line_id in decided and _says_the_same(decided[line_id], move, watched):
            continue
        fresh.append(_message(run, move))
    ended += [message.pk for message in standing.values()]
    ActionMessage.objects.filter(pk__in=ended).update(status=Status.SUPERSEDED)
    ActionMessage.objects.bulk_create(fresh, batch_size=500)
    return MessageCounts(len(fresh), len(ended))


def _latest_decided(line_ids: Iterable[int]) -> dict[int, ActionMessage]:
    """Line id → the last message about it that a planner decided."""
    rows = ActionMessage.objects.filter(line__in=list(line_ids), status__in=(Status.ACCEPTED, Status.DISMISSED))
    return {message.line_id: message for message in rows.defer("explanation").order_by("line", "pk")}


def _says_the_same(old: ActionMessage, move: Move, watched: Watched) -> bool:
    if (old.kind, old.from_date, old.quantity) != (move.kind, move.from_date, as_units(move.units)):
        return False
    if old.to_date is None or move.to_date is None:
        return old.to_date == move.to_date
    return abs((old.to_date - move.to_date).days) < max(watched.dampening_days, 1)


def _message(run: ForecastRun, move: Move) -> ActionMessage:
    return ActionMessage(
        run=run,
        line_id=move.line_id,
        kind=move.kind,
        from_date=move.from_date,
        to_date=move.to_date,
        quantity=as_units(move.units),
        value=Decimal(repr(move.value)).quantize(Decimal("0.0001")),
        explanation=move.explanation,
    )
