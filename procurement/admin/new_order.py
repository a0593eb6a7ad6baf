"""A purchase order by hand: choose supplier and warehouse, then what of the supplier's items, and how much."""

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
from django.utils.translation import ngettext

from config.kernel.admin.actions import show_error
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import DomainError, ValidationFailed
from config.kernel.fields import plain
from config.kernel.templatetags.house import price
from procurement.models import PurchaseOrder, Supplier, SupplierItem
from procurement.services.by_hand import HandLine, order_by_hand
from warehouses.models import Warehouse

ADD, CHANGE = "procurement.add_purchaseorder", "procurement.change_purchaseorder"
ROWS = 5
MOST_LINES = 200
SUGGESTIONS = 20


def new_order_view(request: HttpRequest) -> HttpResponse:
    """The form; a POST puts the lines on the supplier's draft and leads to it. What was typed stays when refused."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    asked = request.POST if request.method == "POST" else request.GET
    suppliers = Supplier.objects.for_actor(request.user).filter(is_active=True).order_by("name")
    warehouses = Warehouse.objects.for_actor(request.user).filter(is_active=True)
    supplier, warehouse = _chosen(suppliers, asked.get("supplier")), _chosen(warehouses, asked.get("warehouse"))
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_order(request, supplier, warehouse))
        except DomainError as error:
            show_error(request, error)
    context = {
        **admin.site.each_context(request),
        "title": _("New purchase order"),
        "opts": PurchaseOrder._meta,
        "suppliers": suppliers,
        "warehouses": warehouses,
        "supplier": supplier,
        "warehouse": warehouse,
        "draft": _open_draft(supplier, warehouse),
        "rows": _typed_rows(request),
        "items_url": items_url(supplier) if supplier else "",
        "key": request.POST.get("key") or str(uuid.uuid4()),
    }
    return render(request, "admin/house/new_order.html", context)


def items_view(request: HttpRequest) -> JsonResponse:
    """Items of a supplier that fit what is being typed: the start of a code, or a part of the name."""
    if not (request.user.has_perm(ADD) or request.user.has_perm(CHANGE)):
        raise PermissionDenied
    supplier = _chosen(Supplier.objects.for_actor(request.user), request.GET.get("supplier"))
    term = request.GET.get("q", "").strip().replace("\x00", "")
    items = SupplierItem.objects.for_actor(request.user).filter(supplier=supplier, is_active=True)
    if term:
        items = items.filter(
            Q(sku__code__istartswith=term) | Q(sku__name__icontains=term) | Q(supplier_code__istartswith=term)
        )
    found = items.select_related("sku", "supplier").order_by("sku__code")[:SUGGESTIONS] if supplier else []
    return JsonResponse({"items": [{"value": item.sku.code, "label": _label(item)} for item in found]})


def items_url(supplier: Supplier) -> str:
    return f"{reverse('admin:procurement_purchaseorder_items')}?supplier={supplier.pk}"


def typed_code(text: str | None) -> str:
    """The SKU code in a box."""
    return (text or "").strip().replace("\x00", "")[:64]


def said_of(order: PurchaseOrder, count: int, is_new: bool) -> str:
    if not is_new:
        return _("This had been added to %(order)s already.") % {"order": order.number}
    words = ngettext("%(count)d line is on %(order)s.", "%(count)d lines are on %(order)s.", count)
    return words % {"count": count, "order": order.number}


def _order(request: HttpRequest, supplier: Any, warehouse: Any) -> str:
    if supplier is None or warehouse is None:
        raise ValidationFailed(_("Choose a supplier and a warehouse."))
    lines = []
    for row in _typed_rows(request):
        quantity = typed_quantity(row["quantity"], name=row["sku"])
        if row["sku"] and quantity is not None:
            lines.append(HandLine(typed_code(row["sku"]), quantity))
        elif row["sku"] or quantity is not None:
            raise ValidationFailed(_("Every line needs a SKU and a quantity: %(row)s") % {"row": row["sku"] or "–"})
    order, is_new = order_by_hand(
        supplier.pk,
        warehouse_id=warehouse.pk,
        lines=lines,
        key=request.POST.get("key", ""),
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, said_of(order, len(lines), is_new))
    return reverse("admin:procurement_purchaseorder_change", args=[order.pk])


def _typed_rows(request: HttpRequest) -> list[dict[str, str]]:
    """The rows as they were typed, with empty ones up to ROWS."""
    typed = zip(request.POST.getlist("sku"), request.POST.getlist("quantity"), strict=False)
    rows = [{"sku": sku.strip(), "quantity": quantity.strip()} for sku, quantity in typed][:MOST_LINES]
    rows = [row for row in rows if row["sku"] or row["quantity"]]
    return rows + [{"sku": "", "quantity": ""}] * max(ROWS - len(rows), 1 if request.method != "POST" else 0)


def _chosen(rows: Any, text: str | None) -> Any:
    digits = text or ""
    return rows.filter(pk=int(digits)).first() if digits.isdecimal() and len(digits) <= 18 else None


def _open_draft(supplier: Any, warehouse: Any) -> PurchaseOrder | None:
    if supplier is None or warehouse is None:
        return None
    return PurchaseOrder.objects.filter(
        supplier=supplier, warehouse=warehouse, status=PurchaseOrder.Status.DRAFT
    ).first()


def _label(item: SupplierItem) -> str:
    parts = [item.sku.name, f"{price(item.unit_cost)} {item.supplier.currency}"]
    if item.minimum_order_quantity > 1:
        parts.append(_("from %(quantity)s") % {"quantity": plain(item.minimum_order_quantity)})
    if item.pack_size != 1:
        parts.append(_("packs of %(quantity)s") % {"quantity": plain(item.pack_size)})
    return " · ".join(parts)
