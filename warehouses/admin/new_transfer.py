"""A transfer by hand: from where to where, which SKUs, how many of each."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.admin.actions import show_error
from config.kernel.admin.reading import typed_day, typed_quantity
from config.kernel.errors import DomainError, ValidationFailed
from warehouses.models import Transfer, Warehouse
from warehouses.services.transfers import TransferItem, create_transfer

ADD = "warehouses.add_transfer"
FIELDS = ("sku", "quantity", "unit", "lot")
ROWS = 5
MOST_LINES = 200
SUGGESTIONS = 20


def new_transfer_view(request: HttpRequest) -> HttpResponse:
    """The form; a POST writes the transfer and leads to it. What was typed stays when it is refused."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_written(request))
        except DomainError as error:
            show_error(request, error)
    context = {
        **admin.site.each_context(request),
        "title": _("New transfer"),
        "opts": Transfer._meta,
        "warehouses": Warehouse.objects.for_actor(request.user).filter(is_active=True),
        "typed": request.POST,
        "rows": _typed_rows(request),
        "key": request.POST.get("key") or f"admin:{uuid.uuid4()}",
    }
    return render(request, "admin/house/new_transfer.html", context)


def skus_view(request: HttpRequest) -> JsonResponse:
    """SKUs that fit what is being typed: the start of a code, a part of the name, a barcode."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    term = request.GET.get("q", "").strip().replace("\x00", "")
    skus = Sku.objects.for_actor(request.user).order_by("code")
    if term:
        skus = skus.filter(Q(code__istartswith=term) | Q(name__icontains=term) | Q(barcode=term))
    return JsonResponse({"items": [{"value": sku.code, "label": sku.name} for sku in skus[:SUGGESTIONS]]})


def _written(request: HttpRequest) -> str:
    items = []
    for row in _typed_rows(request):
        quantity = typed_quantity(row["quantity"], name=row["sku"])
        if row["sku"] and quantity is not None:
            items.append(TransferItem(row["sku"], quantity, row["lot"], row["unit"]))
        elif row["sku"] or quantity is not None:
            raise ValidationFailed(_("Every line needs a SKU and a quantity: %(row)s") % {"row": row["sku"] or "–"})
    ends = {name: request.POST.get(name, "") for name in ("source", "destination")}
    if not all(ends.values()):
        raise ValidationFailed(_("Choose from where to where."))
    transfer, is_new = create_transfer(
        items,
        source_code=ends["source"],
        destination_code=ends["destination"],
        key=(request.POST.get("key") or f"admin:{uuid.uuid4()}")[:200],
        now=timezone.now(),
        actor=request.user,
        expected_on=typed_day(request.POST.get("expected_on")),
        note=" ".join(request.POST.get("note", "").split()),
    )
    words = _("%(transfer)s was written.") if is_new else _("%(transfer)s had been written already.")
    messages.success(request, words % {"transfer": transfer.number})
    return reverse("admin:warehouses_transfer_change", args=[transfer.pk])


def _typed_rows(request: HttpRequest) -> list[dict[str, str]]:
    """The rows as they were typed, with empty ones up to ROWS."""
    columns = [request.POST.getlist(name) for name in FIELDS]
    longest = min(max((len(column) for column in columns), default=0), MOST_LINES)
    rows: list[dict[str, Any]] = [
        {
            name: (column[n] if n < len(column) else "").strip().replace("\x00", "")[:64]
            for name, column in zip(FIELDS, columns, strict=True)
        }
        for n in range(longest)
    ]
    rows = [row for row in rows if any(row.values())]
    empty = dict.fromkeys(FIELDS, "")
    return rows + [empty] * max(ROWS - len(rows), 1 if request.method != "POST" else 0)
