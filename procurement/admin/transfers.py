"""Transfer proposals: stock that would do more good in another warehouse, looked through, accepted or dismissed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.reading import typed_quantity
from config.kernel.charts import Figure, StockData, stock_chart
from config.kernel.errors import DomainError
from config.kernel.fields import money, plain
from procurement.admin.advice_filters import OpenAdviceFilter
from procurement.admin.note_form import NoteForm
from procurement.admin.terms import term_rows
from procurement.models import TransferProposal
from procurement.services.rebalancing import accept_transfer_proposals, dismiss_transfer_proposals
from procurement.services.stock_ahead import projected_stock
from warehouses.models import Transfer, Warehouse

DECIDE = "procurement.decide_transferproposal"
LABELS = {"open": "info", "accepted": "success", "dismissed": "warning", "superseded": "default"}


def _accepted(request: HttpRequest, ids: list[int]) -> str:
    typed = {pk: typed_quantity(request.POST.get(f"quantity-{pk}")) for pk in ids}
    quantities = {pk: quantity for pk, quantity in typed.items() if quantity is not None}
    transfers = accept_transfer_proposals(ids, actor=request.user, now=timezone.now(), quantities=quantities)
    words = ngettext("%d transfer was made: %s.", "%d transfers were made: %s.", len(transfers))
    return words % (len(transfers), ", ".join(transfer.number for transfer in transfers))


def _dismissed(request: HttpRequest, ids: list[int]) -> str:
    count = dismiss_transfer_proposals(ids, actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return ngettext("%d proposal was dismissed.", "%d proposals were dismissed.", count) % count


def _is_open(row: TransferProposal) -> bool:
    return row.status == TransferProposal.Status.OPEN


@admin.register(TransferProposal)
class TransferProposalAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code", "way", "shown_quantity", "to_move", "avoided", "shown_cost", "shown_saving", "shown_status",
    )  # fmt: skip
    list_select_related = ("sku", "source", "target")
    list_filter = (OpenAdviceFilter, "source", "target", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    search_help_text = _("SKU")
    ordering = ("-saving", "pk")
    actions = ("accept_selected", "dismiss_selected")
    action_form = NoteForm
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("No stock would do more good elsewhere: every plan looks before anything is bought.")
    page_actions = (
        PageAction("accept", _("Accept"), DECIDE, lambda request, row: _accepted(request, [row.pk]),
                   is_offered=_is_open, in_bar=False),
        PageAction("dismiss", _("Dismiss"), DECIDE, lambda request, row: _dismissed(request, [row.pk]),
                   is_offered=_is_open, in_bar=False),
    )  # fmt: skip
    export_fields = (
        "sku__code", "source__code", "target__code", "status", "quantity", "accepted_quantity", "shortage_avoided",
        "cost", "saving", "transfer_id", "created_at", "decided_at", "decision_note",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("explanation", "warnings")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.may_decide = self.has_decide_permission(request)
        return super().changelist_view(request, extra_context)

    @admin.action(description=_("Accept selected, with the quantities shown"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._do(request, queryset, _accepted)

    @admin.action(description=_("Dismiss selected"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._do(request, queryset, _dismissed)

    @staticmethod
    def _do(request: HttpRequest, queryset: QuerySet, verb: Any) -> None:
        try:
            said = verb(request, sorted(queryset.values_list("pk", flat=True)))
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, said)

    @display(description=_("SKU"), ordering="sku__code", header=True)
    def sku_code(self, row: TransferProposal) -> list[str]:
        return [row.sku.code, row.sku.name]

    @display(description=_("from → to"), ordering="source__code")
    def way(self, row: TransferProposal) -> str:
        return f"{row.source.code} → {row.target.code}"

    @display(description=_("proposed"), ordering="quantity")
    def shown_quantity(self, row: TransferProposal) -> str:
        return plain(row.quantity)

    @display(description=_("to move"))
    def to_move(self, row: TransferProposal) -> str:
        """A box to type another quantity into, for the action “Accept selected”."""
        if not _is_open(row):
            return "–" if row.accepted_quantity is None else plain(row.accepted_quantity)
        return quantity_box(row) if getattr(self, "may_decide", False) else plain(row.quantity)

    @display(description=_("shortage avoided"), ordering="shortage_avoided")
    def avoided(self, row: TransferProposal) -> str:
        return f"{row.shortage_avoided:,.1f}"

    @display(description=_("cost of moving"), ordering="cost")
    def shown_cost(self, row: TransferProposal) -> str:
        return f"{money(row.cost):,}"

    @display(description=_("saves"), ordering="saving")
    def shown_saving(self, row: TransferProposal) -> str:
        return f"{money(row.saving):,}"

    @display(description=_("status"), label=LABELS)
    def shown_status(self, row: TransferProposal) -> tuple[str, str]:
        return row.status, row.get_status_display()


def quantity_box(row: TransferProposal) -> SafeString:
    return format_html(
        '<input class="h-input n" name="quantity-{}" value="{}" inputmode="decimal" aria-label="{}">',
        row.pk,
        plain(row.quantity),
        gettext("Quantity of %(sku)s to move") % {"sku": row.sku.code},
    )


@panel("procurement.transferproposal", order=10)
def transfer_panel(request: HttpRequest, row: TransferProposal) -> SafeString:
    context = {
        "row": row,
        "box": quantity_box(row),
        "may_decide": _is_open(row) and request.user.has_perm(DECIDE),
        "transfer": Transfer.objects.filter(pk=row.transfer_id).first() if row.transfer_id else None,
        "accept_url": reverse("admin:procurement_transferproposal_do", args=[row.pk, "accept"]),
        "dismiss_url": reverse("admin:procurement_transferproposal_do", args=[row.pk, "dismiss"]),
        "figures": [figure for place in (row.source, row.target) if (figure := _stock_figure(row, place))],
    }
    return render_panel("admin/house/transfer_proposal.html", request, context)


def _stock_figure(row: TransferProposal, place: Warehouse) -> Figure | None:
    """Stock of one end as it is likely to run; what would come is drawn as an order that arrives today."""
    today = timezone.localdate()
    order = (row.quantity, today) if _is_open(row) and place.pk == row.target_id else None
    ahead = projected_stock(row.sku_id, place.pk, row.run, today=today, order=order)
    if ahead is None:
        return None
    low, high = (f"{100 * share:g} %" for share in ahead.band)
    data = StockData(
        first=ahead.first,
        without=ahead.without,
        low=ahead.low,
        high=ahead.high,
        with_order=ahead.with_order,
        arrivals=[((one.day - ahead.first).days, one.units, one.name) for one in ahead.arrivals],
        band_name=gettext("Without it, demand between its %(low)s and %(high)s quantiles") % {"low": low, "high": high},
    )
    return stock_chart(data, title=gettext("Projected stock in %(place)s, units") % {"place": place.code})


@panel("procurement.transferproposal", order=30)
def transfer_terms_panel(request: HttpRequest, row: TransferProposal) -> SafeString:
    return render_panel("admin/house/explanation.html", request, {"terms": term_rows(row.explanation), "details": []})
