"""What stock is worth: any past moment on one page, the rules that value it, and what the goods that left had cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Sku
from config.kernel.admin import HouseAdmin, PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.export import csv_response
from config.kernel.charts import Figure, Line, line_chart
from warehouses.models import BalanceSheet, SalesOrder, Shipment, StockRules, StockValue, Warehouse
from warehouses.selectors.as_of import Clock, WorthRow, stock_as_of_by_warehouse, value_over_time
from warehouses.selectors.company import stock_rules
from warehouses.selectors.value import cost_of_goods_by_order, cost_of_goods_by_shipment, worth_rows
from warehouses.services.valuation_method import switch_valuation

VIEW, SWITCH = "warehouses.view_stockvalue", "warehouses.switch_valuation"
ROWS = 50
WEEKS = 26


@dataclass(frozen=True, slots=True)
class Question:
    """What the page was asked for: a moment, by a clock, everywhere or in one warehouse, all SKUs or one."""

    at: datetime
    clock: str
    warehouse: Warehouse | None
    sku: Sku | None
    sku_text: str
    after: tuple[int, int]

    @property
    def where(self) -> dict[str, Any]:
        return {
            "clock": self.clock,
            "warehouse_ids": [self.warehouse.pk] if self.warehouse else None,
            "sku_ids": [self.sku.pk] if self.sku else None,
        }

    def query(self, **more: str) -> str:
        """The address of the same question."""
        local = timezone.localtime(self.at).replace(tzinfo=None)
        asked = {
            "at": local.isoformat(timespec="microseconds"),
            "clock": self.clock,
            "warehouse": self.warehouse.code if self.warehouse else "",
            "sku": self.sku.code if self.sku else "",
            **more,
        }
        return "?" + urlencode({name: value for name, value in asked.items() if value})


@admin.register(StockValue)
class StockValueAdmin(ReadOnlyAdmin):
    """Its list is a page of its own: the worth of stock at a moment of choice."""

    empty_hint = gettext_lazy("Stock has a value as soon as there is any.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        question = asked_of(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Stock value"),
            "opts": self.opts,
            "question": question,
            "at_typed": timezone.localtime(question.at).strftime("%Y-%m-%dT%H:%M"),
            "clocks": Clock.choices,
            "zone": timezone.get_current_timezone_name(),
            "warehouses": Warehouse.objects.for_actor(request.user).order_by("name"),
            "export_url": reverse("admin:warehouses_stockvalue_export") + question.query(),
            "rules": stock_rules(),
            "currency": settings.COMPANY_CURRENCY,
            **_totals(question),
            **_rows(question),
            "chart": value_chart(question),
        }
        return TemplateResponse(request, "admin/house/stock_value.html", context)

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        question = asked_of(request)
        return csv_response(request, _lines(question), name="stockvalue")


def asked_of(request: HttpRequest) -> Question:
    """The question in the address; what cannot be read is said, and taken for not asked."""
    asked = {
        name: request.GET.get(name, "").strip().replace("\x00", "") for name in ("at", "clock", "warehouse", "sku")
    }
    warehouse = Warehouse.objects.for_actor(request.user).filter(code=asked["warehouse"]).first()
    sku = Sku.objects.for_actor(request.user).filter(code=asked["sku"]).first()
    if asked["sku"] and sku is None:
        messages.error(request, _("There is no SKU %s.") % asked["sku"])
    return Question(
        at=_moment(request, asked["at"]),
        clock=asked["clock"] if asked["clock"] in Clock.values else Clock.HAPPENED.value,
        warehouse=warehouse,
        sku=sku,
        sku_text=asked["sku"],
        after=_after(request.GET.get("after", "")),
    )


def _moment(request: HttpRequest, text: str) -> datetime:
    """A date and a time in the viewer's zone; now when none was typed. A minute means its end."""
    now = timezone.now()
    if not text:
        return now
    try:
        typed = datetime.fromisoformat(text)
        moment = timezone.make_aware(typed) if typed.tzinfo is None else typed
        if len(text) <= len("2026-03-02T09:00"):
            moment += timedelta(seconds=59, microseconds=999_999)
        return moment.astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        messages.error(request, _("“%(text)s” is not a moment.") % {"text": text})
        return now


def _after(text: str) -> tuple[int, int]:
    parts = text.split("-")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        return (0, 0)
    return int(parts[0]), int(parts[1])


def _totals(question: Question) -> dict[str, Any]:
    found = stock_as_of_by_warehouse(question.at, **question.where)
    names = Warehouse.objects.in_bulk(found)
    by_warehouse = sorted(((names[pk], worth) for pk, worth in found.items()), key=lambda row: row[0].name)
    return {
        "by_warehouse": [
            {"warehouse": place, "worth": worth, "query": question.query(warehouse=place.code)}
            for place, worth in by_warehouse
        ],
        "total_quantity": sum((worth.quantity for worth in found.values()), Decimal(0)),
        "total_value": sum((worth.value for worth in found.values()), Decimal(0)),
    }


