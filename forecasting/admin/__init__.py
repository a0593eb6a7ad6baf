"""Demand, runs and forecasts: read-only tables, and the charts on the pages of forecasts and SKUs."""

from forecasting.admin.forecast_page import forecast_panel, proposal_demand_panel
from forecasting.admin.sku_page import sku_forecasts_panel
from forecasting.admin.tables import DemandHistoryAdmin, ForecastAdmin, ForecastRunAdmin

__all__ = [
    "DemandHistoryAdmin",
    "ForecastAdmin",
    "ForecastRunAdmin",
    "forecast_panel",
    "proposal_demand_panel",
    "sku_forecasts_panel",
]
