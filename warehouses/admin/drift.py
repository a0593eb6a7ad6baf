"""Drifts: which figures differ, the movements or reservations behind them, and the buttons that put it right."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from warehouses.models import Reservation, StockDrift, StockMovement
from warehouses.selectors.drift import FOLLOW_LEVEL, RELEASE_CART
from warehouses.selectors.drift_words import FIGURE_NAMES, figures_of, where_of
from warehouses.services.repairs import WAYS, apply_repair, ways_of

REPAIR = "warehouses.repair_stockdrift"
LATEST = 50
_RISKY = {FOLLOW_LEVEL, RELEASE_CART}


class StateFilter(admin.SimpleListFilter):
    """Open drifts unless others are asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [*StockDrift.State.choices[1:], ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, words in [(None, StockDrift.State.OPEN.label), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or StockDrift.State.OPEN)


def _handler(way: str) -> Callable[[HttpRequest, StockDrift], str]:
    def handle(request: HttpRequest, drift: StockDrift) -> str:
        apply_repair(drift.pk, actor=request.user, now=timezone.now(), way=way)
        return _("Repaired. What was found and who repaired it stays here.")

    return handle


def _offered(way: str) -> Callable[[StockDrift], bool]:
    return lambda drift: way in dict(ways_of(drift))


@admin.register(StockDrift)
class StockDriftAdmin(ReadOnlyAdmin):
    list_display = ("shown_where", "shown_kind", "shown_figures", "shown_state", "found_at", "last_seen_at", "actor")
    list_select_related = ("actor",)
    list_filter = (StateFilter, "kind", "found_at")
    search_fields = ("subject", "facts__sku", "facts__location", "facts__document")
    search_help_text = gettext_lazy("SKU code, location or document")
    ordering = ("-found_at", "-pk")
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = gettext_lazy(
        "Nothing drifts. Everything that moves is compared within a minute, everything else daily."
    )
    export_fields = ("kind", "subject", "state", "facts", "found_at", "last_seen_at", "ended_at", "actor__username")
    page_actions = tuple(
        PageAction(
            way.replace("_", "-"),
            label,
            REPAIR,
            _handler(way),
            style="danger" if way in _RISKY else "primary",
            confirm=gettext_lazy("Repair it in this way?"),
            is_offered=_offered(way),
        )
        for way, label in WAYS.items()
    )

    @display(description=gettext_lazy("where"), ordering="subject")
    def shown_where(self, drift: StockDrift) -> str:
        return where_of(drift.facts) or drift.subject

    @display(description=gettext_lazy("what differs"), ordering="kind")
    def shown_kind(self, drift: StockDrift) -> str:
        return drift.get_kind_display()

    @display(description=gettext_lazy("figures"))
    def shown_figures(self, drift: StockDrift) -> str:
        return " · ".join(f"{name} {number}" for name, number in figures_of(drift.facts))

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={"open": "danger", "repaired": "success", "gone": "info"},
    )
    def shown_state(self, drift: StockDrift) -> tuple[str, str]:
        return drift.state, drift.get_state_display()


@panel("warehouses.stockdrift", order=10)
def drift_panel(request: HttpRequest, drift: StockDrift) -> SafeString:
    after = drift.facts.get("after") or {}
    way = drift.facts.get("way", "")
    context = {
        "drift": drift,
        "where": where_of(drift.facts) or drift.subject,
        "figures": figures_of(drift.facts),
        "after": [(FIGURE_NAMES.get(name, name), number) for name, number in after.items()],
        "way": WAYS.get(way, way),
        "has_ways": bool(ways_of(drift)),
        "document_url": _document_url(drift),
    }
    return render_panel("admin/house/drift.html", request, context)


@panel("warehouses.stockdrift", order=20, permission="warehouses.view_stockmovement")
def drift_movements_panel(request: HttpRequest, drift: StockDrift) -> SafeString:
    """The latest movements of the level (of the SKU in the warehouse, where its worth drifts), and who holds units."""
    facts = drift.facts
    is_about_movements = drift.kind in (StockDrift.Kind.LEVEL, StockDrift.Kind.VALUE, StockDrift.Kind.LEDGER_VALUE)
    moves: Any = StockMovement.objects.none()
    if is_about_movements and "sku_id" in facts:
        place = Q(location__warehouse=facts.get("warehouse_id"))
        if "location_id" in facts:
            place = Q(location=facts["location_id"], lot=facts.get("lot_id"), status=facts.get("status"))
        moves = StockMovement.objects.filter(place, sku=facts["sku_id"])
    context = {
        "is_about_movements": is_about_movements,
        "moves": list(moves.select_related("location__warehouse", "actor").order_by("-pk")[:LATEST]),
        "latest": LATEST,
        "reservations": list(_reservations(drift)[:LATEST]),
    }
    return render_panel("admin/house/drift_movements.html", request, context)


def _reservations(drift: StockDrift) -> Any:
    held = Reservation.objects.select_related(
        "line__order", "cart_line__cart", "transfer_line__transfer", "level__location__warehouse"
    ).order_by("pk")
    kind, _colon, pk = drift.subject.partition(":")
    if drift.kind == StockDrift.Kind.RESERVED:
        facts = drift.facts
        return held.filter(
            level__sku=facts["sku_id"],
            level__location=facts["location_id"],
            level__lot=facts.get("lot_id"),
            level__status=facts.get("status"),
        )
    if drift.kind == StockDrift.Kind.LINE:
        name = {"order_line": "line", "cart_line": "cart_line", "transfer_line": "transfer_line"}[kind]
        return held.filter(**{name: pk.partition(":")[0]})
    return held.none()


def _document_url(drift: StockDrift) -> str:
    pages = {"order_line": "salesorder", "transfer_line": "transfer", "cart_line": "cart"}
    page = pages.get(drift.subject.partition(":")[0])
    registered = {model._meta.model_name for model in admin.site._registry}
    if page is None or page not in registered:
        return ""
    return reverse(f"admin:warehouses_{page}_change", args=[drift.facts["document_id"]])
