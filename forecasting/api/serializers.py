"""Demand, runs, forecasts and predictions as JSON."""

from rest_framework import serializers

from config.kernel.api import HouseSerializer, lines_of
from forecasting.api.adjusted import AdjustedField, ConsumptionField
from forecasting.models import DemandHistory, Forecast, ForecastRun

# What one request may ask for: about fifteen seconds of one core in all.
MAX_SERIES, MAX_PERIODS, MAX_POINTS, MAX_HORIZON, MAX_WINDOW = 200, 10_000, 80_000, 366, 730
FREQUENCIES = ("D", "W", "M", "Q", "Y", "H")


class DemandSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    channel = serializers.CharField(source="channel.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = DemandHistory
        fields = ("id", "sku", "channel", "warehouse", "day", "quantity", "ordered", "cancelled", "returned", "orders")


class ForecastRunSerializer(HouseSerializer):
    job = serializers.UUIDField(source="job_id", read_only=True)

    class Meta:
        model = ForecastRun
        fields = (
            "id",
            "job",
            "as_of",
            "horizon_days",
            "quantile_levels",
            "is_complete",
            "series_count",
            "summary",
            "created_at",
        )


class ForecastRowSerializer(HouseSerializer):
    """A forecast in a list: what it expects and why, without the daily numbers."""

    run = serializers.IntegerField(source="run_id", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = Forecast
        fields: tuple[str, ...] = (
            "id",
            "run",
            "sku",
            "warehouse",
            "method",
            "reason",
            "fallback",
            "demand_class",
            "protection_days",
            "protection_mean",
            "protection_sd",
            "wape",
            "bias",
        )


class ForecastSerializer(ForecastRowSerializer):
    """A forecast whole: `mean[t]` and `quantiles[level][t]` are of day `as_of` + 1 + t."""

    as_of = serializers.DateField(source="run.as_of", read_only=True)
    quantiles = serializers.SerializerMethodField()
    protection_quantiles = serializers.SerializerMethodField()
    adjusted = AdjustedField()
    consumption = ConsumptionField()

    class Meta(ForecastRowSerializer.Meta):
        fields: tuple[str, ...] = (
            *ForecastRowSerializer.Meta.fields,
            "as_of",
            "mean",
            "quantiles",
            "protection_quantiles",
            "scores",
            "adjusted",
            "consumption",
        )

    def get_quantiles(self, forecast: Forecast) -> dict[str, list[float]]:
        levels = forecast.run.quantile_levels
        return {f"{level:g}": values for level, values in zip(levels, forecast.quantiles, strict=True)}

    def get_protection_quantiles(self, forecast: Forecast) -> dict[str, float]:
        levels = forecast.run.quantile_levels
        return {f"{level:g}": value for level, value in zip(levels, forecast.protection_quantiles, strict=True)}


class SeriesBodySerializer(serializers.Serializer):
    unique_id = serializers.CharField(max_length=200)
    start = serializers.DateField(
        required=False, allow_null=True, help_text="The first period; calendar effects need it."
    )
    y = serializers.ListField(
        child=serializers.FloatField(allow_null=True, min_value=-1e12, max_value=1e12),
        allow_empty=False,
        max_length=MAX_PERIODS,
        help_text="Demand per period without gaps; null is an unknown period, not a zero.",
    )
    in_stock = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        required=False,
        max_length=MAX_PERIODS,
        help_text="Share of each period in stock; below 1 the sale is a lower bound of demand.",
    )

    def validate(self, attrs: dict) -> dict:
        if "in_stock" in attrs and len(attrs["in_stock"]) != len(attrs["y"]):
            raise serializers.ValidationError({"in_stock": "It must be as long as y."})
        return attrs


class PredictBodySerializer(serializers.Serializer):
    freq = serializers.ChoiceField(choices=FREQUENCIES, default="D")
    horizon = serializers.IntegerField(min_value=1, max_value=MAX_HORIZON, default=28)
    quantiles = serializers.ListField(
        child=serializers.FloatField(min_value=0.001, max_value=0.999),
        allow_empty=False,
        max_length=20,
        default=[0.5, 0.8, 0.9, 0.95, 0.99],
    )
    windows = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_WINDOW), required=False, max_length=20, default=list
    )
    season = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True, default=None)
    series = lines_of(SeriesBodySerializer, at_most=MAX_SERIES)

    def validate_series(self, series: list[dict]) -> list[dict]:
        names = [one["unique_id"] for one in series]
        if len(set(names)) < len(names):
            raise serializers.ValidationError("Each unique_id may stand once.")
        if sum(len(one["y"]) for one in series) > MAX_POINTS:
            raise serializers.ValidationError(f"At most {MAX_POINTS} points in all.")
        return series

    def validate_quantiles(self, quantiles: list[float]) -> list[float]:
        return sorted({float(f"{level:g}") for level in quantiles})


class PredictedWindowSerializer(serializers.Serializer):
    window = serializers.IntegerField()
    mean = serializers.FloatField()
    quantiles = serializers.DictField(child=serializers.FloatField())


class PredictedSeriesSerializer(serializers.Serializer):
    unique_id = serializers.CharField()
    method = serializers.CharField()
    reason = serializers.CharField()
    fallback = serializers.CharField(allow_null=True, help_text="Why no method was chosen by backtest.")
    demand_class = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField(), help_text="What cleaning did to the history.")
    mean = serializers.ListField(child=serializers.FloatField())
    quantiles = serializers.DictField(child=serializers.ListField(child=serializers.FloatField()))
    windows = PredictedWindowSerializer(many=True)


class PredictAnswerSerializer(serializers.Serializer):
    series = PredictedSeriesSerializer(many=True)
