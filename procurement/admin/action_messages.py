"""Action messages as a table: what should come sooner, later or not at all, accepted or dismissed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.errors import DomainError
from config.kernel.fields import money, plain
from procurement.admin.advice_filters import OpenAdviceFilter
from procurement.admin.note_form import NoteForm
from procurement.admin.terms import term_rows
from procurement.models import ActionMessage
from procurement.services.message_decisions import accept_messages, dismiss_messages

DECIDE = "procurement.decide_actionmessage"
KIND_LABELS = {
    ActionMessage.Kind.EXPEDITE: "danger",
    ActionMessage.Kind.DEFER: "info",
    ActionMessage.Kind.CANCEL: "warning",
}


def _accept(request: HttpRequest, message: ActionMessage) -> str:
    accept_messages([message.pk], actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return gettext("Accepted: the order says so, and the supplier is told.")


def _dismiss(request: HttpRequest, message: ActionMessage) -> str:
    dismiss_messages([message.pk], actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return gettext("Dismissed: the order stays as it is.")


def _is_open(message: ActionMessage) -> bool:
    return message.status == ActionMessage.Status.OPEN


@admin.register(ActionMessage)
class ActionMessageAdmin(ReadOnlyAdmin):
    list_display = ("action", "order", "sku_code", "supplier", "units", "from_date", "to_date", "saved", "status")
    list_select_related = ("line__order__supplier", "line__order__warehouse", "line__sku")
    list_filter = (OpenAdviceFilter, "kind", "line__order__supplier", "line__order__warehouse")
    search_fields = ("line__sku__code", "line__sku__name", "line__order__number", "line__order__supplier__name")
    search_help_text = _("SKU, order or supplier")
    ordering = ("from_date", "pk")
    actions = ("accept_selected", "dismiss_selected")
    action_form = NoteForm
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("No order needs another day. The plan writes messages here when one does.")
    page_actions = (
        PageAction("accept", _("Accept"), DECIDE, _accept, is_offered=_is_open, style="primary"),
        PageAction("dismiss", _("Dismiss"), DECIDE, _dismiss, is_offered=_is_open),
    )
    export_fields = (
        "kind",
        "status",
        "line__order__number",
        "line__line_number",
        "line__order__supplier__code",
        "line__order__warehouse__code",
        "line__sku__code",
        "quantity",
        "from_date",
        "to_date",
        "value",
        "line__order__currency",
        "created_at",
        "decided_at",
        "decision_note",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("explanation")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("Accept selected"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, accept_messages)

    @admin.action(description=_("Dismiss selected"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._decide(request, queryset, dismiss_messages)

    def _decide(self, request: HttpRequest, queryset: QuerySet, decide: Any) -> None:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True))
        try:
            decide(ids, actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
        except DomainError as error:
            show_error(request, error)
            return
        messages.success(request, ngettext("%d message was decided.", "%d messages were decided.", len(ids)) % len(ids))

    @display(description=_("action"), ordering="kind", label=KIND_LABELS)
    def action(self, message: ActionMessage) -> tuple[str, str]:
        return message.kind, message.get_kind_display()

    @display(description=_("purchase order"), ordering="line__order__number")
    def order(self, message: ActionMessage) -> str:
        return str(message.line)

    @display(description=_("SKU"), ordering="line__sku__code", header=True)
    def sku_code(self, message: ActionMessage) -> list[str]:
        return [message.line.sku.code, message.line.sku.name]

    @display(description=_("supplier"), ordering="line__order__supplier__name")
    def supplier(self, message: ActionMessage) -> str:
        return message.line.order.supplier.name

    @display(description=_("units"), ordering="quantity")
    def units(self, message: ActionMessage) -> str:
        return plain(message.quantity)

    @display(description=_("saves"), ordering="value")
    def saved(self, message: ActionMessage) -> str:
        return f"{money(message.value):,} {message.line.order.currency}"


@panel("procurement.actionmessage", order=10)
def message_panel(request: HttpRequest, message: ActionMessage) -> SafeString:
    url = reverse("admin:procurement_purchaseorder_change", args=[message.line.order_id])
    context = {
        "message": message,
        "line": message.line,
        "order_link": format_html('<a href="{}">{}</a>', url, message.line.order.number),
    }
    return render_panel("admin/house/action_message.html", request, context)


@panel("procurement.actionmessage", order=20)
def message_terms_panel(request: HttpRequest, message: ActionMessage) -> SafeString:
    context = {"terms": term_rows(message.explanation), "details": []}
    return render_panel("admin/house/explanation.html", request, context)
