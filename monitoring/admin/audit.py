"""Who changed what: the audit trail as a list, and the history on the page of every row that is audited."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.big import EstimatePaginator
from config.kernel.audit import Kind
from monitoring.models import AuditEvent
from monitoring.models.audit import EVENT_MODELS, PEOPLE, table_name
from monitoring.selectors.audit import changes_of, history_of

KIND_LABELS = {
    Kind.SNAPSHOT: "info",
    Kind.INSERT: "success",
    Kind.UPDATE: "warning",
    Kind.DELETE: "danger",
    Kind.PASSWORD: "warning",
}
SHOWN = 20
_TOLD_IN_LIST = 4


class TableFilter(admin.SimpleListFilter):
    title, parameter_name = _("table"), "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        hidden = () if getattr(request.user, "is_superuser", False) else PEOPLE
        named = [(label, table_name(label)) for label in EVENT_MODELS if label not in hidden]
        return sorted(named, key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(table=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    """People of the company are few; what nobody signed for came past the application."""

    title, parameter_name = _("who"), "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        people = User.objects.filter(is_staff=True).order_by("username").values_list("pk", "username")[:200]
        return [("none", _("No user (command, database)")), *((str(pk), name) for pk, name in people)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value() or ""
        if chosen == "none":
            return queryset.filter(actor=None)
        return queryset.filter(actor_id=int(chosen)) if chosen.isdigit() and len(chosen) < 19 else queryset


class TrailPaginator(EstimatePaginator):
    def _estimate(self, rows: QuerySet) -> int:
        if rows.query.where:
            return super()._estimate(rows)
        tables = [event._meta.db_table for event in EVENT_MODELS.values()]
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(reltuples)::bigint FROM pg_class WHERE relname = ANY(%s)", [tables])
            return int(cursor.fetchone()[0] or 0)


@admin.register(AuditEvent)
class AuditEventAdmin(BigTableAdmin):
    list_display = (
        "happened_at",
        "shown_table",
        "shown_row",
        "shown_kind",
        "changed",
        "by",
        "database_user",
        "program",
    )
    list_select_related = ("actor",)
    list_filter = (TableFilter, "kind", ActorFilter, ("happened_at", RangeDateTimeFilter))
    search_fields = ("row_id",)
    search_help_text = _("Number of the row, or the name of a user")
    change_form_template = DOCUMENT_TEMPLATE
    paginator = TrailPaginator
    empty_hint = _("Every change of a SKU, supplier, place, price or policy appears here, whoever made it and how.")
    export_fields = (
        "id",
        "happened_at",
        "table",
        "row_id",
        "kind",
        "actor__username",
        "database_user",
        "program",
        "data",
    )

    def find(self, term: str) -> Q:
        if term.isascii() and term.isdigit() and len(term) < 19:
            return Q(row_id=int(term))
        return Q(actor_id__in=list(User.objects.filter(username__iexact=term).values_list("pk", flat=True)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "row_id" or bool(super().lookup_allowed(lookup, value, request))  # type: ignore[arg-type]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What changed is read once for the whole page."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        changes = changes_of([event for event in page.result_list if event.kind == Kind.UPDATE])
        for event in page.result_list:
            event.changes = changes.get(event.pk, [])
        return page

    @display(description=_("what changed"))
    def changed(self, event: AuditEvent) -> str:
        changes = getattr(event, "changes", [])
        parts = [f"{change.name}: {change.before or '–'} → {change.after or '–'}" for change in changes[:_TOLD_IN_LIST]]
        return "; ".join(parts) + (" …" if len(changes) > _TOLD_IN_LIST else "")

    @display(description=_("table"))
    def shown_table(self, event: AuditEvent) -> str:
        return table_name(event.table)

    @display(description=_("row"))
    def shown_row(self, event: AuditEvent) -> Any:
        url = row_url(event)
        return format_html('<a href="{}">{}</a>', url, event.name) if url else event.name

    @display(description=_("kind"), label=KIND_LABELS)
    def shown_kind(self, event: AuditEvent) -> tuple[str, str]:
        return event.kind, event.get_kind_display()

    @display(description=_("who"))
    def by(self, event: AuditEvent) -> str:
        return event.actor.get_username() if event.actor else "–"


def row_url(event: AuditEvent) -> str | None:
    """The page of the row, where the admin has one and the row is still there to be found."""
    label = "auth.user" if event.table == "auth.user_groups" else event.table
    if event.kind == Kind.DELETE and label == event.table:
        return None
    try:
        return reverse(f"admin:{label.replace('.', '_')}_change", args=[event.row_id])
    except NoReverseMatch:
        return None


@panel("monitoring.auditevent", order=10)
def event_panel(request: HttpRequest, event: AuditEvent) -> SafeString:
    context = {"entry": _entries([event])[0], "table": table_name(event.table), "url": row_url(event)}
    return render_panel("admin/house/audit_event.html", request, context)


def _entries(events: list[AuditEvent]) -> list[dict[str, Any]]:
    changes = changes_of(events)
    return [{"event": event, "changes": changes[event.pk]} for event in events]


def history_panel(request: HttpRequest, row: Any) -> SafeString | None:
    label = row._meta.label_lower
    events = list(history_of(label, row.pk, actor=request.user)[: SHOWN + 1])
    if not events:
        return None
    where = f"?table={label}&row_id={row.pk}"
    context = {
        "entries": _entries(events[:SHOWN]),
        "has_more": len(events) > SHOWN,
        "all_url": reverse("admin:monitoring_auditevent_changelist") + where,
        "export_url": reverse("admin:monitoring_auditevent_export") + where,
    }
    return render_panel("admin/house/history.html", request, context)


for _label in EVENT_MODELS:
    panel(_label, order=900, permission="monitoring.view_auditevent")(history_panel)
