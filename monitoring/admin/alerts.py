"""Alerts: the open ones first, one click to say that somebody looks after it, and the way to the row behind it."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.errors import DomainError
from monitoring.models import Alert
from monitoring.services.alerts import acknowledge_alert

CHANGE = "monitoring.change_alert"
FACT_NAMES = {
    "sku": _("SKU"),
    "name": _("Name"),
    "warehouse": _("Warehouse"),
    "available": _("Available"),
    "days_of_cover": _("Days of cover"),
    "runs_out_on": _("Runs out on"),
    "next_arrival": _("Next delivery"),
    "lead_time_days": _("Lead time (days)"),
    "order": _("Order"),
    "supplier": _("Supplier"),
    "expected_on": _("Expected"),
    "days_late": _("Days late"),
    "units": _("Units"),
    "job": _("Job"),
    "error": _("Error"),
    "location": _("Location"),
    "lot": _("Lot"),
    "on_hand": _("On hand"),
    "ledger_quantity": _("In the ledger"),
    "reserved": _("Reserved"),
    "webhook": _("Webhook"),
    "failures": _("Failures in a row"),
    "reservation_quantity": _("In reservations"),
}
"""What is known by number alone (sku_id …) is not named here: it is shown as it is stored."""


class StateFilter(admin.SimpleListFilter):
    """Open alerts unless resolved ones are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("new", _("Open, not acknowledged")), ("resolved", _("Resolved")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, words in [(None, pgettext_lazy("state", "Open")), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        if self.value() == "resolved":
            return queryset.exclude(resolved_at=None)
        found = queryset.filter(resolved_at=None)
        return found.filter(acknowledged_at=None) if self.value() == "new" else found


def _acknowledge(request: HttpRequest, alert: Alert) -> str:
    acknowledge_alert(alert.pk, actor=request.user, now=timezone.now())
    return gettext("Noted: you look after it.")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("message", "shown_severity", "kind", "opened_at", "looked_after", "go")
    list_select_related = ("acknowledged_by",)
    list_filter = (StateFilter, "kind", "severity", "opened_at")
    search_fields = ("message", "subject")
    ordering = ("resolved_at", "severity", "-opened_at", "-pk")
    actions = ("acknowledge_selected",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("Nothing is wrong. Alerts are evaluated every five minutes.")
    export_fields = (
        "kind",
        "severity",
        "message",
        "opened_at",
        "last_seen_at",
        "resolved_at",
        "acknowledged_by__username",
    )
    page_actions = (
        PageAction(
            "acknowledge",
            _("Acknowledge"),
            CHANGE,
            _acknowledge,
            style="primary",
            is_offered=lambda alert: alert.resolved_at is None and alert.acknowledged_at is None,
        ),
    )

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE)

    @admin.action(description=_("Acknowledge selected"), permissions=["acknowledge"])
    def acknowledge_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        now, count = timezone.now(), 0
        for pk in queryset.filter(resolved_at=None).values_list("pk", flat=True):
            try:
                acknowledge_alert(pk, actor=request.user, now=now)
                count += 1
            except DomainError as error:
                show_error(request, error)
        messages.success(request, ngettext("%d alert was acknowledged.", "%d alerts were acknowledged.", count) % count)

    @display(description=_("severity"), ordering="severity", label={"critical": "danger", "warning": "warning"})
    def shown_severity(self, alert: Alert) -> tuple[str, str]:
        return alert.severity, alert.get_severity_display()

    @display(description=_("looked after by"))
    def looked_after(self, alert: Alert) -> str:
        return str(alert.acknowledged_by) if alert.acknowledged_by else "–"

    @display(description="")
    def go(self, alert: Alert) -> str:
        return (
            format_html('<a class="h-button small" href="{}">{}</a>', alert.link, pgettext("button", "Open"))
            if alert.link
            else ""
        )


@panel("monitoring.alert", order=10)
def alert_panel(request: HttpRequest, alert: Alert) -> SafeString:
    facts = [(str(FACT_NAMES.get(name, name)), value) for name, value in sorted(alert.facts.items())]
    return render_panel("admin/house/alert.html", request, {"alert": alert, "facts": facts})
