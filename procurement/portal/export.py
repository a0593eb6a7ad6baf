"""A supplier's order lines as CSV, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from procurement.models import PurchaseOrder, PurchaseOrderLine

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def csv_response(orders: Iterable[PurchaseOrder], lines: Iterable[PurchaseOrderLine], name: str) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")  # spreadsheets read UTF-8 only after this mark
    writer = csv.writer(response)
    writer.writerow(_header())
    by_order: dict[int, list[PurchaseOrderLine]] = {}
    for line in lines:
        by_order.setdefault(line.order_id, []).append(line)
    for order in orders:
        writer.writerows([safe_cell(value) for value in row] for row in _rows(order, by_order.get(order.pk, [])))
    return response


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers and dates stay."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value.replace("\x00", "")
    return value


def _header() -> list[str]:
    return [
        _("Order"),
        _("Status"),
        _("Sent"),
        _("Deliver to"),
        _("Line"),
        _("SKU"),
        _("Name"),
        pgettext("quantity", "Ordered"),
        _("Received"),
        _("Unit price"),
        _("Currency"),
        _("Need by"),
        _("Promised"),
        _("Line status"),
    ]


def _rows(order: PurchaseOrder, lines: Iterable[PurchaseOrderLine]) -> Iterator[list[Any]]:
    for line in lines:
        yield [
            order.number,
            str(order.get_status_display()),
            order.sent_at.date() if order.sent_at else "",
            order.warehouse.name,
            line.line_number,
            line.sku.code,
            line.sku.name,
            _number(line.quantity),
            _number(line.received_quantity),
            _number(line.unit_cost),
            order.currency,
            line.need_by,
            line.promised_on or "",
            str(line.get_status_display()),
        ]


def _number(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()
