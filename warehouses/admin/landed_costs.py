"""Landed costs: the list, the form for a new one, and the page that shows where the money went."""

import re
import uuid
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.errors import DomainError, ValidationFailed
from warehouses.models import LandedCost
from warehouses.services.landed_costs import record_landed_cost

ADD = "warehouses.add_landedcost"


@admin.register(LandedCost)
class LandedCostAdmin(ReadOnlyAdmin):
    list_display = ("number", "kind", "basis", "amount", "happened_at", "note", "actor")
    list_select_related = ("actor",)
    list_filter = ("kind", "basis")
    search_fields = ("number", "note")
    empty_hint = gettext_lazy("Freight, duty and the like that belong to receipts are entered here.")
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/new_landed_cost_bar.html"

    def get_urls(self) -> list[URLPattern]:
        new = path("new/", self.admin_site.admin_view(new_landed_cost_view), name="warehouses_landedcost_new")
        return [new, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = request.user.has_perm(ADD)
        url = reverse("admin:warehouses_landedcost_new") if may else ""
        return super().changelist_view(request, {**(extra_context or {}), "new_landed_cost_url": url})


def new_landed_cost_view(request: HttpRequest) -> HttpResponse:
    """The form; a POST records the cost and leads to it. What was typed stays when it is refused."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    if request.method == "POST":
        try:
            cost, is_new = _record(request)
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, _("Recorded.") if is_new else _("This had been recorded already."))
            return HttpResponseRedirect(reverse("admin:warehouses_landedcost_change", args=[cost.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("New landed cost"),
        "opts": LandedCost._meta,
        "kinds": LandedCost.Kind.choices,
        "bases": LandedCost.Basis.choices,
        "zone": timezone.get_current_timezone_name(),
        "currency": settings.COMPANY_CURRENCY,
        "typed": {n: request.POST.get(n, "") for n in ("kind", "basis", "amount", "receipts", "happened_at", "note")},
        "key": request.POST.get("key") or f"admin:{uuid.uuid4()}",
    }
    return render(request, "admin/house/new_landed_cost.html", context)


def _record(request: HttpRequest) -> tuple[LandedCost, bool]:
    typed, now = request.POST, timezone.now()
    return record_landed_cost(
        kind=typed.get("kind", ""),
        basis=typed.get("basis", ""),
        amount=_amount(typed.get("amount", "")),
        references=[name for name in re.split(r"[\s,;]+", typed.get("receipts", "").replace("\x00", "")) if name],
        note=typed.get("note", "").replace("\x00", ""),
        happened_at=_moment(typed.get("happened_at", "")) or now,
        key=typed.get("key", ""),
        now=now,
        actor=request.user,
    )


def _amount(text: str) -> Decimal:
    """Thousands may have commas, decimals have a point; anything else is refused."""
    cleaned = text.strip().replace("−", "-")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", cleaned):
        cleaned = cleaned.replace(",", "")
    try:
        return Decimal(cleaned)
    except InvalidOperation as exc:
        raise ValidationFailed(_("“%(text)s” is not an amount.") % {"text": text}) from exc


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        typed = datetime.fromisoformat(text.strip())
        return timezone.make_aware(typed) if typed.tzinfo is None else typed
    except (ValueError, OverflowError) as exc:
        raise ValidationFailed(_("“%(text)s” is not a moment.") % {"text": text}) from exc


@panel("warehouses.landedcost", order=10)
def landed_cost_panel(request: HttpRequest, cost: LandedCost) -> SafeString:
    sums = cost.lines.aggregate(capitalised=Sum("capitalised"), expensed=Sum("expensed"))
    lines = cost.lines.select_related("movement__sku", "movement__location__warehouse").order_by("pk")
    return render_panel("admin/house/landed_cost.html", request, {"cost": cost, "lines": lines, **sums})
