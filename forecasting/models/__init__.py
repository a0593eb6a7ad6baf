"""The demand that was, the runs that looked ahead, what each of them said, and what people made of it."""

from forecasting.models.audit import (
    ForecastOverrideAudit,
    ForecastRulesAudit,
    ItemRelationAudit,
)
from forecasting.models.forecasts import AggregateForecast, ChannelForecast, Forecast
from forecasting.models.history import DemandHistory, HistoryCorrection
from forecasting.models.people import ForecastAccuracy, ForecastDrift, ForecastOverride
from forecasting.models.rules import ForecastRules, ItemRelation
from forecasting.models.runs import ForecastChunk, ForecastRun, RunLearning
from forecasting.models.signals import DemandSignal, SignalBatch

__all__ = [
    "AggregateForecast",
    "ChannelForecast",
    "DemandHistory",
    "DemandSignal",
    "Forecast",
    "ForecastAccuracy",
    "ForecastChunk",
    "ForecastDrift",
    "ForecastOverride",
    "ForecastOverrideAudit",
    "ForecastRules",
    "ForecastRulesAudit",
    "ForecastRun",
    "HistoryCorrection",
    "ItemRelation",
    "ItemRelationAudit",
    "RunLearning",
    "SignalBatch",
]
