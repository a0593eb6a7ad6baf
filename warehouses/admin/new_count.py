"""A count is asked for: all of a warehouse, a zone, some SKUs, or what is due by its class."""

import re
import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin.actions import show_error
from config.kernel.errors import DomainError, ValidationFailed
from warehouses.admin.count_actions import ADD
from warehouses.models import CountSheet, Location, Warehouse
from warehouses.services.count_sheets import CLASSES, MOST_LINES, CountChoice, make_count_sheet

MOST_ZONES = 200


def new_count_view(request: HttpRequest) -> HttpResponse:
    """The form; a POST makes the sheet and leads to it. What was typed stays when it is refused."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    warehouses = Warehouse.objects.for_actor(request.user).filter(is_active=True)
    asked = request.POST if request.method == "POST" else request.GET
    chosen = warehouses.filter(code=asked.get("warehouse", "")).first() or (
        warehouses.first() if len(warehouses) == 1 else None
    )
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_make(request, chosen))
        except DomainError as error:
            show_error(request, error)
    context = {
        **admin.site.each_context(request),
        "title": _("New count"),
        "opts": CountSheet._meta,
        "warehouses": warehouses,
        "warehouse": chosen,
        "zones": _zones(chosen),
        "classes": CLASSES,
        "typed": {
            "locations": request.POST.getlist("location"),
            "skus": request.POST.get("skus", ""),
            "classes": request.POST.getlist("due_class"),
            "is_open": request.method == "POST" and "blind" not in request.POST,
            "note": request.POST.get("note", ""),
        },
        "most": MOST_LINES,
        "key": request.POST.get("key") or str(uuid.uuid4()),
    }
    return render(request, "admin/house/new_count.html", context)


def _make(request: HttpRequest, warehouse: Any) -> str:
    if warehouse is None:
        raise ValidationFailed(_("Choose a warehouse."))
    skus = [code for code in re.split(r"[\s,;]+", request.POST.get("skus", "").replace("\x00", "")) if code]
    locations = [code for code in request.POST.getlist("location") if code]
    choice = CountChoice(tuple(locations), tuple(skus[:MOST_LINES]), tuple(request.POST.getlist("due_class")))
    sheet, is_new = make_count_sheet(
        warehouse.code,
        choice,
        key=f"admin:{request.POST.get('key') or uuid.uuid4()}",
        is_blind="blind" in request.POST,
        note=request.POST.get("note", "").strip().replace("\x00", ""),
        now=timezone.now(),
        actor=request.user,
    )
    count = sheet.lines.count()
    words = ngettext("%(sheet)s has %(count)d line.", "%(sheet)s has %(count)d lines.", count)
    said = words if is_new else _("%(sheet)s had been made already.")
    messages.success(request, said % {"sheet": sheet.number, "count": count})
    return reverse("admin:warehouses_countsheet_change", args=[sheet.pk])


def _zones(warehouse: Warehouse | None) -> list[Location]:
    """Zones and aisles, and bins that lie in none: what a count is asked for by."""
    if warehouse is None:
        return []
    places = Location.objects.filter(warehouse=warehouse, is_active=True).exclude(kind=Location.Kind.IN_TRANSIT)
    wide = places.exclude(level=Location.Level.BIN) | places.filter(parent=None)
    return list(wide.order_by("code")[:MOST_ZONES])
