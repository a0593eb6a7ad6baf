"""The page of a count sheet: the form to count with, then what came out; and how right the books are."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from config.kernel.admin import panel, render_panel
from warehouses.admin.count_actions import COUNT, is_being_counted
from warehouses.models import CountSheet, StockStatus, Warehouse
from warehouses.selectors.counting import ACCURACY_DAYS, Accuracy, hides_expectations, record_accuracy, shown_lines
from warehouses.selectors.scanning import location_code, lot_code


@panel("warehouses.countsheet", order=10)
def count_panel(request: HttpRequest, sheet: CountSheet) -> SafeString:
    lines = shown_lines(sheet)
    is_open = is_being_counted(sheet)
    may_count = is_open and request.user.has_perm(COUNT)
    is_again = sheet.status == CountSheet.Status.RECOUNT
    for line in lines:
        line.is_asked = may_count and (line.needs_recount or not is_again)
        line.codes = "\n".join(_codes(line))
    counted = [line for line in lines if line.counted_quantity is not None]
    context = {
        "sheet": sheet,
        "lines": lines,
        "is_open": is_open,
        "is_hidden": hides_expectations(sheet),
        "counted": len(counted),
        "worth": sum((line.variance_value or 0 for line in counted), 0),
        "count_url": _do(sheet, "count") if may_count else "",
        "may_find": may_count and not is_again,
        "print_url": reverse("admin:warehouses_countsheet_print", args=[sheet.pk]),
        "statuses": StockStatus.choices,
        "available": StockStatus.AVAILABLE,
    }
    return render_panel("admin/house/count_sheet.html", request, context)


def _do(sheet: CountSheet, verb: str) -> str:
    return reverse("admin:warehouses_countsheet_do", args=[sheet.pk, verb])


def _codes(line: Any) -> list[str]:
    """What a scanner may read off this line's shelf or goods."""
    sku = line.sku
    codes = [line.location.code, location_code(line.location), sku.code, f"S:{sku.code}", sku.barcode]
    if line.lot:
        codes += [line.lot.code, lot_code(line.lot)]
    return [code for code in dict.fromkeys(codes) if code]


def recent_accuracy(warehouse_ids: list[int] | None = None) -> list[Accuracy]:
    now = timezone.now()
    return record_accuracy(since=now - timedelta(days=ACCURACY_DAYS), until=now, warehouse_ids=warehouse_ids)


@panel("warehouses.warehouse", order=30, permission="warehouses.view_countsheet")
def accuracy_panel(request: HttpRequest, warehouse: Warehouse) -> SafeString:
    sheets = CountSheet.objects.filter(warehouse=warehouse, status__in=CountSheet.OPEN_STATES)
    context = {
        "accuracy": next(iter(recent_accuracy([warehouse.pk])), None),
        "days": ACCURACY_DAYS,
        "open_sheets": sheets.count(),
        "warehouse": warehouse,
    }
    return render_panel("admin/house/count_accuracy.html", request, context)
