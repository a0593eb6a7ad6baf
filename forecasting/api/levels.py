"""What a run says of channels and of groups of SKUs."""

from typing import Any, ClassVar

from django_filters import BooleanFilter
from rest_framework import serializers

from config.kernel.api import HouseSerializer, ReadViewSet
from forecasting.models import AggregateForecast, ChannelForecast
from forecasting.selectors import latest_run


def only_latest(rows: Any, name: str, wanted: bool) -> Any:
    return rows.filter(run=latest_run()) if wanted else rows


LATEST = BooleanFilter(method=only_latest, label="true: of the latest complete run only.")


class ChannelForecastSerializer(HouseSerializer):
    run = serializers.IntegerField(source="run_id", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    channel = serializers.CharField(source="channel.code", read_only=True)

    class Meta:
        model = ChannelForecast
        fields = (
            "id",
            "run",
            "sku",
            "warehouse",
            "channel",
            "share",
            "mean",
            "quantiles",
            "protection_mean",
            "protection_quantiles",
        )


class AggregateForecastSerializer(HouseSerializer):
    run = serializers.IntegerField(source="run_id", read_only=True)
    category = serializers.CharField(source="category.code", read_only=True, allow_null=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, allow_null=True)
    channel = serializers.CharField(source="channel.code", read_only=True, allow_null=True)

    class Meta:
        model = AggregateForecast
        fields = (
            "id",
            "run",
            "level",
            "category",
            "warehouse",
            "channel",
            "series",
            "mean",
            "quantiles",
            "horizon_mean",
            "horizon_quantiles",
        )


class ChannelForecastViewSet(ReadViewSet):
    """Each channel's part of a SKU's forecast in a warehouse. A share of 1 is the forecast itself, without arrays."""

    queryset = ChannelForecast.objects.select_related("sku", "warehouse", "channel")
    serializer_class = ChannelForecastSerializer
    http_method_names = ("get", "head", "options")
    permission_map: ClassVar = {
        "list": "forecasting.view_channelforecast",
        "retrieve": "forecasting.view_channelforecast",
    }
    filters: ClassVar = {
        "run": "run",
        "latest": LATEST,
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "warehouse__code",
        "channel": "channel__code",
    }
    ordering_fields: ClassVar = ["protection_mean"]


class AggregateForecastViewSet(ReadViewSet):
    """Categories, warehouses, channels and the total. Means of one level add up exactly to those of the one above;
    quantiles are of the sums."""

    queryset = AggregateForecast.objects.select_related("category", "warehouse", "channel")
    serializer_class = AggregateForecastSerializer
    http_method_names = ("get", "head", "options")
    permission_map: ClassVar = {
        "list": "forecasting.view_aggregateforecast",
        "retrieve": "forecasting.view_aggregateforecast",
    }
    filters: ClassVar = {
        "run": "run",
        "latest": LATEST,
        "level": "level",
        "category": "category__code",
        "warehouse": "warehouse__code",
        "channel": "channel__code",
    }
    ordering_fields: ClassVar = ["horizon_mean"]


ROUTES = [("channel-forecasts", ChannelForecastViewSet), ("forecast-levels", AggregateForecastViewSet)]
