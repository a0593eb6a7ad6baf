"""Count sheets are made: by hand, by the calendar, or after a shortage; found stock is added, a sheet is called off.

Entering counts: `count_entry`. What becomes of the variances: `count_posting`. State table: `count_states`.
Locks: the sheet → levels (see warehouses.locks). A level stands on one open sheet at most, for two sheets that know
nothing of each other would book one difference twice; whoever puts a level on a sheet has it locked.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.idempotency import fingerprint
from config.kernel.models import IdempotencyKey
from config.kernel.numbers import next_numbers
from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey, locked_document, locked_levels_by_key
from warehouses.models import CountLine, CountSheet, Location, Lot, StockStatus, Task, Warehouse
from warehouses.selectors.counting import (
    consumption_values,
    counted_levels,
    due_levels,
    level_key_of_line,
    locations_within,
    open_lines,
)
from warehouses.services.count_states import Action, next_status
from warehouses.services.tasks import cancel_tasks

MOST_LINES = 500
MAX_KEY = 255
MAX_NOTE = 200
CLASSES = ("A", "B", "C")
ROUTE = "service make_count_sheet"


@dataclass(frozen=True, slots=True)
class CountChoice:
    """What a sheet is to count: what lies in these locations (and in all within them), of these SKUs, and of these ABC
    classes only what is due. Nothing named: everything."""

    location_codes: Sequence[str] = ()
    sku_codes: Sequence[str] = ()
    due_classes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FoundStock:
    """Stock that lies where the sheet expects none."""

    sku_code: str
    location_code: str
    lot_code: str = ""
    status: str = StockStatus.AVAILABLE.value


@one_transaction
def make_count_sheet(
    warehouse_code: str,
    choice: CountChoice,
    *,
    key: str,
    now: datetime,
    actor: Any = None,
    is_blind: bool = True,
    note: str = "",
) -> tuple[CountSheet, bool]:
    """A sheet of the levels chosen, without those that stand on an open sheet; (sheet, True), or the one with this key.

    Locks the levels for a moment. Raises ValidationFailed with every fault, or when more than MOST_LINES are chosen;
    Conflict naming the sheets when all that was chosen is being counted; and when the key was used for another place,
    note or way of counting, or (by the same actor, while their keys are remembered) for another choice.
    """
    warehouse = Warehouse.objects.filter(code=warehouse_code).first()
    if known := CountSheet.objects.filter(key=key).first():
        _refuse_other(known, warehouse, choice, key=key, is_blind=is_blind, note=note, actor=actor)
        return known, False
    faults = _header_faults(key=key, note=note) + _choice_faults(warehouse, warehouse_code, choice)
    if faults or warehouse is None:
        raise ValidationFailed(_("The count sheet cannot be made: %s") % faults[0]["message"], items=faults)
    chosen = _chosen_levels(warehouse, choice, now=now)
    if not chosen:
        raise ValidationFailed(
            _("There is nothing to count."), items=[{"field": "lines", "message": _("No stock lies there, or is due.")}]
        )
    if len(chosen) > MOST_LINES:
        message = _("That are %(count)d lines; a sheet has at most %(most)d. Choose a zone or some SKUs.")
        said = message % {"count": len(chosen), "most": MOST_LINES}
        raise ValidationFailed(said, items=[{"field": "locations", "message": said}])
    sheet = CountSheet(
        key=key, warehouse=warehouse, is_blind=is_blind, note=note, origin=CountSheet.Origin.PERSON, actor=actor
    )
    try:
        with transaction.atomic():
            made = write_sheets([(sheet, chosen)], now=now)
            if made and actor is not None:
                IdempotencyKey.objects.create(
                    caller=actor, route=ROUTE, key=_digest(key), fingerprint=_choice_print(choice)
                )
    except IntegrityError as exc:  # a twin was faster; the insert has waited until its transaction ended
        known = CountSheet.objects.filter(key=key).first()
        if known is None:
            raise _key_reused() from exc
        _refuse_other(known, warehouse, choice, key=key, is_blind=is_blind, note=note, actor=actor)
        return known, False
    if not made:
        raise _counted_already(open_lines(chosen).values())
    return made[0], True


def write_sheets(sheets: Sequence[tuple[CountSheet, Mapping[LevelKey, str]]], *, now: datetime) -> list[CountSheet]:
    """Number and write these sheets with their lines (level → ABC class, in the order of the walk).

    Locks the levels; those that stand on an open sheet by now are left out, and a sheet without lines is not made.
    """
    keys = [key for _sheet, lines in sheets for key in lines]
    locked_levels_by_key(keys)
    busy = open_lines(keys)
    kept = [(sheet, {key: name for key, name in lines.items() if key not in busy}) for sheet, lines in sheets]
    kept = [(sheet, lines) for sheet, lines in kept if lines]
    numbers = next_numbers("warehouses_countsheet_number", "CT", len(kept))
    for (sheet, _lines), number in zip(kept, numbers, strict=True):
        sheet.number, sheet.created_at = number, now
    made = CountSheet.objects.bulk_create([sheet for sheet, _lines in kept])
    CountLine.objects.bulk_create(
        [
            CountLine(
                sheet=sheet,
                line_number=number,
                sku_id=key.sku_id,
                location_id=key.location_id,
                lot_id=key.lot_id,
                status=key.status,
                abc_class=name,
            )
            for sheet, lines in kept
            for number, (key, name) in enumerate(lines.items(), start=1)
        ],
        batch_size=2000,
    )
    return made


@one_transaction
def add_found_line(sheet_id: int, found: FoundStock, *, now: datetime, actor: Any = None) -> CountLine:
    """A line for stock that no line names, to be counted like the others; again it is the same line.

    Locks the sheet, then the level (made when missing). Raises ValidationFailed with every fault, Conflict when the
    level is being counted on another sheet, or this one is not open.
    """
    sheet = locked_sheet(sheet_id)
    next_status(sheet, Action.ADD_LINE)
    key = _found_level(sheet, found)
    lines = {level_key_of_line(line): line for line in sheet.lines.all()}
    if key in lines:
        return lines[key]
    locked_levels_by_key([key])
    if busy := open_lines([key]):
        raise _counted_already(busy.values())
    number = max((line.line_number for line in lines.values()), default=0) + 1
    return CountLine.objects.create(
        sheet=sheet,
        line_number=number,
        sku_id=key.sku_id,
        location_id=key.location_id,
        lot_id=key.lot_id,
        status=key.status,
    )


@one_transaction
def cancel_count(sheet_id: int, *, now: datetime, actor: Any = None) -> CountSheet:
    """Call the sheet off: nothing is booked, its tasks are gone. Raises NotFound, Conflict once it is posted."""
    sheet = locked_sheet(sheet_id)
    sheet.status = next_status(sheet, Action.CANCEL)
    sheet.save(update_fields=["status"])
    cancel_tasks(tasks_of(sheet.lines.values_list("pk", flat=True)), now=now, note=sheet.number)
    return sheet


def locked_sheet(sheet_id: int) -> CountSheet:
    return locked_document(CountSheet, sheet_id, missing=_("There is no such count sheet."))  # type: ignore[no-any-return]


def lines_of(sheet: CountSheet) -> list[CountLine]:
    """The sheet's lines with their SKUs; they change only while the sheet is locked."""
    return list(sheet.lines.select_related("sku").order_by("line_number"))


