"""Demand and forecasts on the page of a SKU, warehouse by warehouse."""

from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.admin import panel, render_panel
from forecasting.admin.chart import outlooks, weekly_chart
from forecasting.admin.reasons import reason_words
from forecasting.models import DemandHistory, Forecast
from forecasting.selectors import latest_run
from warehouses.models import Warehouse


@panel("catalog.sku", order=30, permission="forecasting.view_forecast")
def sku_forecasts_panel(request: HttpRequest, sku: Sku) -> SafeString:
    """The latest forecast of each warehouse; demand alone where none was made."""
    run = latest_run()
    forecasts = {
        forecast.warehouse_id: forecast
        for forecast in Forecast.objects.filter(run=run, sku=sku).select_related("run", "warehouse")
    }
    seen = set(
        DemandHistory.objects.filter(sku=sku).order_by().values_list("warehouse_id", flat=True).distinct()
    ) | set(forecasts)
    yesterday = timezone.localdate() - timedelta(days=1)
    until = run.as_of if run else yesterday
    warehouses = list(Warehouse.objects.filter(pk__in=seen))
    titles = {row.pk: _("Demand and forecast in %(warehouse)s") % {"warehouse": row.name} for row in warehouses}
    found = outlooks(sku, {row.pk: forecasts.get(row.pk) for row in warehouses}, until=until, titles=titles)
    places = [
        {
            "warehouse": row,
            "forecast": forecasts.get(row.pk),
            "outlook": found[row.pk],
            "reason": reason_words(forecasts[row.pk]) if row.pk in forecasts else "",
        }
        for row in warehouses
    ]
    context = {"sku": sku, "places": places, "weekly": weekly_chart(sku.pk, until=until), "run": run}
    return render_panel("admin/house/sku_forecasts.html", request, context)
