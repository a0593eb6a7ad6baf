"""The accuracy dashboard: how good the forecasts were, by segment, lag and week, and where to look next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Category
from config.kernel.charts import Figure, Line, line_chart
from forecasting.admin.coverage import coverage_of_weeks
from forecasting.models import ForecastAccuracy, ForecastDrift
from forecasting.selectors.accuracy import GroupAccuracy, accuracy, segment_name
from forecasting.selectors.value_added import value_added
from forecasting.services.accuracy import accuracy_so_far
from forecasting.services.drift import queue_refit
from forecasting.words import method_name
from warehouses.models import Warehouse

VIEW, REFIT = "forecasting.view_forecastaccuracy", "forecasting.refit_forecast"
SPANS = (4, 8, 13, 26)
LAGS = (1, 2, 4, 8)
_DRIFTS, _ROWS = 12, 40
_CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "none", "")


@dataclass(frozen=True, slots=True)
class Question:
    """What the page is asked: so many weeks up to the newest, one lag, and by what the table groups."""

    weeks: int
    lag: int
    by: str
    newest: date

    @property
    def since(self) -> date:
        return self.newest - timedelta(weeks=self.weeks - 1)

    def query(self, **changed: Any) -> str:
        return "?" + urlencode({"weeks": self.weeks, "lag": self.lag, "by": self.by, **changed})


def groups() -> Mapping[str, str]:
    return {
        "category": _("Category"),
        "warehouse": _("Warehouse"),
        "method": _("Method"),
        "planner": _("Planner"),
    }


def accuracy_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    rows = ForecastAccuracy.objects.for_actor(request.user)
    newest = rows.aggregate(week=Max("week"))["week"]
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("Forecast accuracy"), "question": None}
    if newest is not None:
        context |= _figures(request, rows, newest)
    drifts = _drifts(request)
    may_refit = request.user.has_perm(REFIT) and any(drift.refit_id is None for drift in drifts)
    context |= {"drifts": drifts, "may_refit": may_refit}
    return TemplateResponse(request, "admin/house/accuracy.html", context)


def refit_view(request: HttpRequest) -> HttpResponse:
    """Have the chosen drifted forecasts learnt anew, and lead to the job."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(REFIT):
        raise PermissionDenied
    numbers = [int(text) for text in request.POST.getlist("drift") if text.isdecimal() and len(text) < 19]
    return refit(request, ForecastDrift.objects.for_actor(request.user).filter(pk__in=numbers))


def refit(request: HttpRequest, drifts: QuerySet[ForecastDrift]) -> HttpResponse:
    pairs = set(drifts.exclude(state=ForecastDrift.State.CLOSED).values_list("sku_id", "warehouse_id"))
    job = queue_refit(pairs, now=timezone.now())
    if job is not None:
        messages.success(request, _("They are learnt anew; this page follows the plan."))
        return HttpResponseRedirect(reverse("admin:kernel_job_change", args=[job.pk]))
    if pairs:
        messages.warning(
            request, _("A plan that learns anew was queued today already; what is left waits for tomorrow.")
        )
    else:
        messages.warning(request, _("Choose at least one drift that is open."))
    return HttpResponseRedirect(reverse("admin:forecasting_accuracy"))


def _figures(request: HttpRequest, rows: QuerySet[ForecastAccuracy], newest: date) -> dict[str, Any]:
    question = _question(request, newest)
    rows = rows.filter(week__gte=question.since)
    whole = next(iter(accuracy("all", lag=question.lag, rows=rows)), None)
    added = next(iter(value_added("all", lag=question.lag, rows=rows)), None)
    segments = _segments(rows)
    return {
        "question": question,
        "currency": settings.COMPANY_CURRENCY,
        "spans": [(weeks, question.query(weeks=weeks)) for weeks in SPANS],
        "lags": [(lag, question.query(lag=lag)) for lag in LAGS],
        "groups": [(code, words, question.query(by=code) + "#table") for code, words in groups().items()],
        "group_name": groups()[question.by],
        "whole": whole,
        "added": added,
        "coverage": coverage_of_weeks(newest, weeks=min(question.weeks, 4), lag=question.lag),
        "heat": segments,
        "heat_lags": LAGS,
        "chart": _chart(accuracy("week", lag=question.lag, rows=rows)),
        "table": _table(accuracy(question.by, lag=question.lag, rows=rows), question),
        "so_far": accuracy_so_far(today=timezone.localdate()),
        "rows_url": f"{reverse('admin:forecasting_forecastaccuracy_changelist')}"
        f"?week__gte={question.since}&lag_weeks__exact={question.lag}",
    }


