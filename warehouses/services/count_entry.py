"""Counts are entered, line by line or all at once; a sheet that is complete decides what comes next.

Complete, and no variance is large: it posts itself. Large variances are counted once more, by somebody else; if they
are large still, the sheet waits for approval. It also waits when it cannot be posted as it is (a closed bin, fewer
units there by now than the variance takes away).

Locks: the sheet → the holders of reservations that give way → levels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey, locked_levels_by_key
from warehouses.models import CountLine, CountSheet, StockLevel, Task
from warehouses.selectors.counting import level_key_of_line
from warehouses.services.count_posting import (
    ask_again,
    free_for,
    large_lines,
    level_ids,
    post,
    save,
    value_variances,
)
from warehouses.services.count_sheets import lines_of, locked_sheet, tasks_of
from warehouses.services.count_states import Action, next_status
from warehouses.services.stock import is_storable
from warehouses.services.tasks import cancel_tasks
from warehouses.services.unreserving import Freed

Quantities = Mapping[int, Decimal]
"""line number → units counted"""


class _CannotBePostedError(Exception):
    pass


@one_transaction
def enter_counts(
    sheet_id: int, quantities: Quantities, *, now: datetime, actor: Any = None, task_id: int | None = None
) -> CountSheet:
    """Write down what was counted, with what the books say at this moment; the sheet as it stands then.

    A number that is entered anew is a new count, of this moment; the same number again changes nothing, so a call may
    be repeated. A line that is counted again takes the count of somebody who has not counted it. Waiting tasks of the
    lines are over (but for `task_id`, which is being completed). Locks the sheet, then the levels. Raises NotFound,
    ValidationFailed with every fault, Conflict (wrong state, or the same person counts again).
    """
    sheet = locked_sheet(sheet_id)
    lines = lines_of(sheet)
    _refuse_faults(lines, quantities)
    known = _counted(lines)
    entries = {number: quantity for number, quantity in quantities.items() if quantity != known[number]}
    if not entries:
        return sheet
    next_status(sheet, Action.ENTER)
    if sheet.status == CountSheet.Status.RECOUNT:
        _refuse_same_counter([line for line in lines if line.line_number in entries], actor)
    # Twice, as what the books say may change between looking and locking; then a person looks at it.
    for may_post in (True, True, False):
        try:
            with transaction.atomic():
                _enter(sheet, entries, may_post=may_post, now=now, actor=actor, task_id=task_id)
        except _CannotBePostedError:
            sheet.refresh_from_db()
        else:
            break
    return sheet


def _enter(
    sheet: CountSheet, entries: Quantities, *, may_post: bool, now: datetime, actor: Any, task_id: int | None
) -> None:
    lines = lines_of(sheet)
    entered = [line for line in lines if line.line_number in entries]
    is_complete = all(line.counted_quantity is not None or line.line_number in entries for line in lines)
    freed = Freed()
    if is_complete and may_post:
        # Reservations give way before a level is locked, so what the sheet will decide is worked out first.
        _write_down(entered, entries, _on_hand(entered), now=now, actor=actor)
        value_variances(lines, sheet.warehouse_id)
        if _what_next(sheet, lines) == Action.FINISH:
            freed = free_for(lines)
    locked = locked_levels_by_key(level_key_of_line(line) for line in (lines if is_complete else entered))
    on_hand = {key: level.on_hand for key, level in locked.items()}
    _write_down(entered, entries, on_hand, now=now, actor=actor)
    value_variances(lines if is_complete else entered, sheet.warehouse_id)
    cancel_tasks(tasks_of(line.pk for line in entered).exclude(pk=task_id), now=now, note=sheet.number)
    if not is_complete:
        save(entered)
        return
    action = _what_next(sheet, lines)
    if action == Action.CHECK:
        save(lines)
        ask_again(sheet, large_lines(lines, sheet.warehouse), action, now=now)
        return
    for line in lines:
        line.needs_recount = False
    save(lines)
    if action == Action.FINISH and may_post:
        try:
            post(sheet, lines, action, freed=freed, now=now, actor=actor)
        except (InsufficientStock, ValidationFailed) as exc:
            raise _CannotBePostedError from exc
        return
    sheet.status = next_status(sheet, Action.WAIT)
    sheet.save(update_fields=["status"])


def _what_next(sheet: CountSheet, lines: Sequence[CountLine]) -> Action:
    """For a sheet whose lines are all counted."""
    large = large_lines(lines, sheet.warehouse)
    if not large:
        return Action.FINISH
    is_first = sheet.status == CountSheet.Status.OPEN and any(line.first_count is None for line in large)
    return Action.CHECK if is_first else Action.WAIT


def _write_down(
    lines: Sequence[CountLine], entries: Quantities, on_hand: Mapping[LevelKey, Decimal], *, now: datetime, actor: Any
) -> None:
    for line in lines:
        line.counted_quantity = entries[line.line_number]
        line.on_hand_at_count = on_hand.get(level_key_of_line(line), Decimal(0))
        line.counted_at, line.counted_by = now, actor


def _on_hand(lines: Sequence[CountLine]) -> dict[LevelKey, Decimal]:
    ids = level_ids({level_key_of_line(line) for line in lines})
    books = dict(StockLevel.objects.filter(pk__in=ids.values()).values_list("pk", "on_hand"))
    return {key: books[pk] for key, pk in ids.items() if pk in books}


def _counted(lines: Sequence[CountLine]) -> dict[int, Decimal | None]:
    return {line.line_number: line.counted_quantity for line in lines}


def _refuse_faults(lines: Sequence[CountLine], quantities: Quantities) -> None:
    known = _counted(lines)
    items: list[dict[str, Any]] = []
    for number, quantity in sorted(quantities.items()):
        if number not in known:
            items.append({"line": number, "field": "line", "message": _("The sheet has no such line.")})
        elif not is_storable(quantity) or quantity < 0:
            message = _("The quantity must not be below zero, nor finer than a thousandth.")
            items.append({"line": number, "field": "quantity", "message": message})
    if not quantities:
        items.append({"field": "lines", "message": _("Nothing is named.")})
    if items:
        raise ValidationFailed(_("Nothing was entered: %s") % items[0]["message"], items=items)


def _refuse_same_counter(lines: Sequence[CountLine], actor: Any) -> None:
    """Only lines that are to be counted again, and only by those who have not counted them."""
    earlier = set()
    if actor is not None:
        done = tasks_of(line.pk for line in lines).filter(state=Task.State.DONE, claimed_by=actor)
        earlier = set(done.values_list("subject_id", flat=True))
    items = []
    for line in lines:
        if not line.needs_recount:
            items.append({"line": line.line_number, "message": _("This line is not to be counted again.")})
        elif line.pk in earlier:
            items.append({"line": line.line_number, "message": _("Somebody else counts this line again.")})
    if items:
        raise Conflict(str(items[0]["message"]), items=items, code="same_counter")
