"""The page of a stock level: what lies there, the forms that put it right and move it, the movements it sums up."""

import uuid
from decimal import Decimal

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import PageAction, panel, render_panel
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from warehouses.models import LandedCost, Location, StockLevel, StockStatus, Task
from warehouses.selectors.movements import history_page
from warehouses.services.adjustments import MAX_REASON, Reason, adjust_stock
from warehouses.services.moves import StockMove, change_status, move_stock

ADJUST, MOVE = "warehouses.adjust_stock", "warehouses.move_stock"
LATEST = 50
MOST_BINS = 500
_LONGEST_NOTE = MAX_REASON - 20
# What people choose, and what the work on the floor, a landed cost, a transfer and a repair write themselves.
_REASON_WORDS = {
    **dict(LandedCost.Kind.choices),
    **dict(Task.Kind.choices),
    "short pick": gettext_lazy("Short pick"),
    **dict(Reason.choices),
}
_NOTE_WORDS = {
    "lost under way": gettext_lazy("lost under way"),
    "the ledger follows the level": gettext_lazy("the ledger follows the level"),
}


def reason_in_words(reason: str) -> str:
    """A stored reason ("damaged: fell off the shelf") as a person says it; what is no code stays as it is."""
    code, colon, note = reason.partition(":")
    if code not in _REASON_WORDS:
        return reason
    label, note = str(_REASON_WORDS[code]), str(_NOTE_WORDS.get(note.strip(), note.strip()))
    return f"{label}: {note}" if colon and note else label


def _adjust(request: HttpRequest, level: StockLevel) -> str:
    quantity = typed_quantity((request.POST.get("quantity") or "").replace("−", "-"))
    if quantity is None:
        raise ValidationFailed(_("Enter how many units more (12) or fewer (-12) there are."))
    if level.location.kind == Location.Kind.IN_TRANSIT:
        raise ValidationFailed(_("What is in transit is received or closed short with its transfer."))
    reason, now = _typed_reason(request), timezone.now()
    movement = adjust_stock(
        sku_id=level.sku_id,
        location_id=level.location_id,
        lot_id=level.lot_id,
        quantity=quantity,
        status=level.status,
        reason=reason,
        key=request.POST.get("key") or f"admin:{uuid.uuid4()}",
        now=now,
        actor=request.user,
    )
    if movement.happened_at != now:
        return _("This adjustment had been booked already.")
    sign = "+" if quantity > 0 else "−"
    return _("Adjusted by %(quantity)s.") % {"quantity": sign + plain(abs(quantity))}


def _typed_reason(request: HttpRequest) -> str:
    """The code, with the note behind a colon."""
    code, note = request.POST.get("reason", ""), " ".join(request.POST.get("note", "").split())
    if code not in Reason.values:
        raise ValidationFailed(_("Choose a reason."))
    if code == Reason.OTHER and not note:
        raise ValidationFailed(_("“Other” needs a note that says what it was."))
    return f"{code}: {note}" if note else code


def _move(request: HttpRequest, level: StockLevel) -> str:
    """To another bin of the same warehouse, named by its code."""
    quantity, code = _some(request), request.POST.get("to", "").strip().replace("\x00", "")
    place = Location.objects.filter(warehouse=level.location.warehouse_id, code=code).first()
    if place is None:
        raise ValidationFailed(_("There is no place %s in this warehouse.") % (code or "–"))
    move = StockMove(level.sku_id, level.location_id, place.pk, quantity, level.lot_id, level.status)
    move_stock([move], key=_key(request), now=timezone.now(), actor=request.user)
    return _("%(quantity)s moved to %(place)s.") % {"quantity": plain(quantity), "place": place.code}


def _change_status(request: HttpRequest, level: StockLevel) -> str:
    quantity, status = _some(request), request.POST.get("status", "")
    change_status(
        sku_id=level.sku_id,
        location_id=level.location_id,
        lot_id=level.lot_id,
        quantity=quantity,
        from_status=level.status,
        to_status=status,
        reason=_typed_reason(request),
        unreserve=request.POST.get("unreserve") == "on",
        key=_key(request),
        now=timezone.now(),
        actor=request.user,
    )
    words = {"quantity": plain(quantity), "status": str(StockStatus(status).label).lower()}
    return _("%(quantity)s are %(status)s now.") % words


def _some(request: HttpRequest) -> Decimal:
    quantity = typed_quantity(request.POST.get("quantity"))
    if quantity is None:
        raise ValidationFailed(_("Enter how many units."))
    return quantity


def _key(request: HttpRequest) -> str:
    return (request.POST.get("key") or f"admin:{uuid.uuid4()}")[:200]


PAGE_ACTIONS = (
    PageAction("adjust", gettext_lazy("Adjust"), ADJUST, _adjust, in_bar=False),
    PageAction("move", gettext_lazy("Move"), MOVE, _move, in_bar=False),
    PageAction("change-status", gettext_lazy("Change status"), MOVE, _change_status, in_bar=False),
)


@panel("warehouses.stocklevel", order=10)
def level_panel(request: HttpRequest, level: StockLevel) -> SafeString:
    context = {
        "level": level,
        "free": level.on_hand - level.reserved,
        "may_adjust": request.user.has_perm(ADJUST) and level.location.kind != Location.Kind.IN_TRANSIT,
        "adjust_url": reverse("admin:warehouses_stocklevel_do", args=[level.pk, "adjust"]),
        "reasons": Reason.choices,
        "longest_note": _LONGEST_NOTE,
        "key": f"admin:{uuid.uuid4()}",
    }
    return render_panel("admin/house/stock_level.html", request, context)


@panel("warehouses.stocklevel", order=15, permission=MOVE)
def moving_panel(request: HttpRequest, level: StockLevel) -> SafeString | None:
    """To another bin, or to another status; left out where nothing lies and for what is in transit."""
    if not level.on_hand or level.location.kind == Location.Kind.IN_TRANSIT:
        return None
    bins = Location.objects.filter(
        warehouse=level.location.warehouse_id, level=Location.Level.BIN, is_active=True
    ).exclude(Q(pk=level.location_id) | Q(kind=Location.Kind.IN_TRANSIT))
    context = {
        "level": level,
        "free": level.on_hand - level.reserved,
        "bins": bins.order_by("sequence", "code").values_list("code", flat=True)[:MOST_BINS],
        "statuses": [(code, name) for code, name in StockStatus.choices if code != level.status],
        "reasons": Reason.choices,
        "longest_note": _LONGEST_NOTE,
        "move_url": reverse("admin:warehouses_stocklevel_do", args=[level.pk, "move"]),
        "status_url": reverse("admin:warehouses_stocklevel_do", args=[level.pk, "change-status"]),
        "move_key": f"admin:{uuid.uuid4()}",
        "status_key": f"admin:{uuid.uuid4()}",
    }
    return render_panel("admin/house/level_moving.html", request, context)


@panel("warehouses.stocklevel", order=20, permission="warehouses.view_stockmovement")
def movements_panel(request: HttpRequest, level: StockLevel) -> SafeString:
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) <= 18 else None
    rows, older = history_page(level, size=LATEST, before=before)
    context = {
        "level": level,
        "rows": [
            {"move": row.movement, "balance": row.balance, "reason": reason_in_words(row.movement.reason)}
            for row in rows
        ],
        "is_first": before is None,
        "older": older,
    }
    return render_panel("admin/house/level_movements.html", request, context)
