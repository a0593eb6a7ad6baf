"""Which of the forecasts' rows leave an event when they change (config.kernel.audit)."""

from config.kernel.audit import audited
from forecasting.models.people import ForecastOverride
from forecasting.models.rules import ForecastRules, ItemRelation

ForecastRulesAudit = audited(ForecastRules)
ItemRelationAudit = audited(ItemRelation)
ForecastOverrideAudit = audited(ForecastOverride)
