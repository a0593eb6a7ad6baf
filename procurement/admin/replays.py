"""The replays of policies: today's beside the challenger's, each figure with its interval, and the trade-off curve."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.jobs import STATE_LABELS, job_panel
from config.kernel.charts import Figure, Point, curve_chart
from config.kernel.models import Job
from procurement.admin.policies import new_replay_view
from procurement.models import Policy, PolicyReplay
from procurement.services.policies import apply_policy_changes
from procurement.services.replay_sums import FIGURES

CHANGE = "procurement.change_policy"
# Figure → its name, its unit (%, money or a count) and whether more of it is better.
NAMES: dict[str, tuple[Any, str, bool]] = {
    "fill_rate": (_("Fill rate, units"), "%", True),
    "fill_rate_value": (_("Fill rate, value"), "%", True),
    "cycle_service": (_("Cycles without a stock-out"), "%", True),
    "stock_value": (_("Stock value on an average day"), "money", False),
    "orders": (_("Orders"), "count", False),
    "stockout_days": (_("Days short × SKUs"), "count", False),
    "wasted_value": (_("Waste, at cost"), "money", False),
    "cost_holding": (_("Holding cost"), "money", False),
    "cost_ordering": (_("Ordering cost"), "money", False),
    "cost_stockout": (_("Cost of units short"), "money", False),
    "cost_total": (_("Cost in all"), "money", False),
}
_IN_SEGMENTS = ("fill_rate", "stock_value", "cost_total")


def _apply(request: HttpRequest, replay: PolicyReplay) -> str:
    if replay.policy is None:
        return gettext("There is no policy to change.")
    change = apply_policy_changes(replay.policy, replay.changes, actor=request.user, now=timezone.now())
    told = {"count": change.item_count, "name": change.policy_name}
    return gettext("“%(name)s” was changed; it holds for %(count)d SKUs and warehouses. The next plan uses it.") % told


@admin.register(PolicyReplay)
class PolicyReplayAdmin(ReadOnlyAdmin):
    list_display = ("name", "policy", "shown_changes", "days", "shown_state", "created_by", "created_at")
    list_select_related = ("policy", "job", "created_by")
    list_filter = ("policy", "created_by")
    search_fields = ("name", "policy__name")
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/replay_bar.html"
    empty_hint = _("Open a policy and press “Replay before you change”.")
    export_fields = ("name", "policy__name", "changes", "days", "scenarios", "created_at", "result")
    page_actions = (
        PageAction(
            "apply",
            _("Apply the changes"),
            CHANGE,
            _apply,
            style="primary",
            confirm=_("Change the policy as replayed? The next plan uses it."),
            is_offered=lambda replay: bool(replay.result and replay.policy_id and replay.changes),
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        form = self.admin_site.admin_view(new_replay_view)
        return [path("new/", form, name="procurement_policyreplay_new"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("policy", "job")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("procurement.delete_policyreplay")

    @display(description=_("changes"))
    def shown_changes(self, replay: PolicyReplay) -> str:
        return "; ".join(f"{name}: {value}" for name, value in changes_in_words(replay.changes)) or "–"

    @display(description=_("state"), label=STATE_LABELS)
    def shown_state(self, replay: PolicyReplay) -> tuple[str, str]:
        return (replay.job.state, replay.job.get_state_display()) if replay.job else ("", "–")


def changes_in_words(changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Fields by their names, choices by theirs."""
    told = []
    for name, value in changes.items():
        field: Any = Policy._meta.get_field(name)
        words = dict(field.flatchoices).get(value, value)
        told.append((str(field.verbose_name), "–" if words is None else str(words)))
    return told


@panel("procurement.policyreplay", order=10)
def replay_job_panel(request: HttpRequest, replay: PolicyReplay) -> SafeString | None:
    job = replay.job
    if job is None or (job.state not in Job.OPEN and job.state == Job.State.DONE and replay.result):
        return None
    return job_panel(request, job)


@panel("procurement.policyreplay", order=20)
def replay_panel(request: HttpRequest, replay: PolicyReplay) -> SafeString:
    result = replay.result or {}
    context = {
        "replay": replay,
        "result": result,
        "changes": _changes(replay),
        "figures": _rows(result.get("figures"), result.get("currency", "")),
        "segments": [_segment(row, result["currency"]) for row in result.get("segments", [])],
        "search": _rows(result["search"]["figures"], result["currency"]) if "search" in result else [],
        "figure": _figure(result) if result.get("curve") else None,
        "sku_url": reverse("admin:forecasting_forecast_changelist"),
    }
    return render_panel("admin/house/replay.html", request, context)


def _changes(replay: PolicyReplay) -> list[dict[str, str]]:
    """Before and after, in words."""
    before = (replay.result or {}).get("policies", {}).get("today", {})
    was = dict(changes_in_words({name: before.get(name) for name in replay.changes}))
    return [
        {"name": name, "before": was.get(name, "–"), "after": value} for name, value in changes_in_words(replay.changes)
    ]


def _rows(figures: Mapping[str, Any] | None, currency: str) -> list[dict[str, Any]]:
    return [row for name in FIGURES if figures and name in figures and (row := _row(name, figures[name], currency))]


def _row(name: str, found: Mapping[str, list[float | None]], currency: str) -> dict[str, Any]:
    words, unit, more_is_better = NAMES[name]
    low, high = found["difference"][1], found["difference"][2]
    sure = low is not None and high is not None and (low > 0 or high < 0)
    return {
        "name": words,
        "unit": currency if unit == "money" else "",
        **{part: _told(found[part], unit) for part in ("today", "challenger")},
        "difference": _told(found["difference"], unit, signed=True),
        "verdict": ("good" if ((low or 0.0) > 0) == more_is_better else "bad") if sure else "",
    }


def _told(estimate: list[float | None], unit: str, *, signed: bool = False) -> dict[str, str]:
    value, low, high = (_number(part, unit, signed=signed) for part in estimate)
    return {"value": value, "low": low, "high": high}


def _number(value: float | None, unit: str, *, signed: bool) -> str:
    if value is None:
        return "–"
    sign = "+" if signed and value > 0 else ""
    if unit == "%":
        points = gettext("%s points") if signed else "%s %%"
        return points % f"{sign}{number_format(100 * value, 2)}"
    return sign + number_format(value, 0 if unit == "money" else 1, force_grouping=True)


def _segment(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    cells = [_row(name, row["figures"][name], currency) for name in _IN_SEGMENTS]
    return {"name": row["segment"], "series": row["series"], "cells": cells}


def _figure(result: Mapping[str, Any]) -> Figure:
    def point(name: Any, of: str, css: str) -> Point:
        fill, stock = result["figures"]["fill_rate"][of], result["figures"]["stock_value"][of]
        return Point(stock[0] or 0.0, fill[0] or 0.0, name, css, fill[1], fill[2])

    curve = [
        Point(row["stock_value"], row["fill_rate"], gettext("Target %s") % f"{100 * row['target']:g} %")
        for row in result["curve"]
        if row["fill_rate"] is not None
    ]
    return curve_chart(
        sorted(curve, key=lambda one: one.x),
        [point(gettext("Today"), "today", "h-average"), point(gettext("Challenger"), "challenger", "h-median")],
        title=gettext("Stock value against fill rate"),
        x_name=gettext("Stock value, %s") % result["currency"],
        y_name=gettext("Fill rate"),
        curve_name=gettext("The challenger at targets from 90 to 99 %"),
    )
