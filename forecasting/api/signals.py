"""Interest that shops and recommenders tell of before it becomes orders, and whether it has helped the forecasts."""

from typing import Any, ClassVar

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, ReadViewSet, documents, named_as
from forecasting.api.signal_lines import SignalLinesField
from forecasting.models import DemandSignal
from forecasting.selectors.signals import latest_verdict
from forecasting.services.signals import NAMES, take_signals

EXAMPLES = [
    OpenApiExample(
        "Two products of one day",
        request_only=True,
        value={
            "channel": "WEB",
            "batch_id": "2026-03-02T08",
            "lines": [
                {"sku": "MUG", "at": "2026-03-02T07:00:00Z", "page_views": 120, "cart_adds": 9, "wishes": 2},
                {"sku": "LAMP", "at": "2026-03-02", "page_views": 40, "impressions": 900},
                {"sku": "OLD", "at": "2026-03-02", "page_views": 1},
            ],
        },
    ),
    OpenApiExample(
        "Taken, but for a SKU nobody knows",
        response_only=True,
        status_codes=["200"],
        value={
            "channel": "WEB",
            "batch_id": "2026-03-02T08",
            "lines": 3,
            "taken": 2,
            "is_duplicate": False,
            "rejected": [{"line": 3, "field": "sku", "sku": "OLD", "message": "There is no such SKU."}],
        },
    ),
]


class SignalsBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    batch_id = serializers.CharField(max_length=120, help_text="Your own; unique in the channel.")
    lines = SignalLinesField()


class RejectedLineSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="From 1.")
    field = serializers.CharField()
    sku = serializers.CharField()
    message = serializers.CharField()


class SignalsAnswerSerializer(serializers.Serializer):
    channel = serializers.CharField()
    batch_id = serializers.CharField(source="key")
    lines = serializers.IntegerField()
    taken = serializers.IntegerField(help_text="Lines that count.")
    is_duplicate = serializers.BooleanField(help_text="This batch was taken before; nothing was counted again.")
    rejected = RejectedLineSerializer(many=True)


class SignalSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    channel = serializers.CharField(source="channel.code", read_only=True)

    class Meta:
        model = DemandSignal
        fields = ("id", "sku", "channel", "day", *NAMES)


class SignalVerdictSerializer(serializers.Serializer):
    run = serializers.IntegerField(allow_null=True, help_text="The forecast run it was found in.")
    weighed_at = serializers.DateTimeField(allow_null=True)
    helps = serializers.BooleanField(help_text="The forecasts use the signals.")
    reason = serializers.CharField()
    series = serializers.IntegerField(help_text="Series with signals that were compared.")
    origins = serializers.IntegerField(help_text="Days in the past from which both looked ahead.")
    window_days = serializers.IntegerField()
    loss_without = serializers.FloatField(allow_null=True, help_text="Pinball of the held-out window, over the demand.")
    loss_with = serializers.FloatField(allow_null=True)
    gain = serializers.FloatField(allow_null=True, help_text="loss_without − loss_with.")
    standard_error = serializers.FloatField(allow_null=True, help_text="Of the gain; it must be exceeded.")
    weights = serializers.DictField(child=serializers.FloatField(), help_text="Of each signal in the log of demand.")


class SignalViewSet(ReadViewSet):
    """Signals of a SKU in a channel on a day (of the channel's calendar), added up over all batches."""

    queryset = DemandSignal.objects.select_related("sku", "channel")
    serializer_class = SignalSerializer
    permission_map: ClassVar = {
        "list": "forecasting.view_demandsignal",
        "retrieve": "forecasting.view_demandsignal",
        "verdict": "forecasting.view_demandsignal",
        "create": "forecasting.add_demandsignal",
    }
    filters: ClassVar = {
        "sku": ("sku__code", "exact", "in"),
        "channel": "channel__code",
        "day": ("day", "exact", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["day"]

    @documents(SignalsBodySerializer, SignalsAnswerSerializer, made=200, examples=EXAMPLES)
    def create(self, request: Any) -> Response:
        """Take up to 10,000 lines of interest: page views, cart adds, wishes, recommendations shown.

        Counts are added to the SKU's day, once per channel and `batch_id`: the same batch again is answered as the
        first time and counts nothing; with other lines it is a conflict (409). Lines with an unknown SKU are listed in
        `rejected`, the others are taken; any other fault refuses the whole batch and names every line.
        """
        body = self.body(SignalsBodySerializer)

        def effect() -> Any:
            return take_signals(body["channel"], body["batch_id"], body["lines"], now=self.now(), actor=request.user)

        with named_as({"channel_code": "channel", "key": "batch_id"}):
            return self.make_once(effect, SignalsAnswerSerializer, made=200)

    @extend_schema(responses=forced_singular_serializer(SignalVerdictSerializer), filters=False)
    @action(detail=False, filter_backends=[], pagination_class=None)
    def verdict(self, request: Any) -> Response:
        """Whether signals help the forecasts, as the latest backtest found: with them, against without them."""
        return Response(SignalVerdictSerializer(latest_verdict()).data)


ROUTES = [("signals", SignalViewSet)]
