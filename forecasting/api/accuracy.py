"""How good the forecasts were, and what each step of them was worth: two answers, grouped as asked."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.kernel.api import HouseViewSet
from forecasting.models import ForecastAccuracy
from forecasting.selectors.accuracy import GROUPS, accuracy
from forecasting.selectors.value_added import value_added
from forecasting.services.accuracy import LAGS, accuracy_so_far


class AskedSerializer(serializers.Serializer):
    by = serializers.ChoiceField(choices=list(GROUPS), default="lag")
    lag = serializers.ChoiceField(
        choices=list(LAGS), required=False, allow_null=True, default=None, help_text="Weeks ahead; empty: 1."
    )
    since = serializers.DateField(required=False, default=None, allow_null=True, help_text="First week, its Monday.")
    until = serializers.DateField(required=False, default=None, allow_null=True, help_text="Last week, its Monday.")
    sku = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)
    warehouse = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)


class StepErrorSerializer(serializers.Serializer):
    """`units` and `money` are Σ|error|, the others pooled; null where nothing was asked for."""

    wape = serializers.FloatField(allow_null=True)
    bias = serializers.FloatField(allow_null=True)
    rmsse = serializers.FloatField(allow_null=True)
    units = serializers.FloatField()
    money = serializers.FloatField()


class GroupAccuracySerializer(serializers.Serializer):
    group = serializers.DictField(help_text="What the line is of, by its names.")
    weeks = serializers.IntegerField(help_text="Series × weeks counted.")
    left_out = serializers.IntegerField(help_text="Series × weeks not counted: out of stock for over eight hours.")
    demand = serializers.FloatField()
    naive = StepErrorSerializer()
    model = StepErrorSerializer()
    final = StepErrorSerializer(help_text="With the overrides in force when the forecast was made.")


class WeekSoFarSerializer(serializers.Serializer):
    week = serializers.DateField()
    days = serializers.IntegerField()
    series = serializers.IntegerField()
    demand = serializers.FloatField()
    model = serializers.FloatField()
    wape = serializers.FloatField(allow_null=True)
    bias = serializers.FloatField(allow_null=True)


class AccuracyAnswerSerializer(serializers.Serializer):
    by = serializers.CharField()
    week_so_far = WeekSoFarSerializer(allow_null=True, help_text="The week that is not over, all series together.")
    groups = GroupAccuracySerializer(many=True)


class StepValueSerializer(serializers.Serializer):
    """What the step took off the error before it; below zero it made things worse."""

    step = serializers.CharField()
    points = serializers.FloatField(allow_null=True, help_text="Percentage points of WAPE.")
    units = serializers.FloatField()
    money = serializers.FloatField()
    wape = serializers.FloatField(allow_null=True)


class ValueAddedSerializer(serializers.Serializer):
    group = serializers.DictField()
    weeks = serializers.IntegerField()
    demand = serializers.FloatField()
    naive_wape = serializers.FloatField(allow_null=True)
    model = StepValueSerializer()
    override = StepValueSerializer()


class ValueAddedAnswerSerializer(serializers.Serializer):
    by = serializers.CharField()
    groups = ValueAddedSerializer(many=True)


class _AnswerViewSet(HouseViewSet):
    """A question in the address, one document as answer."""

    filter_backends = ()
    pagination_class = None
    permission_map: ClassVar = {"list": "forecasting.view_forecastaccuracy"}
    http_method_names = ("get", "head", "options")

    def asked(self) -> dict[str, Any]:
        reader = AskedSerializer(data=self.request.query_params)
        reader.is_valid(raise_exception=True)
        return reader.validated_data

    def rows(self, asked: dict[str, Any]) -> Any:
        wanted = {"week__gte": asked["since"], "week__lte": asked["until"]}
        wanted |= {"sku__code": asked["sku"], "warehouse__code": asked["warehouse"]}
        rows = ForecastAccuracy.objects.for_actor(self.request.user)
        return rows.filter(**{name: value for name, value in wanted.items() if value})


class ForecastAccuracyViewSet(_AnswerViewSet):
    serializer_class = AccuracyAnswerSerializer

    @extend_schema(parameters=[AskedSerializer], responses=AccuracyAnswerSerializer, operation_id="forecast_accuracy")
    def list(self, request: Any) -> Response:
        """Errors of the weeks that are over, at the lag asked for. Error = forecast − actual.

        `by=planner` counts only the series and weeks that one of the planner's overrides ruled.
        """
        asked = self.asked()
        answer = {
            "by": asked["by"],
            "week_so_far": accuracy_so_far(today=timezone.localdate()),
            "groups": accuracy(asked["by"], lag=asked["lag"], rows=self.rows(asked)),
        }
        return Response(AccuracyAnswerSerializer(answer).data)


class ForecastValueAddedViewSet(_AnswerViewSet):
    serializer_class = ValueAddedAnswerSerializer

    @extend_schema(
        parameters=[AskedSerializer], responses=ValueAddedAnswerSerializer, operation_id="forecast_value_added"
    )
    def list(self, request: Any) -> Response:
        """What the model took off the naive forecast's error, and the planners' overrides off the model's."""
        asked = self.asked()
        groups = value_added(asked["by"], lag=asked["lag"], rows=self.rows(asked))
        return Response(ValueAddedAnswerSerializer({"by": asked["by"], "groups": groups}).data)


ROUTES = [
    ("forecast-accuracy", ForecastAccuracyViewSet),
    ("forecast-value-added", ForecastValueAddedViewSet),
]
