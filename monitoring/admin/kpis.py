"""The figures of every hour, as they were kept."""

from decimal import Decimal

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.fields import money
from monitoring.models import KpiSnapshot


@admin.register(KpiSnapshot)
class KpiSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("taken_at", "stock_value", "fill", "stockouts", "late", "proposals")
    list_filter = ("taken_at",)
    search_fields = ("taken_at",)
    search_help_text = _("Day, e.g. 2026-03-02")
    ordering = ("-taken_at",)
    empty_hint = _("The figures are kept every hour.")

    @display(description=_("stock value"))
    def stock_value(self, snapshot: KpiSnapshot) -> str:
        value = snapshot.figures.get("stock_value")
        return f"{money(Decimal(value)):,}" if value else "–"

    @display(description=_("fill rate"))
    def fill(self, snapshot: KpiSnapshot) -> str:
        rate = snapshot.figures.get("fill_rate")
        return "–" if rate is None else f"{rate:.1%}"

    @display(description=_("stock-outs"))
    def stockouts(self, snapshot: KpiSnapshot) -> str:
        return str(snapshot.figures.get("stockouts", "–"))

    @display(description=_("late orders"))
    def late(self, snapshot: KpiSnapshot) -> str:
        return str(snapshot.figures.get("late_orders", "–"))

    @display(description=_("open proposals"))
    def proposals(self, snapshot: KpiSnapshot) -> str:
        return str(snapshot.figures.get("proposals", "–"))