def _question(request: HttpRequest, newest: date) -> Question:
    def chosen(name: str, allowed: Sequence[int], default: int) -> int:
        text = request.GET.get(name, "")
        return int(text) if text.isdecimal() and text.isascii() and int(text) in allowed else default

    by = request.GET.get("by", "")
    return Question(chosen("weeks", SPANS, 8), chosen("lag", LAGS, 1), by if by in groups() else "category", newest)


def _segments(rows: QuerySet[ForecastAccuracy]) -> list[dict[str, Any]]:
    """One line a demand class × ABC, one cell a lag: WAPE, and how warm it is (0 best … 4)."""
    found: dict[tuple[str, str], dict[int, GroupAccuracy]] = {}
    for lag in LAGS:
        for line in accuracy("segment", lag=lag, rows=rows):
            found.setdefault((line.group["demand_class"], line.group["value_class"]), {})[lag] = line
    workbench = reverse("admin:forecasting_forecast_changelist")
    lines = []
    for demand_class, value_class in sorted(found, key=lambda key: (_CLASSES.index(key[0]), key[1])):
        query = {"demand_class": demand_class, "value_class__exact": value_class}
        cells = [_cell(found[demand_class, value_class].get(lag)) for lag in LAGS]
        lines.append(
            {
                "name": segment_name(demand_class, value_class) or "–",
                "link": f"{workbench}?{urlencode({name: value for name, value in query.items() if value})}",
                "cells": cells,
            }
        )
    return lines


def _cell(line: GroupAccuracy | None) -> dict[str, Any]:
    wape = line.final.wape if line else None
    warmth = "" if wape is None else sum(wape > bound for bound in (0.2, 0.35, 0.5, 0.75))
    return {"wape": wape, "warmth": warmth, "weeks": line.weeks if line else 0}


def _chart(lines: Sequence[GroupAccuracy]) -> Figure:
    series = [
        Line(_("Naive"), [line.naive.wape for line in lines], "h-second"),
        Line(_("Model"), [line.model.wape for line in lines], "h-average"),
    ]
    if any(line.final != line.model for line in lines):
        series.append(Line(_("With overrides"), [line.final.wape for line in lines], "h-median"))
    weeks = [line.group["week"] for line in lines]
    return line_chart(weeks, series, title=_("WAPE by week"), say=lambda value: f"{value:.0%}")


def _table(lines: Sequence[GroupAccuracy], question: Question) -> list[dict[str, Any]]:
    """The groups with the most demand, each with the way to its rows in the workbench."""
    workbench = reverse("admin:forecasting_forecast_changelist")
    by = question.by
    named = {
        "category": lambda: dict(Category.objects.values_list("code", "name")),
        "warehouse": lambda: dict(Warehouse.objects.values_list("code", "name")),
    }.get(by, dict)()
    places = dict(Warehouse.objects.values_list("code", "pk")) if by == "warehouse" else {}
    out = []
    for line in sorted(lines, key=lambda line: -line.demand)[:_ROWS]:
        code = line.group[by] or ""
        link = {
            "category": f"{workbench}?{urlencode({'category': code})}",
            "warehouse": f"{workbench}?warehouse__id__exact={places.get(code, '')}",
            "method": f"{workbench}?{urlencode({'method': code})}",
            "planner": f"{reverse('admin:forecasting_forecastoverride_changelist')}?{urlencode({'q': code})}",
        }[by]
        words = method_name(code) if by == "method" else named.get(code, code)
        out.append({"name": words or _("None"), "link": link, "line": line})
    return out


def _drifts(request: HttpRequest) -> list[ForecastDrift]:
    rows = ForecastDrift.objects.for_actor(request.user).exclude(state=ForecastDrift.State.CLOSED)
    return list(rows.select_related("sku", "warehouse", "refit").order_by("state", "-measure", "pk")[:_DRIFTS])
