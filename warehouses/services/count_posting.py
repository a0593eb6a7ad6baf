"""What becomes of the variances of a sheet: counted again, approved by somebody who did not count, posted.

A variance is counted − on hand at that moment. Stock that moves between count and posting therefore does no harm: the
difference is added to what the level is by then, the level is never set to the number on the sheet.

Locks: the sheet → the holders of reservations that give way → levels → value pools.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import PermissionRefused, ValidationFailed
from config.kernel.numbers import next_numbers
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey
from warehouses.models import CountLine, CountSheet, StockLevel, StockMovement, StockValue, Task, Warehouse
from warehouses.selectors.counting import level_key_of_line, variance_of
from warehouses.services.backorders import reserve_backorders
from warehouses.services.count_sheets import lines_of, locked_sheet, tasks_of
from warehouses.services.count_states import Action, next_status
from warehouses.services.pick_tasks import picking_goes_on
from warehouses.services.stock import Move, post_movements
from warehouses.services.unreserving import Freed, free_up

REASON = "count"
_NOTHING = Decimal(0)
_MOST_WORTH = Decimal("99999999999999.9999")


@one_transaction
def approve_count(sheet_id: int, *, now: datetime, actor: Any = None) -> CountSheet:
    """Post the variances of a sheet that waits for it, as one posting.

    Whoever counted a line with a large variance may not approve. Where more is reserved than is left, the newest
    orders give way and wait again; stock that was found serves who waits. Raises NotFound, Conflict (wrong state),
    PermissionRefused, and what a posting raises: InsufficientStock naming the lines of which fewer lie there by now
    than the variance takes away (they are to be counted again).
    """
    sheet = locked_sheet(sheet_id)
    next_status(sheet, Action.APPROVE)
    lines = lines_of(sheet)
    large = large_lines(lines, sheet.warehouse)
    if actor is not None and actor.pk in counters(large):
        raise PermissionRefused(_("You counted a line with a large variance: somebody else approves it."))
    sheet.approved_by = actor
    freed = free_for(lines)
    post(sheet, lines, Action.APPROVE, freed=freed, now=now, actor=actor)
    return sheet


@one_transaction
def recount(sheet_id: int, *, line_numbers: Collection[int] = (), now: datetime, actor: Any = None) -> CountSheet:
    """Have lines of a sheet that waits for approval counted again, by others: those named, else those with a large
    variance, else those with any. Raises NotFound, Conflict (wrong state), ValidationFailed for unknown lines."""
    sheet = locked_sheet(sheet_id)
    next_status(sheet, Action.ASK_AGAIN)
    lines = lines_of(sheet)
    chosen = [line for line in lines if line.line_number in line_numbers]
    if unknown := set(line_numbers) - {line.line_number for line in chosen}:
        items = [{"line": number, "message": _("The sheet has no such line.")} for number in sorted(unknown)]
        raise ValidationFailed(_("The sheet has no such line."), items=items)
    if not line_numbers:
        chosen = large_lines(lines, sheet.warehouse) or [line for line in lines if variance_of(line)] or lines
    ask_again(sheet, chosen, Action.ASK_AGAIN, now=now)
    return sheet


def ask_again(sheet: CountSheet, lines: Sequence[CountLine], action: Action, *, now: datetime) -> None:
    """These lines are to be counted by somebody else. The first count is kept on the line, and who counted it in a
    task that is done: whoever counted may not approve."""
    remember_counters(sheet, lines, now=now)
    for line in lines:
        line.first_count = line.counted_quantity if line.first_count is None else line.first_count
        line.counted_quantity = line.on_hand_at_count = line.variance_value = None
        line.needs_recount = True
    save(lines)
    sheet.status = next_status(sheet, action)
    sheet.save(update_fields=["status"])


def remember_counters(sheet: CountSheet, lines: Sequence[CountLine], *, now: datetime) -> None:
    done = set(
        tasks_of(line.pk for line in lines)
        .filter(state__in=(Task.State.DONE, Task.State.CLAIMED))  # claimed: the one that is being completed now
        .values_list("subject_id", "claimed_by_id")
    )
    records = [
        Task(
            kind=Task.Kind.COUNT,
            state=Task.State.DONE,
            warehouse_id=sheet.warehouse_id,
            sku_id=line.sku_id,
            lot_id=line.lot_id,
            status=line.status,
            from_location_id=line.location_id,
            reference=sheet.number,
            subject_id=line.pk,
            claimed_by_id=line.counted_by_id,
            note=_("The first count; it is counted again."),
            created_at=line.counted_at or now,
            done_at=line.counted_at or now,
        )
        for line in lines
        if line.counted_by_id is not None and (line.pk, line.counted_by_id) not in done
    ]
    for task, number in zip(records, next_numbers("warehouses_task_number", "TK", len(records)), strict=True):
        task.number = number
    Task.objects.bulk_create(records)


def counters(lines: Sequence[CountLine]) -> set[int]:
    """Everybody who counted one of these lines, the first time or again."""
    earlier = tasks_of(line.pk for line in lines).filter(state=Task.State.DONE, claimed_by__isnull=False)
    return {line.counted_by_id for line in lines if line.counted_by_id} | set(
        earlier.values_list("claimed_by_id", flat=True)
    )


def large_lines(lines: Iterable[CountLine], warehouse: Warehouse) -> list[CountLine]:
    """The lines whose variance is worth more than the warehouse lets pass without approval."""
    limit = warehouse.count_approval_value
    return [line for line in lines if abs(line.variance_value or _NOTHING) > limit]


def value_variances(lines: Sequence[CountLine], warehouse_id: int) -> None:
    """Set what each variance is worth: by the current value of a unit there, else by the SKU's unit cost."""
    pools = StockValue.objects.filter(sku__in={line.sku_id for line in lines}, warehouse=warehouse_id, quantity__gt=0)
    units = {sku: value / quantity for sku, quantity, value in pools.values_list("sku_id", "quantity", "value")}
    for line in lines:
        variance = variance_of(line)
        if variance is not None:
            worth = variance * units.get(line.sku_id, line.sku.unit_cost)
            line.variance_value = round(max(min(worth, _MOST_WORTH), -_MOST_WORTH), 4)


