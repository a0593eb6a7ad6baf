"""Reservations let go so that units of a level are free: for stock that is blocked, expired or not there any more.

Who waits again is decided here: carts first, then transfers, then orders of the channels served last, the newest first.
A cart holds all of its lines or nothing, so one that has to give way is released.
Lock order: the holders' documents (orders, carts, transfers; each kind in primary-key order) → quotas → levels. Which
documents those are is read before anything is locked, and checked again afterwards; when it turned out otherwise,
the locks are let go (a savepoint is rolled back) and it starts anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_levels, locked_quotas
from warehouses.models import (
    Cart,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    Task,
    Transfer,
    TransferLine,
)
from warehouses.services.order_states import order_lines, save_lines
from warehouses.services.quotas import give_back
from warehouses.services.reservations import return_quotas
from warehouses.services.stock import change_reservations
from warehouses.services.transfer_states import Action, next_status

ATTEMPTS = 10
_NOTHING = Decimal(0)


@dataclass(slots=True)
class Freed:
    """What was let go: units by level, their SKUs, and the orders and transfers that wait and the carts that ended."""

    skus: set[int] = field(default_factory=set)
    units: dict[int, Decimal] = field(default_factory=dict)
    orders: list[int] = field(default_factory=list)
    carts: list[int] = field(default_factory=list)
    transfers: list[int] = field(default_factory=list)


class _ChangedMeanwhileError(Exception):
    pass


@one_transaction
def free_up(needs: Mapping[int, Decimal]) -> Freed:
    """Release reservations until `needs` (level id → units) are free there, or no reservation is left to release.

    Lines of orders and transfers get smaller by it and wait again; picked units (they lie in packing) stay reserved.
    What was used of quotas is given back. The caller then takes the free units in the same transaction, calls
    `reserve_backorders` for the `skus`, which finds the waiting lines other stock, and `picking_goes_on`. To be called
    before the caller locks a level. Raises Conflict when they keep changing.
    """
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _free_up(needs)
        except _ChangedMeanwhileError:
            continue
    raise Conflict(_("The reservations change too fast; try again."), code="in_flight")


def holders(level_ids: Any) -> QuerySet[Reservation]:
    """The reservations of these levels, whoever gives way first first; picked units give way to nobody."""
    rows = Reservation.objects.filter(level__in=level_ids).exclude(level__location__kind=Location.Kind.PACKING)
    kind = Case(
        When(cart_line__isnull=False, then=Value(0)), When(transfer_line__isnull=False, then=Value(1)), default=2
    )
    return rows.annotate(turn=kind).order_by(
        "turn",
        F("line__order__channel__priority").desc(nulls_last=True),
        F("line__order__ordered_at").desc(nulls_last=True),
        "-pk",
    )


def _free_up(needs: Mapping[int, Decimal]) -> Freed:
    seen = {level.pk: level for level in StockLevel.objects.filter(pk__in=needs)}
    chosen = _chosen(needs, seen)
    documents = _locked_documents([row for row, _units in chosen])
    of_carts = _held_by_carts(pk for model, pk in documents if model is Cart)
    locked_quotas({level.sku_id for level in seen.values()} | {row.level.sku_id for row in of_carts})
    wanted = {*needs, *(row.level_id for row in of_carts)}
    levels = {level.pk: level for level in locked_levels(StockLevel.objects.filter(pk__in=wanted))}
    chosen = _chosen(needs, {pk: level for pk, level in levels.items() if pk in needs})
    if any(_document(row) not in documents for row, _units in chosen):
        raise _ChangedMeanwhileError
    if not chosen:
        return Freed()
    ended = {_document(row)[1] for row, _units in chosen if row.cart_line is not None}
    chosen = [one for one in chosen if one[0].cart_line is None]
    chosen += [(row, row.quantity) for row in of_carts if _document(row)[1] in ended]
    return _let_go(chosen, levels, documents)


def _held_by_carts(cart_ids: Iterable[int]) -> list[Reservation]:
    """All that these carts (locked) hold, anywhere."""
    rows = Reservation.objects.filter(cart_line__cart__in=list(cart_ids))
    return list(rows.select_related("line", "cart_line", "transfer_line", "level").order_by("pk"))


def _chosen(needs: Mapping[int, Decimal], levels: Mapping[int, StockLevel]) -> list[tuple[Reservation, Decimal]]:
    """(reservation, units to release), until each level has enough that is free."""
    missing = {
        pk: needs[pk] - (level.on_hand - level.reserved)
        for pk, level in levels.items()
        if level.on_hand - level.reserved < needs[pk]
    }
    found = []
    rows = holders(list(missing)).select_related("line", "cart_line", "transfer_line") if missing else ()
    for row in rows:
        part = min(missing[row.level_id], row.quantity)
        if part > 0:
            missing[row.level_id] -= part
            found.append((row, part))
    return found


def _document(row: Reservation) -> tuple[type, int]:
    if row.cart_line is not None:
        return Cart, row.cart_line.cart_id
    if row.transfer_line is not None:
        return Transfer, row.transfer_line.transfer_id
    return SalesOrder, row.line.order_id  # type: ignore[union-attr]


def _locked_documents(rows: list[Reservation]) -> dict[tuple[type, int], Any]:
    wanted: dict[type, set[int]] = defaultdict(set)
    for row in rows:
        model, pk = _document(row)
        wanted[model].add(pk)
    locked: dict[tuple[type, int], Any] = {}
    for model in (SalesOrder, Cart, Transfer):
        if wanted[model]:
            manager: Any = model.objects  # type: ignore[attr-defined]
            query = manager.filter(pk__in=wanted[model]).order_by("pk")
            locked |= {(model, doc.pk): doc for doc in query.select_for_update(of=("self",), no_key=True)}
    return locked


def _let_go(
    chosen: list[tuple[Reservation, Decimal]],
    levels: Mapping[int, StockLevel],
    documents: Mapping[tuple[type, int], Any],
) -> Freed:
    freed = Freed()
    by_line: dict[type, dict[int, Decimal]] = {SalesOrderLine: defaultdict(Decimal), TransferLine: defaultdict(Decimal)}
    touched: dict[type, set[int]] = defaultdict(set)
    deltas: dict[int, Decimal] = defaultdict(Decimal)
    used_up: list[Reservation] = []
    smaller: list[Reservation] = []
    for row, part in chosen:
        row.quantity -= part
        (smaller if row.quantity else used_up).append(row)
        deltas[row.level_id] -= part
        model, pk = _document(row)
        touched[model].add(pk)
        if row.line_id is not None:
            by_line[SalesOrderLine][row.line_id] += part
        elif row.transfer_line_id is not None:
            by_line[TransferLine][row.transfer_line_id] += part
    # Work on the floor that was for these units: the rest of the reservation is planned anew.
    released = [row.pk for row, _part in chosen]
    picks = Task.objects.filter(kind=Task.Kind.PICK, subject_id__in=released, state__in=Task.WAITING)
    picks.update(state=Task.State.CANCELLED, note=_("The units were let go."))
    Reservation.objects.filter(pk__in=[row.pk for row in used_up]).delete()
    Reservation.objects.bulk_update(smaller, ["quantity"])
    freed.skus = {levels[pk].sku_id for pk in deltas}
    change_reservations(deltas, sku_ids=freed.skus)
    for pk in sorted(touched[SalesOrder]):
        order = documents[SalesOrder, pk]
        lines = order_lines(order)
        for line in lines:
            line.reserved_quantity -= by_line[SalesOrderLine].get(line.pk, _NOTHING)
        return_quotas(order, [line for line in lines if line.sku_id in freed.skus])
        save_lines(order, lines)
    if carts := [documents[Cart, pk] for pk in sorted(touched[Cart])]:
        give_back(carts)
        Cart.objects.filter(pk__in=touched[Cart]).update(state=Cart.State.RELEASED)
    for pk in sorted(touched[Transfer]):
        transfer = documents[Transfer, pk]
        waiting = list(transfer.lines.all())
        for held in waiting:
            held.reserved_quantity -= by_line[TransferLine].get(held.pk, _NOTHING)
        TransferLine.objects.bulk_update(waiting, ["reserved_quantity"])
        transfer.status = next_status(transfer, Action.UNRESERVE)
        transfer.save(update_fields=["status"])
    freed.units = {pk: -units for pk, units in deltas.items()}
    freed.orders, freed.carts, freed.transfers = (sorted(touched[m]) for m in (SalesOrder, Cart, Transfer))
    return freed
