"""What channels tell about their orders, in any order and as often as they like; and what could not be matched."""

from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, QuantitySerializerField, ReadViewSet, lines_of, named_as
from warehouses.api.stock import view_only
from warehouses.models import ChannelEvent
from warehouses.services.channel_events import MAX_EVENTS, ToldEvent, ToldLine, receive_events

_NAMES = {"channel_code": "channel"}
EXAMPLE = OpenApiExample(
    "A cancellation that overtook its order",
    request_only=True,
    value={
        "channel": "WEB",
        "events": [
            {
                "event_id": "e-2",
                "kind": "cancelled",
                "order": "W-1001",
                "occurred_at": "2026-03-02T09:00:00Z",
                "lines": [{"sku": "MUG", "quantity": "1"}],
            },
            {
                "event_id": "e-1",
                "kind": "created",
                "order": "W-1001",
                "occurred_at": "2026-03-02T08:15:00Z",
                "lines": [{"sku": "MUG", "quantity": "2", "unit_price": "9.00"}],
            },
        ],
    },
)


class EventLineBodySerializer(serializers.Serializer):
    line = serializers.IntegerField(min_value=1, required=False, help_text="The line's number in the order.")
    sku = serializers.CharField(max_length=64, required=False, default="")
    quantity = QuantitySerializerField(min_value=Decimal("0.001"))
    unit = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    unit_price = serializers.DecimalField(
        max_digits=18, decimal_places=4, min_value=Decimal(0), required=False, default=Decimal(0)
    )
    warehouse = serializers.CharField(max_length=32, required=False, allow_null=True, default=None)
    restock = serializers.BooleanField(required=False, default=False)


class EventBodySerializer(serializers.Serializer):
    event_id = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=ChannelEvent.Kind.choices)
    order = serializers.CharField(max_length=64, help_text="The order's number in the channel.")
    occurred_at = serializers.DateTimeField()
    customer_reference = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    ship_to_country = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    lines = lines_of(EventLineBodySerializer, at_most=1000, required=False, may_be_empty=True)


class EventsBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    events = lines_of(EventBodySerializer, at_most=MAX_EVENTS)


class EventOutcomeSerializer(serializers.Serializer):
    event_id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[*ChannelEvent.State.choices, ("conflict", "Told with other contents")])
    is_duplicate = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True)
    order_id = serializers.IntegerField(allow_null=True)


class EventsAnswerSerializer(serializers.Serializer):
    events = EventOutcomeSerializer(many=True)


class ChannelEventSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    order = serializers.CharField(source="order_external_id", read_only=True)

    class Meta:
        model = ChannelEvent
        fields = (
            "id",
            "channel",
            "event_id",
            "kind",
            "order",
            "order_id",
            "occurred_at",
            "recorded_at",
            "state",
            "problem",
            "payload",
        )


class ChannelEventViewSet(ReadViewSet):
    """A channel's report: `?state=unmatched` lists what could not be matched, `?state=waiting` what still may be."""

    queryset = ChannelEvent.objects.select_related("channel")
    serializer_class = ChannelEventSerializer
    permission_map: ClassVar = {**view_only("warehouses.view_channelevent"), "create": "warehouses.add_salesorder"}
    filters: ClassVar = {
        "channel": "channel__code",
        "kind": ("kind", "exact", "in"),
        "state": ("state", "exact", "in"),
        "order": "order_external_id",
        "event_id": "event_id",
        "occurred_at": ("occurred_at", "gte", "lte"),
    }

    @extend_schema(request=EventsBodySerializer, responses={200: EventsAnswerSerializer}, examples=[EXAMPLE])
    def create(self, request: Any) -> Response:
        """Take in events of orders: late, twice or out of order, the orders end in the same state.

        Every event is kept by its id before any is applied; telling it again changes nothing, so a call without an
        answer is simply made again.
        """
        body = self.body(EventsBodySerializer)
        told = [
            ToldEvent(
                event_id=event["event_id"],
                kind=event["kind"],
                order_external_id=event["order"],
                occurred_at=event["occurred_at"],
                customer_reference=event["customer_reference"],
                ship_to_country=event["ship_to_country"],
                lines=[
                    ToldLine(
                        quantity=line["quantity"],
                        line=line.get("line"),
                        sku_code=line["sku"],
                        unit_price=line["unit_price"],
                        warehouse_code=line["warehouse"],
                        unit=line["unit"],
                        restock=line["restock"],
                    )
                    for line in event.get("lines", ())
                ],
            )
            for event in body["events"]
        ]
        with named_as(_NAMES):
            outcomes = receive_events(body["channel"], told, now=self.now(), actor=request.user)
        return Response(EventsAnswerSerializer({"events": outcomes}).data)