def _rows(question: Question) -> dict[str, Any]:
    rows = list(islice(worth_rows(question.at, **question.where, after=question.after), ROWS + 1))
    is_cut, rows = len(rows) > ROWS, rows[:ROWS]
    last = rows[-1] if rows else None
    return {
        "rows": _named(rows),
        "next_query": question.query(after=f"{last.sku_id}-{last.warehouse_id}") if last and is_cut else "",
        "first_query": question.query() if question.after != (0, 0) else "",
    }


def _named(rows: list[WorthRow]) -> list[dict[str, Any]]:
    skus = Sku.objects.in_bulk({row.sku_id for row in rows})
    warehouses = Warehouse.objects.in_bulk({row.warehouse_id for row in rows})
    movements = reverse("admin:warehouses_stockmovement_changelist")
    return [
        {
            "sku": skus[row.sku_id],
            "warehouse": warehouses[row.warehouse_id],
            "quantity": row.quantity,
            "value": row.value,
            "unit_cost": row.value / row.quantity if row.quantity else None,
            "movements_url": f"{movements}?{urlencode({'sku__id__exact': row.sku_id})}",
        }
        for row in rows
    ]


def _lines(question: Question) -> Iterator[list[Any]]:
    """The export: every row, read some thousand SKUs at a time."""
    yield ["sku", "name", "warehouse", "quantity", "value", "at", "clock"]
    warehouses = dict(Warehouse.objects.values_list("pk", "code"))
    rows = worth_rows(question.at, **question.where)
    while part := list(islice(rows, 2000)):
        skus = Sku.objects.only("code", "name").in_bulk({row.sku_id for row in part})
        for row in part:
            sku = skus[row.sku_id]
            place = warehouses[row.warehouse_id]
            yield [sku.code, sku.name, place, row.quantity, row.value, question.at, question.clock]


def value_chart(question: Question) -> Figure:
    """Half a year until the moment, week by week."""
    moments = [question.at - timedelta(weeks=week) for week in reversed(range(WEEKS))]
    values = value_over_time(moments, **question.where)
    return line_chart(
        [timezone.localdate(moment) for moment in moments],
        [Line(_("Stock value"), [float(value) for value in values])],
        title=_("Stock value, half a year"),
        is_filled=True,
    )


def _switch(request: HttpRequest, rules: StockRules) -> str:
    other = _other(rules)
    switch_valuation(other, actor=request.user, now=timezone.now())
    return _("Stock is now valued by: %(method)s.") % {"method": StockRules.Valuation(other).label}


def _other(rules: StockRules) -> str:
    method = StockRules.Valuation
    return str(method.AVCO.value if rules.valuation == method.FIFO else method.FIFO.value)


@admin.register(StockRules)
class StockRulesAdmin(HouseAdmin):
    """The one row. How stock is valued changes by its button only."""

    list_display = ("__str__", "valuation", "rationing", "split_penalty", "cart_minutes")
    readonly_fields = ("valuation",)
    empty_hint = gettext_lazy("The rules appear with the first posting.")
    page_actions = (
        PageAction(
            "switch-valuation",
            gettext_lazy("Change the valuation"),
            SWITCH,
            _switch,
            style="danger",
            confirm=gettext_lazy(
                "FIFO becomes moving average, or the other way round. The layers of every SKU and warehouse are "
                "brought together; no value is lost, but which units cost what cannot be told apart again. Postings "
                "wait meanwhile."
            ),
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BalanceSheet)
class BalanceSheetAdmin(ReadOnlyAdmin):
    list_display = ("as_of", "clock", "known_until", "row_count", "quantity", "value", "audited_at")
    list_filter = ("clock",)
    empty_hint = gettext_lazy("A sheet is taken in the night after each month's end.")


@panel("warehouses.shipment", order=30, permission=VIEW)
def shipment_cost_panel(request: HttpRequest, shipment: Shipment) -> SafeString | None:
    cost = cost_of_goods_by_shipment([shipment.number]).get(shipment.number)
    if cost is None:
        return None
    return render_panel("admin/house/cost_of_goods.html", request, {"net": cost, "currency": settings.COMPANY_CURRENCY})


@panel("warehouses.salesorder", order=60, permission=VIEW)
def order_cost_panel(request: HttpRequest, order: SalesOrder) -> SafeString | None:
    found = cost_of_goods_by_order([order.pk]).get(order.pk)
    if found is None:
        return None
    numbers = list(order.shipments.order_by("pk").values_list("number", flat=True))
    costs = cost_of_goods_by_shipment(numbers)
    context = {
        "sold": found.sold,
        "returned": found.returned,
        "net": found.net,
        "currency": settings.COMPANY_CURRENCY,
        "shipments": [(number, costs[number]) for number in numbers if number in costs],
    }
    return render_panel("admin/house/cost_of_goods.html", request, context)
