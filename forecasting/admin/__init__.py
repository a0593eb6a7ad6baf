"""Forecasts for people: the workbench, the accuracy dashboard, the tables behind them, and charts on others' pages."""

from forecasting.admin.accuracy_tables import ForecastAccuracyAdmin, ForecastDriftAdmin
from forecasting.admin.forecast_page import forecast_panel, methods_panel, people_panel, proposal_demand_panel
from forecasting.admin.groups import AggregateForecastAdmin, ChannelForecastAdmin, group_panel
from forecasting.admin.overrides import ForecastOverrideAdmin
from forecasting.admin.runs import ForecastChunkAdmin, ForecastRulesAdmin, ForecastRunAdmin, run_panel
from forecasting.admin.sku_page import sku_forecasts_panel
from forecasting.admin.tables import (
    DemandHistoryAdmin,
    DemandSignalAdmin,
    HistoryCorrectionAdmin,
    ItemRelationAdmin,
    SignalBatchAdmin,
)
from forecasting.admin.workbench import ForecastAdmin

__all__ = [
    "AggregateForecastAdmin",
    "ChannelForecastAdmin",
    "DemandHistoryAdmin",
    "DemandSignalAdmin",
    "ForecastAccuracyAdmin",
    "ForecastAdmin",
    "ForecastChunkAdmin",
    "ForecastDriftAdmin",
    "ForecastOverrideAdmin",
    "ForecastRulesAdmin",
    "ForecastRunAdmin",
    "HistoryCorrectionAdmin",
    "ItemRelationAdmin",
    "SignalBatchAdmin",
    "forecast_panel",
    "group_panel",
    "methods_panel",
    "people_panel",
    "proposal_demand_panel",
    "run_panel",
    "sku_forecasts_panel",
]
