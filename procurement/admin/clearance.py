"""Excess stock and its way out: looked through, accepted or dismissed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.errors import DomainError
from config.kernel.fields import money
from procurement.admin.advice_filters import OpenAdviceFilter
from procurement.admin.note_form import NoteForm
from procurement.admin.terms import term_rows
from procurement.models import ClearanceProposal
from procurement.services.clearance import accept_clearances, dismiss_clearances

DECIDE = "procurement.decide_clearanceproposal"
LABELS = {"open": "info", "accepted": "success", "dismissed": "warning", "superseded": "default"}


def _accept(request: HttpRequest, row: ClearanceProposal) -> str:
    accept_clearances([row.pk], actor=request.user, now=timezone.now())
    return gettext("Accepted: %(what)s.") % {"what": row.get_way_out_display()}


def _dismiss(request: HttpRequest, row: ClearanceProposal) -> str:
    dismiss_clearances([row.pk], actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return gettext("The proposal was dismissed.")


def _is_open(row: ClearanceProposal) -> bool:
    return row.status == ClearanceProposal.Status.OPEN


@admin.register(ClearanceProposal)
class ClearanceProposalAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code", "place", "shown_cause", "shown_way_out", "quantity", "at_risk", "recovery", "gain", "expires_on",
        "shown_status",
    )  # fmt: skip
    list_select_related = ("sku", "warehouse", "target", "supplier")
    list_filter = (OpenAdviceFilter, "cause", "way_out", "warehouse", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    search_help_text = _("SKU")
    ordering = ("-value_at_risk", "pk")
    actions = ("accept_selected", "dismiss_selected")
    action_form = NoteForm
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("No stock is too much: every plan looks for what will expire, end or not sell within its cover.")
    page_actions = (
        PageAction("accept", _("Accept"), DECIDE, _accept, style="primary", is_offered=_is_open),
        PageAction("dismiss", _("Dismiss"), DECIDE, _dismiss, style="danger", is_offered=_is_open),
    )
    export_fields = (
        "sku__code", "warehouse__code", "status", "cause", "way_out", "quantity", "discount", "target__code",
        "supplier__code", "expires_on", "value_at_risk", "expected_recovery", "recovery_if_kept", "sell_through_days",
        "created_at", "decided_at", "decision_note",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("explanation", "warnings")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("Accept selected"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, is_accepted=True)

    @admin.action(description=_("Dismiss selected"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, is_accepted=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet, *, is_accepted: bool) -> None:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True))
        note = request.POST.get("note", "")
        try:
            if is_accepted:
                accept_clearances(ids, actor=request.user, now=timezone.now())
            else:
                dismiss_clearances(ids, actor=request.user, now=timezone.now(), note=note)
        except DomainError as error:
            show_error(request, error)
            return
        accepted = ngettext("%d proposal was accepted.", "%d proposals were accepted.", len(ids))
        dismissed = ngettext("%d proposal was dismissed.", "%d proposals were dismissed.", len(ids))
        messages.success(request, (accepted if is_accepted else dismissed) % len(ids))

    @display(description=_("SKU"), ordering="sku__code", header=True)
    def sku_code(self, row: ClearanceProposal) -> list[str]:
        return [row.sku.code, row.sku.name]

    @display(description=_("in"), ordering="warehouse__code")
    def place(self, row: ClearanceProposal) -> str:
        return row.warehouse.code

    @display(description=_("cause"), ordering="cause")
    def shown_cause(self, row: ClearanceProposal) -> str:
        return str(row.get_cause_display())

    @display(description=_("way out"), ordering="way_out")
    def shown_way_out(self, row: ClearanceProposal) -> str:
        return way_words(row.get_way_out_display(), row.discount, row.target.code if row.target else "")

    @display(description=_("value at risk"), ordering="value_at_risk")
    def at_risk(self, row: ClearanceProposal) -> str:
        return f"{money(row.value_at_risk):,}"

    @display(description=_("recovery"), ordering="expected_recovery")
    def recovery(self, row: ClearanceProposal) -> str:
        return f"{money(row.expected_recovery):,}"

    @display(description=_("more than if kept"), ordering=F("expected_recovery") - F("recovery_if_kept"))
    def gain(self, row: ClearanceProposal) -> str:
        return f"{money(row.expected_recovery - row.recovery_if_kept):,}"

    @display(description=_("status"), label=LABELS)
    def shown_status(self, row: ClearanceProposal) -> tuple[str, str]:
        return row.status, row.get_status_display()


def way_words(name: Any, discount: Any, target: str) -> str:
    """The way out with its number: "Mark down 30 %", "Transfer → NORTH"."""
    if discount:
        return f"{name} {float(discount):.0%}"
    return f"{name} → {target}" if target else str(name)


@panel("procurement.clearanceproposal", order=10)
def clearance_panel(request: HttpRequest, row: ClearanceProposal) -> SafeString:
    best = max((abs(float(way["recovery"])) for way in row.alternatives), default=0.0) or 1.0
    names = dict(ClearanceProposal.WayOut.choices)
    ways = [
        {
            "name": way_words(names.get(way["way_out"], way["way_out"]), way["discount"], way["target"]),
            "recovery": way["recovery"],
            "width": round(100 * max(float(way["recovery"]), 0.0) / best),
            "units": way["units"],
            "days": way["sell_through_days"],
            "is_chosen": place == 0,
        }
        for place, way in enumerate(row.alternatives)
    ]
    return render_panel("admin/house/clearance.html", request, {"row": row, "ways": ways})


@panel("procurement.clearanceproposal", order=30)
def clearance_terms_panel(request: HttpRequest, row: ClearanceProposal) -> SafeString:
    return render_panel("admin/house/explanation.html", request, {"terms": term_rows(row.explanation), "details": []})
