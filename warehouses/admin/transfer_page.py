"""The page of a transfer: its way, its lines, the forms that send and receive it, and what it did to stock."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import PageAction, panel, render_panel
from config.kernel.admin.reading import typed_id, typed_quantity
from config.kernel.errors import ValidationFailed
from warehouses.models import Location, Reservation, StockMovement, Transfer
from warehouses.services.transfer_arrivals import Arrival
from warehouses.services.transfer_states import Action, is_allowed, to_ship, under_way
from warehouses.services.transfers import (
    cancel_transfer,
    close_transfer_short,
    receive_transfer,
    reserve_transfer,
    ship_transfer,
)

RESERVE, SHIP, RECEIVE, CANCEL = (f"warehouses.{verb}_transfer" for verb in ("add", "ship", "receive", "cancel"))
Status = Transfer.Status
STEPS = (Status.DRAFT, Status.RESERVED, Status.IN_TRANSIT, Status.RECEIVED)
MOST_PLACES = 500


def steps_of(transfer: Transfer) -> list[dict[str, Any]]:
    """The way of a transfer, with what is behind it, where it stands and what is to come."""
    if transfer.status == Status.CANCELLED:
        return [{"label": Status.CANCELLED.label, "css": "now"}]
    at = Status.IN_TRANSIT if transfer.status == Status.PARTIALLY_RECEIVED else Status(transfer.status)
    place = STEPS.index(at)
    steps = [
        {"label": step.label, "css": "done" if n < place else "now" if n == place else ""}
        for n, step in enumerate(STEPS)
    ]
    if transfer.status == Status.PARTIALLY_RECEIVED:
        steps[place]["css"] = "done"
        steps.insert(place + 1, {"label": Status.PARTIALLY_RECEIVED.label, "css": "now"})
    return steps


def _reserve(request: HttpRequest, transfer: Transfer) -> str:
    reserve_transfer(transfer.pk, now=timezone.now(), actor=request.user)
    return _("The units are held at the source until they leave.")


def _ship(request: HttpRequest, transfer: Transfer) -> str:
    """Boxes left empty or at 0 stay behind. The key of the form makes a double click one departure."""
    quantities = _typed(request, transfer, "ship")
    if not quantities:
        raise ValidationFailed(_("Enter what leaves: at least one line with more than 0 units."))
    ship_transfer(transfer.pk, key=_key(request), now=timezone.now(), actor=request.user, quantities=quantities)
    return _("The goods are in transit.")


def _receive(request: HttpRequest, transfer: Transfer) -> str:
    good, damaged = _typed(request, transfer, "good"), _typed(request, transfer, "damaged")
    arrivals = [
        Arrival(number, good.get(number, Decimal(0)), damaged.get(number, Decimal(0)))
        for number in sorted(good | damaged)
    ]
    if not arrivals:
        raise ValidationFailed(_("Enter what arrived: at least one line with more than 0 units."))
    place = request.POST.get("location")
    receive_transfer(
        transfer.pk,
        arrivals,
        key=_key(request),
        now=timezone.now(),
        actor=request.user,
        location_id=typed_id(place) if place else None,
    )
    return _("The goods were taken in.")


def _close_short(request: HttpRequest, transfer: Transfer) -> str:
    close_transfer_short(transfer.pk, now=timezone.now(), actor=request.user)
    return _("What did not arrive was written off.")


def _cancel(request: HttpRequest, transfer: Transfer) -> str:
    cancel_transfer(transfer.pk, now=timezone.now(), actor=request.user)
    return _("The transfer was called off, and what it held is free again.")


def _typed(request: HttpRequest, transfer: Transfer, name: str) -> dict[int, Decimal]:
    quantities = {}
    for line in transfer.lines.select_related("sku"):
        quantity = typed_quantity(request.POST.get(f"{name}-{line.line_number}"), name=line.sku.code)
        if quantity:
            quantities[line.line_number] = quantity
    return quantities


def _key(request: HttpRequest) -> str:
    return (request.POST.get("key") or f"admin:{uuid.uuid4()}")[:200]


def _may(action: Action) -> Callable[[Transfer], bool]:
    return lambda transfer: is_allowed(transfer, action)


def _lacks(transfer: Transfer) -> bool:
    lines = transfer.lines.all()
    return is_allowed(transfer, Action.RESERVE) and any(to_ship(line) > line.reserved_quantity for line in lines)


PAGE_ACTIONS = (
    PageAction("reserve", gettext_lazy("Hold the units"), RESERVE, _reserve, "primary", is_offered=_lacks),
    PageAction("ship", gettext_lazy("Send"), SHIP, _ship, in_bar=False),
    PageAction("receive", gettext_lazy("Receive"), RECEIVE, _receive, in_bar=False),
    PageAction(
        "close-short",
        gettext_lazy("Close short"),
        RECEIVE,
        _close_short,
        confirm=gettext_lazy("Write off what is under way, and send no more of this transfer?"),
        is_offered=_may(Action.CLOSE_SHORT),
    ),
    PageAction(
        "cancel",
        gettext_lazy("Cancel transfer"),
        CANCEL,
        _cancel,
        "danger",
        confirm=gettext_lazy("Call this transfer off?"),
        is_offered=_may(Action.CANCEL),
    ),
)


@panel("warehouses.transfer", order=10)
def transfer_panel(request: HttpRequest, transfer: Transfer) -> SafeString:
    lines: list[Any] = list(transfer.lines.select_related("sku", "lot").order_by("line_number"))
    for line in lines:
        line.to_ship, line.under_way = to_ship(line), under_way(line)
    context = {
        "transfer": transfer,
        "steps": steps_of(transfer),
        "lines": lines,
        "reservations": Reservation.objects.filter(transfer_line__transfer=transfer).select_related(
            "transfer_line", "level__sku", "level__lot", "level__location__warehouse"
        ),
        "moves": StockMovement.objects.filter(reference=transfer.number)
        .exclude(kind=StockMovement.Kind.MOVE, quantity__lt=0)
        .select_related("sku", "lot", "location__warehouse", "actor")
        .order_by("pk"),
        "ship": _ship_form(request, transfer, lines),
        "receive": _receive_form(request, transfer, lines),
    }
    return render_panel("admin/house/transfer.html", request, context)


def _ship_form(request: HttpRequest, transfer: Transfer, lines: list[Any]) -> dict[str, Any] | None:
    held = [line for line in lines if line.reserved_quantity]
    if not held or not is_allowed(transfer, Action.SHIP) or not request.user.has_perm(SHIP):
        return None
    return {"lines": held, "url": _do(transfer, "ship"), "key": f"admin:{uuid.uuid4()}"}


def _receive_form(request: HttpRequest, transfer: Transfer, lines: list[Any]) -> dict[str, Any] | None:
    coming = [line for line in lines if line.under_way]
    if not coming or not request.user.has_perm(RECEIVE):
        return None
    bins = Location.objects.filter(warehouse=transfer.destination_id, level=Location.Level.BIN, is_active=True)
    return {
        "lines": coming,
        "url": _do(transfer, "receive"),
        "key": f"admin:{uuid.uuid4()}",
        "places": bins.exclude(kind=Location.Kind.IN_TRANSIT).order_by("code")[:MOST_PLACES],
    }


def _do(transfer: Transfer, verb: str) -> str:
    return reverse("admin:warehouses_transfer_do", args=[transfer.pk, verb])
