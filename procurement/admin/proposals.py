"""The proposals of the plan: looked through, changed where the planner knows better, accepted or dismissed."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.forms import ActionForm

from config.kernel.admin import PageAction, ReadOnlyAdmin
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.reading import typed_quantity
from config.kernel.charts import level_bar
from config.kernel.errors import DomainError
from config.kernel.fields import money, plain
from procurement.admin.plan import plan_context, run_plan_view
from procurement.admin.proposal_filters import DemandClassFilter, StatusFilter
from procurement.models import Proposal, PurchaseOrder
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals

STATUS_LABELS = {
    Proposal.Status.OPEN: "info",
    Proposal.Status.ACCEPTED: "success",
    Proposal.Status.DISMISSED: "warning",
    Proposal.Status.SUPERSEDED: "default",
}
DECIDE = "procurement.decide_proposal"


class NoteForm(ActionForm):
    note = forms.CharField(
        label="",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "h-input wide", "placeholder": _("Note, when dismissing")}),
    )


def _accept(request: HttpRequest, proposal: Proposal) -> Any:
    orders = accept_proposals(
        [Decision(proposal.pk, typed_quantity(request.POST.get("quantity")))], actor=request.user, now=timezone.now()
    )
    return format_html("{} {}", gettext("Accepted. It is on the draft"), _links(orders))


def _dismiss(request: HttpRequest, proposal: Proposal) -> str:
    dismiss_proposals([proposal.pk], actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return gettext("The proposal was dismissed.")


def _links(orders: Iterable[PurchaseOrder]) -> SafeString:
    return format_html_join(
        ", ",
        '<a class="underline" href="{}">{}</a>',
        ((reverse("admin:procurement_purchaseorder_change", args=[order.pk]), order.number) for order in orders),
    )


def _is_open(proposal: Proposal) -> bool:
    return proposal.status == Proposal.Status.OPEN


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code",
        "place",
        "supplier",
        "shown_quantity",
        "to_order",
        "amount",
        "picture",
        "cover",
        "need_by",
        "shown_status",
    )
    list_select_related = ("sku", "warehouse", "supplier")
    list_filter = (StatusFilter, "supplier", "warehouse", DemandClassFilter, ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name", "supplier__name")
    search_help_text = _("SKU or supplier")
    ordering = ("need_by", "pk")
    actions = ("accept_selected", "dismiss_selected")
    action_form = NoteForm
    list_before_template = "admin/house/plan_bar.html"
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("Nothing to buy: run the plan, or look at earlier proposals with the status filter.")
    page_actions = (
        PageAction("accept", _("Accept"), DECIDE, _accept, is_offered=_is_open, in_bar=False),
        PageAction("dismiss", _("Dismiss"), DECIDE, _dismiss, is_offered=_is_open, in_bar=False),
    )
    export_fields = (
        "sku__code",
        "warehouse__code",
        "supplier__code",
        "status",
        "quantity",
        "accepted_quantity",
        "unit_cost",
        "currency",
        "inventory_position",
        "reorder_point",
        "order_up_to_level",
        "safety_stock",
        "days_of_cover",
        "need_by",
        "created_at",
        "decided_at",
        "decision_note",
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(run_plan_view)
        return [path("run-plan/", view, name="procurement_run_plan"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("explanation", "warnings")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.may_decide = self.has_decide_permission(request)
        return super().changelist_view(request, {**plan_context(request), **(extra_context or {})})

    @admin.action(description=_("Accept selected, with the quantities shown"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        try:
            decisions = [
                Decision(pk, typed_quantity(request.POST.get(f"quantity-{pk}")))
                for pk in queryset.order_by("pk").values_list("pk", flat=True)
            ]
            orders = accept_proposals(decisions, actor=request.user, now=timezone.now())
        except DomainError as error:
            show_error(request, error)
            return
        words = ngettext("%d proposal was accepted:", "%d proposals were accepted:", len(decisions)) % len(decisions)
        messages.success(request, format_html("{} {}", words, _links(orders)))

    @admin.action(description=_("Dismiss selected"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        try:
            count = dismiss_proposals(ids, actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
        except DomainError as error:
            show_error(request, error)
            return
        messages.success(request, ngettext("%d proposal was dismissed.", "%d proposals were dismissed.", count) % count)

    @display(description=_("SKU"), ordering="sku__code", header=True)
    def sku_code(self, proposal: Proposal) -> list[str]:
        return [proposal.sku.code, proposal.sku.name]

    @display(description=_("to"), ordering="warehouse__code")
    def place(self, proposal: Proposal) -> str:
        return format_html('<abbr title="{}">{}</abbr>', proposal.warehouse.name, proposal.warehouse.code)

    @display(description=_("proposed"), ordering="quantity")
    def shown_quantity(self, proposal: Proposal) -> str:
        return plain(proposal.quantity)

    @display(description=_("to order"))
    def to_order(self, proposal: Proposal) -> str:
        """A box to type another quantity into, for the action “Accept selected”."""
        if proposal.status != Proposal.Status.OPEN:
            return "–" if proposal.accepted_quantity is None else plain(proposal.accepted_quantity)
        if not getattr(self, "may_decide", False):
            return plain(proposal.quantity)
        return format_html(
            '<input class="h-input n" name="quantity-{}" value="{}" inputmode="decimal" aria-label="{}">',
            proposal.pk,
            plain(proposal.quantity),
            gettext("Quantity of %(sku)s to order") % {"sku": proposal.sku.code},
        )

    @display(description=_("value"), ordering=F("quantity") * F("unit_cost"))
    def amount(self, proposal: Proposal) -> str:
        return f"{money(proposal.quantity * proposal.unit_cost):,} {proposal.currency}"

    @display(description=_("position / ROP"), ordering="inventory_position")
    def picture(self, proposal: Proposal) -> SafeString:
        return level_bar(
            float(proposal.inventory_position), float(proposal.reorder_point), float(proposal.order_up_to_level)
        )

    @display(description=_("cover, days"), ordering="days_of_cover")
    def cover(self, proposal: Proposal) -> str:
        return "–" if proposal.days_of_cover is None else f"{proposal.days_of_cover:.0f}"

    @display(description=_("status"), label=STATUS_LABELS)
    def shown_status(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.status, proposal.get_status_display()
