"""The page of a stock level: what lies there, the form that puts it right, and the movements it sums up."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

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
from warehouses.models import StockLevel, StockMovement
from warehouses.services.adjustments import MAX_REASON, Reason, adjust_stock

ADJUST = "warehouses.adjust_stock"
LATEST = 50
_LONGEST_NOTE = MAX_REASON - 20


def reason_in_words(reason: str) -> str:
    """A stored reason ("damaged: fell off the shelf") as a person says it; what is no code stays as it is."""
    code, colon, note = reason.partition(":")
    if code not in Reason.values:
        return reason
    label = str(Reason(code).label)
    return f"{label}: {note.strip()}" if colon and note.strip() else label


def with_balances(movements: Iterable[StockMovement], on_hand: Decimal) -> list[dict[str, Any]]:
    """Movements, latest first, each with what lay there after it: the latest left what lies there now."""
    rows, balance = [], on_hand
    for move in movements:
        rows.append({"move": move, "balance": balance, "reason": reason_in_words(move.reason)})
        balance -= move.quantity
    return rows


def _adjust(request: HttpRequest, level: StockLevel) -> str:
    quantity = typed_quantity((request.POST.get("quantity") or "").replace("−", "-"))
    if quantity is None:
        raise ValidationFailed(_("Enter how many units more (12) or fewer (-12) there are."))
    code, note = request.POST.get("reason", ""), " ".join(request.POST.get("note", "").split())
    if code not in Reason.values:
        raise ValidationFailed(_("Choose a reason."))
    if code == Reason.OTHER and not note:
        raise ValidationFailed(_("“Other” needs a note that says what it was."))
    now = timezone.now()
    movement = adjust_stock(
        sku_id=level.sku_id,
        location_id=level.location_id,
        lot_id=level.lot_id,
        quantity=quantity,
        reason=f"{code}: {note}" if note else code,
        key=request.POST.get("key") or f"admin:{uuid.uuid4()}",
        now=now,
        actor=request.user,
    )
    if movement.happened_at != now:
        return _("This adjustment had been booked already.")
    sign = "+" if quantity > 0 else "−"
    return _("Adjusted by %(quantity)s.") % {"quantity": sign + plain(abs(quantity))}


PAGE_ACTIONS = (PageAction("adjust", gettext_lazy("Adjust"), ADJUST, _adjust, in_bar=False),)


@panel("warehouses.stocklevel", order=10)
def level_panel(request: HttpRequest, level: StockLevel) -> SafeString:
    context = {
        "level": level,
        "free": level.on_hand - level.reserved,
        "may_adjust": request.user.has_perm(ADJUST),
        "adjust_url": reverse("admin:warehouses_stocklevel_do", args=[level.pk, "adjust"]),
        "reasons": Reason.choices,
        "longest_note": _LONGEST_NOTE,
        "key": f"admin:{uuid.uuid4()}",
    }
    return render_panel("admin/house/stock_level.html", request, context)


@panel("warehouses.stocklevel", order=20, permission="warehouses.view_stockmovement")
def movements_panel(request: HttpRequest, level: StockLevel) -> SafeString:
    moves = StockMovement.objects.filter(sku=level.sku_id, location=level.location_id, lot=level.lot_id)
    latest = list(moves.select_related("actor").order_by("-happened_at", "-pk")[: LATEST + 1])
    context = {
        "level": level,
        "rows": with_balances(latest[:LATEST], level.on_hand),
        "latest": LATEST,
        "is_cut": len(latest) > LATEST,
    }
    return render_panel("admin/house/level_movements.html", request, context)
