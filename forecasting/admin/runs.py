"""Runs, their chunks and the rules they follow."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import HouseAdmin, ReadOnlyAdmin, panel, render_panel
from forecasting.admin.workbench import HINT
from forecasting.models import ForecastChunk, ForecastRules, ForecastRun
from forecasting.words import method_name

_STATES = {"waiting": "default", "running": "info", "done": "success", "failed": "danger"}


@admin.register(ForecastRun)
class ForecastRunAdmin(ReadOnlyAdmin):
    list_display = ("as_of", "series_count", "mode", "learning", "horizon_days", "is_complete", "job", "created_at")
    list_select_related = ("job", "learnt_in")
    list_filter = ("is_complete", "mode", "created_at")
    search_fields = ("input_fingerprint",)
    search_help_text = _("Fingerprint of the input")
    ordering = ("-pk",)
    empty_hint = HINT
    export_fields = (
        "pk",
        "as_of",
        "mode",
        "learnt_in_id",
        "series_count",
        "horizon_days",
        "is_complete",
        "input_fingerprint",
        "created_at",
    )

    @display(description=_("learning"))
    def learning(self, run: ForecastRun) -> Any:
        return _("anew") if run.learnt_in is None else format_html("{} {}", _("of run"), run.learnt_in_id)


@panel("forecasting.forecastrun", order=10)
def run_panel(request: HttpRequest, run: ForecastRun) -> SafeString:
    """How far its chunks are, what the methods won, and what was held out."""
    chunks = list(run.chunks.defer("pairs", "history").order_by("number"))
    methods = run.summary.get("methods") or {}
    context = {
        "run": run,
        "chunks": chunks,
        "done": sum(chunk.state == ForecastChunk.State.DONE for chunk in chunks),
        "methods": [(code, method_name(code), count) for code, count in methods.items()],
        "backtest": run.backtest,
    }
    return render_panel("admin/house/forecast_run.html", request, context)


@admin.register(ForecastChunk)
class ForecastChunkAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "shown_state", "series", "attempts", "worker", "heartbeat_at", "finished_at", "seconds")
    list_select_related = ("run",)
    list_filter = ("state", "run")
    search_fields = ("worker",)
    search_help_text = _("Worker")
    ordering = ("-run", "number")
    empty_hint = _("A plan cuts its series into chunks, which the workers share.")
    export_fields = ("run_id", "number", "state", "series", "attempts", "worker", "finished_at", "seconds", "error")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("pairs", "history")

    @display(description=_("state"), ordering="state", label=_STATES)
    def shown_state(self, chunk: ForecastChunk) -> tuple[str, str]:
        return chunk.state, chunk.get_state_display()


@admin.register(ForecastRules)
class ForecastRulesAdmin(HouseAdmin):
    """The one row."""

    list_display = ("__str__", "mode", "hierarchy", "holiday_country", "pay_day", "uses_signals", "drift_threshold")
    empty_hint = _("The rules come with the installation.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
