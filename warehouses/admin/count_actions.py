"""What the buttons of a count sheet's page do: enter counts and what was found, count again, approve, call off."""

from decimal import Decimal

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import PageAction
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import CountSheet, StockStatus
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_posting import approve_count, recount
from warehouses.services.count_sheets import FoundStock, add_found_line, cancel_count
from warehouses.services.count_states import Action, is_allowed
from warehouses.services.count_tasks import create_count_tasks

ADD, COUNT, APPROVE = (f"warehouses.{verb}_countsheet" for verb in ("add", "count", "approve"))


def said_of(sheet: CountSheet) -> str:
    """What the sheet waits for now."""
    words = {
        CountSheet.Status.OPEN: _("The counts are saved; lines are left to be counted."),
        CountSheet.Status.RECOUNT: _("Some lines differ much: somebody else counts them again."),
        CountSheet.Status.COUNTED: _("%s is counted and waits for approval."),
        CountSheet.Status.POSTED: _("%s is counted, and the stock is right again."),
        CountSheet.Status.CANCELLED: _("%s is cancelled."),
    }[CountSheet.Status(sheet.status)]
    return words % sheet.number if "%s" in words else words


@one_transaction
def _count(request: HttpRequest, sheet: CountSheet) -> str:
    """Boxes left empty are not counted yet; a number that stands there already is not a new count. What was found
    where no line is gets its line first, so that the sheet is not complete without it."""
    now, entries = timezone.now(), {}
    if found := _found(request):
        line = add_found_line(sheet.pk, found[0], now=now, actor=request.user)
        entries[line.line_number] = found[1]
    for line in sheet.lines.select_related("sku"):
        typed = typed_quantity(request.POST.get(f"count-{line.line_number}"), name=line.sku.code)
        if typed is not None:
            entries[line.line_number] = typed
    if not entries:
        raise ValidationFailed(_("Enter what lies there: at least one line; 0 when it is empty."))
    return said_of(enter_counts(sheet.pk, entries, now=now, actor=request.user))


def _found(request: HttpRequest) -> tuple[FoundStock, Decimal] | None:
    """The stock that no line names, if some was typed."""
    names = ("sku", "location", "lot")
    typed = {name: request.POST.get(f"found-{name}", "").strip().replace("\x00", "")[:64] for name in names}
    quantity = typed_quantity(request.POST.get("found-quantity"), name=typed["sku"])
    if quantity is None and not any(typed.values()):
        return None
    if quantity is None or not typed["sku"] or not typed["location"]:
        raise ValidationFailed(_("Say of what was found which SKU, where, and how many."))
    status = request.POST.get("found-status", StockStatus.AVAILABLE)
    return FoundStock(typed["sku"], typed["location"], typed["lot"], status), quantity


def _recount(request: HttpRequest, sheet: CountSheet) -> str:
    return said_of(recount(sheet.pk, now=timezone.now(), actor=request.user))


def _approve(request: HttpRequest, sheet: CountSheet) -> str:
    return said_of(approve_count(sheet.pk, now=timezone.now(), actor=request.user))


def _cancel(request: HttpRequest, sheet: CountSheet) -> str:
    return said_of(cancel_count(sheet.pk, now=timezone.now(), actor=request.user))


def _tasks(request: HttpRequest, sheet: CountSheet) -> str:
    tasks = create_count_tasks(sheet.pk, now=timezone.now(), actor=request.user)
    return ngettext("%d task waits.", "%d tasks wait.", len(tasks)) % len(tasks)


def is_being_counted(sheet: CountSheet) -> bool:
    return is_allowed(sheet, Action.ENTER)


PAGE_ACTIONS = (
    PageAction("count", gettext_lazy("Save the counts"), COUNT, _count, in_bar=False),
    PageAction(
        "approve",
        gettext_lazy("Approve and post"),
        APPROVE,
        _approve,
        style="primary",
        is_offered=lambda sheet: is_allowed(sheet, Action.APPROVE),
    ),
    PageAction(
        "recount",
        gettext_lazy("Have it counted again"),
        APPROVE,
        _recount,
        is_offered=lambda sheet: is_allowed(sheet, Action.ASK_AGAIN),
    ),
    PageAction("tasks", gettext_lazy("Send to the scanners"), ADD, _tasks, is_offered=is_being_counted),
    PageAction(
        "cancel",
        gettext_lazy("Cancel the count"),
        APPROVE,
        _cancel,
        style="danger",
        confirm=gettext_lazy("Cancel this count? Nothing of it is booked."),
        is_offered=lambda sheet: is_allowed(sheet, Action.CANCEL),
    ),
)
