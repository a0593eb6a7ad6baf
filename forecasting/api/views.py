"""What was asked for, what will be, and a prediction for anybody's history."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.response import Response

from config.kernel.api import ReadViewSet
from forecasting.api import serializers
from forecasting.models import DemandHistory, Forecast, ForecastRun
from forecasting.services.predictions import predict


class DemandViewSet(ReadViewSet):
    """Days with demand; a day that is not listed is a zero."""

    queryset = DemandHistory.objects.select_related("sku", "channel", "warehouse")
    serializer_class = serializers.DemandSerializer
    http_method_names = ("get", "head", "options")
    permission_map: ClassVar = {
        "list": "forecasting.view_demandhistory",
        "retrieve": "forecasting.view_demandhistory",
    }
    filterset_fields: ClassVar = {
        "sku__code": ["exact", "in"],
        "channel__code": ["exact"],
        "warehouse__code": ["exact"],
        "day": ["exact", "gte", "lte"],
    }
    ordering_fields: ClassVar = ["day", "quantity"]


class ForecastRunViewSet(ReadViewSet):
    queryset = ForecastRun.objects.all()
    serializer_class = serializers.ForecastRunSerializer
    permission_map: ClassVar = {"list": "forecasting.view_forecastrun", "retrieve": "forecasting.view_forecastrun"}
    filterset_fields: ClassVar = {"is_complete": ["exact"], "as_of": ["exact", "gte", "lte"]}
    ordering_fields: ClassVar = ["as_of"]


class ForecastViewSet(ReadViewSet):
    """Forecasts of all runs; `?run=` picks one, `?latest=true` the latest complete one."""

    queryset = Forecast.objects.select_related("sku", "warehouse", "run")
    permission_map: ClassVar = {"list": "forecasting.view_forecast", "retrieve": "forecasting.view_forecast"}
    filterset_fields: ClassVar = {
        "run": ["exact"],
        "sku__code": ["exact", "in"],
        "warehouse__code": ["exact"],
        "method": ["exact"],
        "demand_class": ["exact"],
    }
    ordering_fields: ClassVar = ["protection_mean", "wape"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action == "list":
            rows = rows.defer("mean", "quantiles", "scores", "protection_quantiles")
        if self.request.query_params.get("latest") == "true":
            newest = ForecastRun.objects.filter(is_complete=True).order_by("-pk").values("pk")[:1]
            rows = rows.filter(run_id__in=newest)
        return rows

    def get_serializer_class(self) -> Any:
        return serializers.ForecastRowSerializer if self.action == "list" else serializers.ForecastSerializer


class PredictViewSet(viewsets.ViewSet):
    permission_map: ClassVar = {"create": "forecasting.use_engine"}

    @extend_schema(
        request=serializers.PredictBodySerializer,
        responses={200: serializers.PredictAnswerSerializer},
        operation_id="predict",
    )
    def create(self, request: Any) -> Response:
        """Quantile forecasts for the histories in the body. Nothing is stored."""
        body = serializers.PredictBodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"series": predict(**body.validated_data)})


ROUTES = [
    ("demand", DemandViewSet),
    ("forecast-runs", ForecastRunViewSet),
    ("forecasts", ForecastViewSet),
    ("predict", PredictViewSet),
]
