"""The page of a forecast: its fan, why this method was chosen, and how every candidate did."""

from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.admin import panel, render_panel
from forecasting.admin.chart import fan_of
from forecasting.models import Forecast
from forecasting.words import method_meaning, method_name

_NOT_CANDIDATES = frozenset({"runner_up", "folds", "outliers_capped", "censored_days", "notes"})
MEASURES = ("pinball", "rmsse", "wape", "bias", "coverage")


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
    scores = forecast.scores if isinstance(forecast.scores, dict) else {}
    context = {
        "forecast": forecast,
        "chart": fan_of(forecast.sku_id, forecast.warehouse_id, forecast, until=forecast.run.as_of, title=title),
        "candidates": candidates_of(forecast),
        "folds": scores.get("folds"),
        "notes": scores.get("notes") or [],
        "protection": [
            (f"{100 * level:g} %", units)
            for level, units in zip(forecast.run.quantile_levels, forecast.protection_quantiles, strict=False)
        ],
    }
    return render_panel("admin/house/forecast.html", request, context)


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
    chart = fan_of(proposal.sku_id, proposal.warehouse_id, forecast, until=proposal.run.as_of, title=title)
    return render_panel("admin/house/proposal_demand.html", request, {"forecast": forecast, "chart": chart})
