"""The page of a forecast: its fan, why this method was chosen, how every candidate did, and what people added."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.admin import panel, render_panel
from forecasting.admin.backtests import fold_charts, folds_of
from forecasting.admin.bulk_override import blank_question
from forecasting.admin.chart import AHEAD_DAYS, family_of, outlook_of
from forecasting.admin.reasons import reason_words, runner_up_of
from forecasting.models import ChannelForecast, Forecast, ForecastDrift, ForecastOverride, HistoryCorrection
from forecasting.selectors.adjusted import adjusted_days, with_protection
from forecasting.selectors.consumption import consumption
from forecasting.words import method_meaning, method_name

_NOT_CANDIDATES = frozenset({"runner_up", "folds", "outliers_capped", "censored_days", "notes", "reason_numbers"})
MEASURES = ("pinball", "rmsse", "wape", "bias", "coverage")
_COUNTED_NOTES = ("in stock", "bulk sales capped")
_CORRECTIONS = 20
_CONSUMED_WEEKS = 4


def candidates_of(forecast: Forecast) -> list[dict[str, Any]]:
    """One row per method tried on held-out windows, the best pinball loss first."""
    scores = forecast.scores if isinstance(forecast.scores, dict) else {}
    tried = scores.get("candidates")
    if not isinstance(tried, dict):
        tried = {k: v for k, v in scores.items() if isinstance(v, dict) and k not in _NOT_CANDIDATES}
    rows = [
        {
            "method": name,
            "name": method_name(name),
            "meaning": method_meaning(name),
            "is_chosen": name == forecast.method,
            "is_runner_up": name == scores.get("runner_up"),
            **{m: score.get(m) for m in MEASURES},
        }
        for name, score in tried.items()
    ]
    return sorted(rows, key=lambda row: (row["pinball"] is None, row["pinball"] or 0.0, row["method"]))


@panel("forecasting.forecast", order=10)
def forecast_panel(request: HttpRequest, forecast: Forecast) -> SafeString:
    title = _("Demand and forecast of %(sku)s in %(warehouse)s") % {
        "sku": forecast.sku.code,
        "warehouse": forecast.warehouse.name,
    }
    outlook = outlook_of(
        forecast.sku, forecast.warehouse, forecast, until=forecast.run.as_of, title=title, is_live=True
    )
    final = with_protection(forecast, forecast.mean, outlook.effect)
    context = {
        "forecast": forecast,
        "reason": reason_words(forecast),
        "runner_up": runner_up_of(forecast),
        "outlook": outlook,
        "final": final,
        "is_overridden": bool(outlook.effect),
        "ahead_days": AHEAD_DAYS,
        "ahead": sum(adjusted_days(forecast.mean[:AHEAD_DAYS], outlook.effect)),
        **_cleaning(forecast),
        "protection": [
            (f"{100 * level:g} %", units)
            for level, units in zip(forecast.run.quantile_levels, final.protection_quantiles, strict=False)
        ],
        "channels": _channels(forecast),
        "drifts": ForecastDrift.objects.filter(sku_id=forecast.sku_id, warehouse_id=forecast.warehouse_id).exclude(
            state=ForecastDrift.State.CLOSED
        ),
        "consumed": consumption(forecast, today=timezone.localdate(), weeks=_CONSUMED_WEEKS),
        "may_refit": request.user.has_perm("forecasting.refit_forecast"),
    }
    return render_panel("admin/house/forecast.html", request, context)


def _cleaning(forecast: Forecast) -> dict[str, Any]:
    """What was done to the history, in numbers; the engine's other notes as it wrote them."""
    scores = forecast.scores if isinstance(forecast.scores, dict) else {}
    notes = [note for note in scores.get("notes") or [] if not any(words in note for words in _COUNTED_NOTES)]
    return {"notes": notes, "dry": scores.get("censored_days") or 0, "capped": scores.get("outliers_capped") or 0}


def _channels(forecast: Forecast) -> list[ChannelForecast]:
    """The parts of the channels, the largest first."""
    rows = ChannelForecast.objects.filter(
        run_id=forecast.run_id, sku_id=forecast.sku_id, warehouse_id=forecast.warehouse_id
    )
    return list(rows.select_related("channel").defer("mean", "quantiles").order_by("-share", "pk"))


@panel("forecasting.forecast", order=20)
def methods_panel(request: HttpRequest, forecast: Forecast) -> SafeString:
    """Every candidate side by side, and the chosen one's held-out windows."""
    folds = folds_of(forecast)
    context = {
        "forecast": forecast,
        "candidates": candidates_of(forecast),
        "folds": folds,
        "hits": sum(fold.is_within for fold in folds),
        "charts": fold_charts(folds),
    }
    return render_panel("admin/house/forecast_methods.html", request, context)


@panel("forecasting.forecast", order=30)
def people_panel(request: HttpRequest, forecast: Forecast) -> SafeString:
    """Overrides that touch it, with a small form, and the days that are read otherwise than they were sold."""
    return render_panel("admin/house/forecast_people.html", request, people_context(request, forecast))


def people_context(request: HttpRequest, forecast: Forecast) -> dict[str, Any]:
    today, user = timezone.localdate(), request.user
    rows = ForecastOverride.objects.select_related("author", "sku", "category", "warehouse", "channel")
    mine = rows.filter(sku_id=forecast.sku_id) | rows.filter(category__in=family_of(forecast.sku.product.category_id))
    mine = mine.filter(warehouse=None) | mine.filter(warehouse_id=forecast.warehouse_id)
    corrections = HistoryCorrection.objects.filter(sku_id=forecast.sku_id, warehouse_id=forecast.warehouse_id)
    return {
        "forecast": forecast,
        "overrides": [(row, row.withdrawn_at is None and row.expires_on > today) for row in mine.order_by("-pk")[:20]],
        "kinds": ForecastOverride.Kind.choices,
        "asked": blank_question(),
        "may_override": user.has_perm("forecasting.add_forecastoverride"),
        "may_withdraw": user.has_perm("forecasting.withdraw_forecastoverride"),
        "may_decide": user.has_perm("forecasting.decide_historycorrection"),
        "override_url": reverse("admin:forecasting_forecast_override"),
        "corrections": corrections.select_related("decided_by")[:_CORRECTIONS],
    }


@panel("procurement.proposal", order=20, permission="forecasting.view_forecast")
def proposal_demand_panel(request: HttpRequest, proposal: Any) -> SafeString:
    """What a proposal was made from; only its run, SKU and warehouse are read, for the row stands to our right."""
    forecast = (
        Forecast.objects.filter(run_id=proposal.run_id, sku_id=proposal.sku_id, warehouse_id=proposal.warehouse_id)
        .select_related("run")
        .first()
    )
    title = _("Demand and forecast of %(sku)s in %(warehouse)s") % {
        "sku": proposal.sku.code,
        "warehouse": proposal.warehouse.name,
    }
    outlook = outlook_of(proposal.sku, proposal.warehouse, forecast, until=proposal.run.as_of, title=title)
    context = {"forecast": forecast, "chart": outlook.figure, "reason": reason_words(forecast) if forecast else ""}
    return render_panel("admin/house/proposal_demand.html", request, context)