def tasks_of(line_ids: Iterable[int]) -> Any:
    """The count tasks of these lines, waiting or over."""
    return Task.objects.filter(kind=Task.Kind.COUNT, subject_id__in=list(line_ids))


def _chosen_levels(warehouse: Warehouse, choice: CountChoice, *, now: datetime) -> dict[LevelKey, str]:
    """The levels in the order they are walked, with their class where it was asked for."""
    locations = locations_within(warehouse, choice.location_codes) if choice.location_codes else None
    if choice.due_classes:
        consumed = consumption_values(now=now).get(warehouse.pk, {})
        due = due_levels(warehouse, now=now, consumed=consumed, locations=locations)
        skus = set(Sku.objects.filter(code__in=choice.sku_codes).values_list("pk", flat=True))
        wanted = [
            level
            for level in due
            if level.abc_class in choice.due_classes and (not choice.sku_codes or level.key.sku_id in skus)
        ]
        return {level.key: level.abc_class for level in sorted(wanted, key=lambda level: level.walk)}
    levels = counted_levels(warehouse)
    if locations is not None:
        levels = levels.filter(location__in=locations)
    if choice.sku_codes:
        levels = levels.filter(sku__code__in=choice.sku_codes)
    rows = levels.order_by("location__sequence", "location__code", "sku__code", "pk")
    found = rows.values_list("sku_id", "location_id", "lot_id", "status")[: 20 * MOST_LINES]
    keys = [LevelKey(*key) for key in found]
    busy = open_lines(keys)
    free = [key for key in keys if key not in busy]
    return dict.fromkeys(free or keys[:MOST_LINES], "")


