"""Joint orders: how a plan settled the lines of an order together, what bound it and what more room would save."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.models import Sku
from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from procurement.models import JointOrder

LABELS = {"optimal": "success", "feasible": "warning", "infeasible": "danger"}
# Limit → its name and the unit it is in; "money" is the currency of the order.
LIMITS: dict[str, tuple[Any, Any]] = {
    "budget": (_("Budget"), "money"),
    "minimum_value": (_("Minimum order value"), "money"),
    "free_freight_from": (_("Free freight from"), "money"),
    "capacity": (_("Supplier's capacity"), _("units")),
    "container_volume": (_("Container volume"), _("litres")),
    "container_weight": (_("Container weight"), "kg"),
    "warehouse_units": (_("Room in the warehouse"), _("units")),
    "maximum": (_("Most of an item"), _("units")),
    "shelf_life": (_("What sells within its shelf life"), _("units")),
}


@admin.register(JointOrder)
class JointOrderAdmin(ReadOnlyAdmin):
    list_display = (
        "pk", "supplier", "warehouse", "budget", "shown_status", "line_count", "shown_cost", "shown_gap", "limits_met",
        "created_at",
    )  # fmt: skip
    list_select_related = ("supplier", "warehouse", "budget")
    list_filter = ("status", "supplier", "warehouse", "budget")
    search_fields = ("supplier__code", "supplier__name", "warehouse__code", "budget__name")
    search_help_text = _("Supplier, warehouse, budget")
    ordering = ("-pk",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("A plan settles an order as a whole where a minimum, a container, a budget or room ties its lines.")
    export_fields = (
        "id", "run_id", "supplier__code", "warehouse__code", "budget__name", "status", "currency", "line_count", "cost",
        "bound", "gap", "seconds", "binding", "relaxations", "lines", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("supplier", "warehouse", "budget")

    @display(description=_("result"), ordering="status", label=LABELS)
    def shown_status(self, row: JointOrder) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("expected cost"), ordering="cost")
    def shown_cost(self, row: JointOrder) -> str:
        return "–" if row.cost is None else f"{row.cost:,.2f} {row.currency}"

    @display(description=_("gap"), ordering="gap")
    def shown_gap(self, row: JointOrder) -> str:
        return "–" if row.gap is None else f"{row.gap:.2%}"

    @display(description=_("binding constraints"))
    def limits_met(self, row: JointOrder) -> str:
        return ", ".join(limit_name(limit["name"]) for limit in row.binding) or "–"


def limit_name(name: str) -> str:
    """budget of March → Budget: March."""
    kind, _of, whose = name.partition(" of ")
    word = str(LIMITS[kind][0]) if kind in LIMITS else kind.replace("_", " ")
    return f"{word}: {whose}" if whose else word


def _limit_rows(limits: Iterable[Mapping[str, Any]], currency: str) -> list[dict[str, Any]]:
    rows = []
    for limit in limits:
        unit = LIMITS.get(limit["name"].partition(" of ")[0], ("", ""))[1]
        rows.append({**limit, "name": limit_name(limit["name"]), "unit": currency if unit == "money" else unit})
    return rows


@panel("procurement.jointorder", order=10)
def joint_order_panel(request: HttpRequest, row: JointOrder) -> SafeString:
    skus = dict(Sku.objects.filter(code__in=[line["sku"] for line in row.lines]).values_list("code", "pk"))
    proposals = dict(row.proposals.values_list("sku__code", "pk"))
    lines = [
        {
            **line,
            "pk": skus.get(line["sku"]),
            "proposal": proposals.get(line["sku"]),
            "change": line["after"] - line["before"],
        }
        for line in row.lines
    ]
    context = {
        "row": row,
        "lines": sorted(lines, key=lambda line: (-abs(line["change"]), line["sku"])),
        "binding": _limit_rows(row.binding, row.currency),
        "relaxations": _limit_rows(row.relaxations, row.currency),
    }
    return render_panel("admin/house/joint_order.html", request, context)
