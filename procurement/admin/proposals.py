"""The board of proposals: grouped, looked through, changed where the planner knows better, accepted or dismissed."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.forms import ActionForm
from unfold.views import ChangeList

from config.kernel.admin import PageAction, ReadOnlyAdmin
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.reading import typed_quantity
from config.kernel.charts import level_bar
from config.kernel.errors import DomainError
from config.kernel.fields import money, plain
from procurement.admin.board import AMOUNT, BoardList, kind_of, with_groups
from procurement.admin.board_actions import DECIDE, accept, decide_view, dismiss, merge, order_links, why_view
from procurement.admin.plan import plan_context, run_plan_view
from procurement.admin.proposal_filters import DemandClassFilter, RunsOutFilter, StatusFilter
from procurement.models import Proposal
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals

STATUS_LABELS = {
    Proposal.Status.OPEN: "info",
    Proposal.Status.ACCEPTED: "success",
    Proposal.Status.DISMISSED: "warning",
    Proposal.Status.SUPERSEDED: "default",
}


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
    return format_html("{} {}", gettext("Accepted. It is on the draft"), order_links(orders))


def _dismiss(request: HttpRequest, proposal: Proposal) -> str:
    dismiss_proposals([proposal.pk], actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return gettext("The proposal was dismissed.")


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
        "why",
        "picture",
        "runs_out",
        "need_by",
        "shown_status",
    )
    list_select_related = ("sku", "warehouse", "supplier")
    list_filter = (
        StatusFilter,
        "supplier",
        "warehouse",
        RunsOutFilter,
        DemandClassFilter,
        ("sku", AutocompleteSelectFilter),
    )
    search_fields = ("sku__code", "sku__name", "supplier__name")
    search_help_text = _("SKU or supplier")
    ordering = ("need_by", "pk")
    actions = ("accept_selected", "dismiss_selected", "merge_selected")
    action_form = NoteForm
    list_before_template = "admin/house/proposal_board_bar.html"
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("Nothing to buy: run the plan, or look at earlier proposals with the status filter.")

    class Media:
        css: ClassVar = {"all": ("house/board.css",)}
        js = ("house/board.js",)

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
        "stockout_on",
        "expected_shortage",
        "need_by",
        "created_at",
        "decided_at",
        "decision_note",
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("run-plan/", view(run_plan_view), name="procurement_run_plan"),
            path("board/", view(decide_view), name="procurement_proposal_board"),
            path("<int:proposal_id>/why/", view(why_view), name="procurement_proposal_why"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """What a heading or the filter says of all rows has no column."""
        said = {"place", "supplier"} if kind_of(request) == "supplier" else set()
        said |= set() if request.GET.get("state") else {"shown_status"}
        return [name for name in super().get_list_display(request) if name not in said]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoardList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_groups(super().get_queryset(request)).defer("explanation", "warnings", "snapshot")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.may_decide = self.has_decide_permission(request)
        context = {**plan_context(request), "may_decide": self.may_decide, "title": gettext("Proposals board")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.action(description=_("Accept selected, with the quantities shown"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._do(request, accept, queryset)

    @admin.action(description=_("Dismiss selected"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._do(request, dismiss, queryset)

    @admin.action(description=_("Merge selected: one day, one line a SKU"), permissions=["decide"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._do(request, merge, queryset)

    @staticmethod
    def _do(request: HttpRequest, verb: Callable[[HttpRequest, list[int]], Any], queryset: QuerySet) -> None:
        try:
            said = verb(request, sorted(queryset.values_list("pk", flat=True)))
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, said)

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

    @display(description=_("value"), ordering=AMOUNT)
    def amount(self, proposal: Proposal) -> str:
        return f"{money(proposal.quantity * proposal.unit_cost):,} {proposal.currency}"

    @display(description=_("position / ROP"), ordering="inventory_position")
    def picture(self, proposal: Proposal) -> SafeString:
        return level_bar(
            float(proposal.inventory_position), float(proposal.reorder_point), float(proposal.order_up_to_level)
        )

    @display(description=_("runs out"), ordering="stockout_on")
    def runs_out(self, proposal: Proposal) -> str:
        """Red where that is before the order can arrive, and below how long it lasts with the order; pointed at, the
        units that would be short."""
        cover = "" if proposal.days_of_cover is None else gettext("%s days with it") % f"{proposal.days_of_cover:.0f}"
        if proposal.stockout_on is None:
            return format_html('–<br><small class="h-soft">{}</small>', cover)
        css = "h-bad" if proposal.stockout_on <= proposal.need_by else ""
        words = gettext("%s units short until the next order, without this one") % f"{proposal.expected_shortage:,.1f}"
        return format_html(
            '<span class="{}" title="{}">{}</span><br><small class="h-soft">{}</small>',
            css,
            words,
            proposal.stockout_on.isoformat(),
            cover,
        )

    @display(description=_("why"))
    def why(self, proposal: Proposal) -> str:
        return format_html(
            '<a class="h-button small" href="{}" data-explain aria-expanded="false" aria-controls="why-{}">{}</a>',
            reverse("admin:procurement_proposal_change", args=[proposal.pk]),
            proposal.pk,
            gettext("Why"),
        )

    @display(description=_("status"), label=STATUS_LABELS)
    def shown_status(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.status, proposal.get_status_display()