def _header_faults(*, key: str, note: str) -> list[dict[str, Any]]:
    items = []
    if not key or len(key) > MAX_KEY:
        items.append({"field": "key", "message": _("The key has 1 to %d characters.") % MAX_KEY})
    if len(note) > MAX_NOTE:
        items.append({"field": "note", "message": _("At most %d characters.") % MAX_NOTE})
    return items


def _choice_faults(warehouse: Warehouse | None, warehouse_code: str, choice: CountChoice) -> list[dict[str, Any]]:
    if warehouse is None:
        return [{"field": "warehouse", "message": _("There is no warehouse %s.") % warehouse_code}]
    places = set(
        Location.objects.filter(warehouse=warehouse, code__in=choice.location_codes).values_list("code", flat=True)
    )
    skus = set(Sku.objects.filter(code__in=choice.sku_codes).values_list("code", flat=True))
    unknown = {
        "locations": (_("There is no location %s in this warehouse."), set(choice.location_codes) - places),
        "skus": (_("There is no SKU %s."), set(choice.sku_codes) - skus),
        "due_classes": (_("There is no class %s; there are A, B and C."), set(choice.due_classes) - set(CLASSES)),
    }
    return [
        {"field": field, "message": words % code} for field, (words, codes) in unknown.items() for code in sorted(codes)
    ]


def _found_level(sheet: CountSheet, found: FoundStock) -> LevelKey:
    sku = Sku.objects.filter(code=found.sku_code).first()
    place = Location.objects.filter(warehouse=sheet.warehouse_id, code=found.location_code).first()
    lot = Lot.objects.filter(sku=sku, code=found.lot_code).first() if sku and found.lot_code else None
    faults = {
        "sku": _("There is no SKU %s.") % found.sku_code if sku is None else "",
        "location": _place_fault(place, found.location_code),
        "lot": _("There is no such lot of this SKU.") if found.lot_code and sku and lot is None else "",
        "status": "" if found.status in StockStatus.values else _("There is no status %s.") % found.status,
    }
    items = [{"field": field, "message": message} for field, message in faults.items() if message]
    if items or sku is None or place is None:
        raise ValidationFailed(_("The line cannot be added: %s") % items[0]["message"], items=items)
    return LevelKey(sku.pk, place.pk, lot.pk if lot else None, found.status)


def _place_fault(place: Location | None, code: str) -> str:
    if place is None:
        return _("There is no location %s in this warehouse.") % code
    if place.level != Location.Level.BIN:
        return _("Stock lies in bins; this location only holds bins together.")
    if place.kind == Location.Kind.IN_TRANSIT:
        return _("What is in transit is received or closed short with its transfer.")
    return ""


def _counted_already(lines: Iterable[CountLine]) -> Conflict:
    numbers = sorted({line.sheet.number for line in lines})
    items = [{"field": "lines", "sheet": number, "message": _("It is on %s.") % number} for number in numbers]
    return Conflict(
        _("It is being counted already: %s.") % ", ".join(numbers[:10]), items=items, code="counted_already"
    )


def _refuse_other(
    known: CountSheet,
    warehouse: Warehouse | None,
    choice: CountChoice,
    *,
    key: str,
    is_blind: bool,
    note: str,
    actor: Any,
) -> None:
    """Raises Conflict when the sheet with this key was asked for in other words. A sheet does not keep its choice: that
    is remembered with the key."""
    chosen = IdempotencyKey.objects.filter(caller=actor, route=ROUTE, key=_digest(key)) if actor is not None else ()
    if (known.warehouse, known.is_blind, known.note) != (warehouse, is_blind, note) or any(
        row.fingerprint != _choice_print(choice) for row in chosen
    ):
        raise _key_reused()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _choice_print(choice: CountChoice) -> str:
    return fingerprint(
        ROUTE, [sorted(set(codes)) for codes in (choice.location_codes, choice.sku_codes, choice.due_classes)]
    )


def _key_reused() -> Conflict:
    return Conflict(_("This key was used for another count sheet."), code="idempotency_key_reused")