def free_for(lines: Sequence[CountLine]) -> Freed:
    """Let reservations give way where the variances take more than is free. Before any level is locked."""
    needs = {
        key: max(-(variance_of(line) or _NOTHING), _NOTHING) for line in lines for key in [level_key_of_line(line)]
    }
    if not any(needs.values()):
        return Freed()
    return free_up({pk: needs[key] for key, pk in level_ids(needs).items()})


def level_ids(keys: Collection[LevelKey]) -> dict[LevelKey, int]:
    rows = StockLevel.objects.filter(
        sku__in={key.sku_id for key in keys}, location__in={key.location_id for key in keys}
    )
    found = rows.values_list("sku_id", "location_id", "lot_id", "status", "pk")
    ids = {LevelKey(*row[:4]): row[4] for row in found}
    return {key: pk for key, pk in ids.items() if key in keys}


def post(
    sheet: CountSheet, lines: Sequence[CountLine], action: Action, *, freed: Freed, now: datetime, actor: Any
) -> None:
    """One posting with the variances; the sheet is posted. Then whoever waits is served, also those who gave way."""
    sheet.status = next_status(sheet, action)
    moves = [
        Move(
            kind=StockMovement.Kind.COUNT,
            sku_id=line.sku_id,
            location_id=line.location_id,
            lot_id=line.lot_id,
            status=line.status,
            quantity=variance,
            reference=sheet.number,
            reason=REASON,
            idempotency_key=f"count:{sheet.number}:{line.line_number}",
            line=line.line_number,
        )
        for line in lines
        if (variance := variance_of(line))
    ]
    post_movements(moves, happened_at=now, actor=actor)
    sheet.posted_at = now
    sheet.save(update_fields=["status", "posted_at", "approved_by"])
    if moves:
        reserve_backorders({move.sku_id for move in moves} | freed.skus, now=now)
        picking_goes_on(freed.orders, now=now)


def save(lines: Sequence[CountLine]) -> None:
    CountLine.objects.bulk_update(
        lines,
        [
            "first_count",
            "counted_quantity",
            "on_hand_at_count",
            "counted_at",
            "counted_by",
            "needs_recount",
            "variance_value",
        ],
        batch_size=500,
    )
