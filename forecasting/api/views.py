"""What was asked for, what will be, and a prediction for anybody's history."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.response import Response

from config.kernel.api import HouseViewSet, ReadViewSet
from forecasting.api import accuracy, levels, nowcast, overrides, recommendable, serializers, signals
from forecasting.api.levels import LATEST
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
    filters: ClassVar = {
        "sku": ("sku__code", "exact", "in"),
        "channel": "channel__code",
        "warehouse": "warehouse__code",
        "day": ("day", "exact", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["day"]


class ForecastRunViewSet(ReadViewSet):
    queryset = ForecastRun.objects.all()
    serializer_class = serializers.ForecastRunSerializer
    permission_map: ClassVar = {"list": "forecasting.view_forecastrun", "retrieve": "forecasting.view_forecastrun"}
    filters: ClassVar = {"is_complete": "is_complete", "as_of": ("as_of", "exact", "gte", "lte")}
    ordering_fields: ClassVar = ["as_of"]


class ForecastViewSet(ReadViewSet):
    """Forecasts of all runs; `?run=` picks one, `?latest=true` the latest complete one."""

    queryset = Forecast.objects.select_related("sku", "warehouse", "run")
    permission_map: ClassVar = {"list": "forecasting.view_forecast", "retrieve": "forecasting.view_forecast"}
    filters: ClassVar = {
        "run": "run",
        "latest": LATEST,
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "warehouse__code",
        "method": "method",
        "demand_class": "demand_class",
    }
    ordering_fields: ClassVar = ["protection_mean", "wape"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action == "list":
            rows = rows.defer("mean", "quantiles", "scores", "protection_quantiles")
        return rows

    def get_serializer_class(self) -> Any:
        return serializers.ForecastRowSerializer if self.action == "list" else serializers.ForecastSerializer


PREDICT_EXAMPLES = [
    OpenApiExample(
        "Two weeks of mugs",
        request_only=True,
        value={
            "freq": "D",
            "horizon": 7,
            "quantiles": [0.5, 0.95],
            "windows": [7],
            "series": [
                {"unique_id": "MUG@MAIN", "start": "2026-02-16", "y": [3, 5, 4, 0, None, 6, 2, 4, 4, 5, 1, 0, 7, 3]}
            ],
        },
    ),
    OpenApiExample(
        "Too short to choose by backtest",
        response_only=True,
        status_codes=["200"],
        value={
            "series": [
                {
                    "unique_id": "MUG@MAIN",
                    "method": "own_mean",
                    "reason": "too short: 13 periods, 42 needed",
                    "fallback": "too short: 13 periods, 42 needed",
                    "demand_class": "smooth",
                    "notes": ["1 unknown periods (NaN) treated as gaps, not as zeros"],
                    "mean": [3.4, 3.4],
                    "quantiles": {"0.5": [3.2, 3.2], "0.95": [7.1, 7.1]},
                    "windows": [{"window": 7, "mean": 23.8, "quantiles": {"0.5": 23.5, "0.95": 33.0}}],
                }
            ]
        },
    ),
]


class PredictViewSet(HouseViewSet):
    permission_map: ClassVar = {"create": "forecasting.use_engine"}

    @extend_schema(
        request=serializers.PredictBodySerializer,
        responses={200: serializers.PredictAnswerSerializer},
        operation_id="predict",
        examples=PREDICT_EXAMPLES,
    )
    def create(self, request: Any) -> Response:
        """Quantile forecasts for the histories in the body. Nothing is stored.

        Each series is forecast from its own history alone. Where a history is too short or says nothing, `fallback`
        names what was done instead of choosing a method by backtest; it is null otherwise.
        """
        return Response({"series": predict(**self.body(serializers.PredictBodySerializer))})


ROUTES = [
    ("demand", DemandViewSet),
    ("forecast-runs", ForecastRunViewSet),
    ("forecasts", ForecastViewSet),
    ("predict", PredictViewSet),
    *levels.ROUTES,
    *nowcast.ROUTES,
    ("forecast-overrides", overrides.ForecastOverrideViewSet),
    *accuracy.ROUTES,
    *signals.ROUTES,
    *recommendable.ROUTES,
]
