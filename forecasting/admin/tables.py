"""What forecasts read: daily demand, days read otherwise, signals of shops, and which SKU is like which."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin, HouseAdmin, PageAction, ReadOnlyAdmin
from config.kernel.fields import plain
from forecasting.admin.search import sku_ids
from forecasting.models import DemandHistory, DemandSignal, HistoryCorrection, ItemRelation, SignalBatch
from forecasting.services.corrections import decide_correction

DECIDE = "forecasting.decide_historycorrection"
Decision = HistoryCorrection.Decision


@admin.register(DemandHistory)
class DemandHistoryAdmin(BigTableAdmin):
    list_display = ("day", "sku_code", "warehouse", "channel", "demand", "ordered", "cancelled", "returned", "orders")
    list_select_related = ("sku", "warehouse", "channel")
    list_filter = (("sku", AutocompleteSelectFilter),)
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = _("Demand is read off the orders by the next plan.")

    def find(self, term: str) -> Any:
        return Q(sku_id__in=sku_ids(term))

    @display(description=_("SKU"))
    def sku_code(self, row: DemandHistory) -> str:
        return row.sku.code

    @display(description=_("demand"))
    def demand(self, row: DemandHistory) -> str:
        return plain(row.quantity)


def _keep(request: HttpRequest, row: HistoryCorrection) -> str:
    decide_correction(row, decision=Decision.KEPT, by=request.user, now=timezone.now())
    return gettext("Kept as real demand: the next plan reads the day as it was sold.")


def _confirm(request: HttpRequest, row: HistoryCorrection) -> str:
    decide_correction(row, decision=Decision.APPLIED, by=request.user, now=timezone.now())
    return gettext("Confirmed: the next plan reads the day as corrected.")


@admin.register(HistoryCorrection)
class HistoryCorrectionAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code",
        "warehouse",
        "day",
        "shown_kind",
        "observed",
        "corrected",
        "shown_decision",
        "reason",
        "decided_by",
    )
    list_select_related = ("sku", "warehouse", "decided_by")
    list_filter = ("decision", "kind", "warehouse", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    search_help_text = _("SKU code or name")
    date_hierarchy = None
    actions = ("keep_selected", "confirm_selected")
    empty_hint = _("Days of one-off bulk orders and outliers are found by the nightly plan; none was found so far.")
    page_actions = (
        PageAction("keep", _("Keep as sold"), DECIDE, _keep, is_offered=lambda row: row.decision != Decision.KEPT),
        PageAction(
            "confirm",
            _("Confirm the correction"),
            DECIDE,
            _confirm,
            style="primary",
            is_offered=lambda row: row.decision != Decision.APPLIED,
        ),
    )

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("Keep selected as sold"), permissions=["decide"])
    def keep_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, Decision.KEPT)

    @admin.action(description=_("Confirm selected"), permissions=["decide"])
    def confirm_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, Decision.APPLIED)

    def _decide(self, request: HttpRequest, queryset: QuerySet, decision: str) -> None:
        rows = list(queryset)
        for row in rows:
            decide_correction(row, decision=decision, by=request.user, now=timezone.now())
        words = ngettext("%d day was decided on.", "%d days were decided on.", len(rows)) % len(rows)
        messages.success(request, words)

    @display(description=_("SKU"), header=True, ordering="sku__code")
    def sku_code(self, row: HistoryCorrection) -> list[str]:
        return [row.sku.code, row.sku.name]

    @display(description=_("kind"), ordering="kind", label={"bulk": "info", "outlier": "warning", "manual": "default"})
    def shown_kind(self, row: HistoryCorrection) -> tuple[str, str]:
        return row.kind, row.get_kind_display()

    @display(
        description=_("decision"), ordering="decision", label={"auto": "default", "kept": "success", "applied": "info"}
    )
    def shown_decision(self, row: HistoryCorrection) -> tuple[str, str]:
        return row.decision, row.get_decision_display()


@admin.register(DemandSignal)
class DemandSignalAdmin(BigTableAdmin):
    list_display = ("day", "sku", "channel", "page_views", "cart_adds", "wishes", "impressions")
    list_select_related = ("sku", "channel")
    list_filter = ("channel", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code",)
    search_help_text = _("SKU code")
    empty_hint = _("Shops and recommenders send views, cart adds and wishes with POST /api/v1/signals.")

    def find(self, term: str) -> Any:
        return Q(sku_id__in=sku_ids(term))


@admin.register(SignalBatch)
class SignalBatchAdmin(BigTableAdmin):
    list_display = ("received_at", "channel", "key", "lines", "sender")
    list_select_related = ("channel", "sender")
    list_filter = ("channel",)
    search_fields = ("key",)
    search_help_text = _("Batch id")
    empty_hint = _("Every delivery of signals is noted here, so that none is counted twice.")

    def find(self, term: str) -> Any:
        return Q(key=term)


@admin.register(ItemRelation)
class ItemRelationAdmin(HouseAdmin):
    list_display = ("sku", "kind", "other", "share", "starts_on", "ramp_days", "created_by")
    list_select_related = ("sku", "other", "created_by")
    autocomplete_fields = ("sku", "other")
    list_filter = ("kind", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "other__code")
    search_help_text = _("SKU code")
    empty_hint = _("Say which SKU a new one replaces or resembles: its first forecasts learn from that one's history.")

    def save_model(self, request: HttpRequest, obj: ItemRelation, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
