"""A forecast as the overrides in force leave it, and what orders have used up of it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forecasting.models import Forecast
from forecasting.selectors.adjusted import adjusted_forecast
from forecasting.selectors.consumption import consumption


class AdjustedSerializer(serializers.Serializer):
    """The same numbers after the overrides in force today; equal to the model's where none acts."""

    mean = serializers.ListField(child=serializers.FloatField())
    quantiles = serializers.DictField(child=serializers.ListField(child=serializers.FloatField()))
    protection_mean = serializers.FloatField()
    protection_sd = serializers.FloatField()
    protection_quantiles = serializers.DictField(child=serializers.FloatField())
    overrides = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of those that acted.")


class ConsumedWeekSerializer(serializers.Serializer):
    """Units of one week: forecast with overrides, ordered since `as_of`, and still expected."""

    first = serializers.DateField()
    last = serializers.DateField()
    forecast = serializers.FloatField()
    ordered = serializers.FloatField()
    remaining = serializers.FloatField()


@extend_schema_field(AdjustedSerializer)
class AdjustedField(serializers.Field):
    """Of a Forecast with its run."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, forecast: Forecast) -> dict[str, Any]:
        found = adjusted_forecast(forecast, on=timezone.localdate())
        names = [f"{level:g}" for level in forecast.run.quantile_levels]
        return {
            "mean": found.mean,
            "quantiles": dict(zip(names, found.quantiles, strict=True)),
            "protection_mean": found.protection_mean,
            "protection_sd": found.protection_sd,
            "protection_quantiles": dict(zip(names, found.protection_quantiles, strict=True)),
            "overrides": list(found.overrides),
        }


@extend_schema_field(ConsumedWeekSerializer(many=True))
class ConsumptionField(serializers.Field):
    """Of a Forecast with its run."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, forecast: Forecast) -> Any:
        return ConsumedWeekSerializer(consumption(forecast, today=timezone.localdate()), many=True).data
