"""Tasks as JSON, and what is sent about them."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from config.kernel.api import HouseSerializer, QuantitySerializerField, lines_of
from warehouses.models import StockStatus, Task
from warehouses.services.picking import MOST_RELEASED
from warehouses.services.task_checks import (
    LEASE_SECONDS,
    LONGEST_LEASE,
    MAX_NOTE,
    MOST_CLAIMED,
    SHORTEST_LEASE,
)


def _lease() -> Any:
    return serializers.IntegerField(min_value=SHORTEST_LEASE, max_value=LONGEST_LEASE, default=LEASE_SECONDS)


def _note() -> Any:
    return serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True, default="")


def _priority() -> Any:
    return serializers.IntegerField(min_value=0, max_value=32767, default=100, help_text="Lower is done first.")


class TaskSerializer(HouseSerializer):
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)
    from_location = serializers.CharField(source="from_location.code", read_only=True, default=None, allow_null=True)
    to_location = serializers.CharField(source="to_location.code", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Task
        fields: tuple[str, ...] = (
            "number",
            "kind",
            "state",
            "priority",
            "warehouse",
            "sku",
            "lot",
            "status",
            "from_location",
            "to_location",
            "quantity",
            "done_quantity",
            "reference",
            "worker",
            "lease_expires_at",
            "attempts",
            "note",
            "created_at",
            "done_at",
        )


class ClaimedTaskSerializer(TaskSerializer):
    """With the lease's token, which only the claimer is told."""

    class Meta(TaskSerializer.Meta):
        fields: tuple[str, ...] = (*TaskSerializer.Meta.fields, "lease_token")


class ClaimSerializer(serializers.Serializer):
    tasks = ClaimedTaskSerializer(many=True, read_only=True)


class TasksSerializer(serializers.Serializer):
    tasks = TaskSerializer(many=True, read_only=True)


class ClaimBodySerializer(serializers.Serializer):
    worker = serializers.CharField(max_length=64, help_text="The scanner or robot, as it calls itself.")
    warehouse = serializers.CharField(max_length=32)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=Task.Kind.choices), required=False, default=list, help_text="None: any."
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST_CLAIMED, default=1)
    lease_seconds = _lease()
    near_location = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default="", help_text="Where the worker stands."
    )


class LeaseBodySerializer(serializers.Serializer):
    lease_token = serializers.UUIDField()


class RenewLeaseBodySerializer(LeaseBodySerializer):
    lease_seconds = _lease()


class ReleaseTaskBodySerializer(LeaseBodySerializer):
    note = _note()


class CompleteTaskBodySerializer(ReleaseTaskBodySerializer):
    quantity = QuantitySerializerField(
        min_value=Decimal(0), required=False, allow_null=True, default=None, help_text="What was done; none: all of it."
    )
    to_location = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default="", help_text="Where it was put, if elsewhere."
    )


class CancelTaskBodySerializer(serializers.Serializer):
    note = _note()


class MoveTaskBodySerializer(serializers.Serializer):
    warehouse = serializers.CharField(max_length=32)
    sku = serializers.CharField(max_length=64)
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    from_location = serializers.CharField(max_length=32)
    to_location = serializers.CharField(max_length=32)
    quantity = QuantitySerializerField(min_value=Decimal("0.001"))
    status = serializers.ChoiceField(choices=StockStatus.choices, default=StockStatus.AVAILABLE)
    priority = _priority()
    reference = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    note = _note()


class PickingBodySerializer(serializers.Serializer):
    """Either `orders`, or a `warehouse` with a `limit`: so many orders of it, the most urgent first."""

    orders = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, max_length=MOST_RELEASED, allow_empty=False
    )
    warehouse = serializers.CharField(max_length=32, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_RELEASED, required=False)
    priority = _priority()

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if ("orders" in body) == ("limit" in body) or ("limit" in body and "warehouse" not in body):
            raise serializers.ValidationError(_("Name either orders, or a warehouse and a limit."))
        return body


class PutawayQuerySerializer(serializers.Serializer):
    warehouse = serializers.CharField(max_length=32)
    sku = serializers.CharField(max_length=64)
    lot = serializers.CharField(max_length=64, required=False, default="")
    quantity = QuantitySerializerField(min_value=Decimal("0.001"))


class SuggestionSerializer(serializers.Serializer):
    location = serializers.CharField(source="location.code")
    quantity = QuantitySerializerField()
    rule = serializers.CharField(help_text="same_stock, empty or shared.")
    room = QuantitySerializerField(allow_null=True, help_text="What fits there; null: no limit.")
    reason = serializers.CharField()


class PutawayPlanSerializer(serializers.Serializer):
    suggestions = SuggestionSerializer(many=True)
    overflow = QuantitySerializerField(help_text="Units no bin has room for.")


class PutawayBodySerializer(serializers.Serializer):
    warehouse = serializers.CharField(max_length=32)
    reference = serializers.CharField(
        max_length=80,
        required=False,
        allow_blank=True,
        default="",
        help_text="A receipt, transfer or return: only what it brought.",
    )
    priority = _priority()


class WithoutRoomSerializer(serializers.Serializer):
    sku = serializers.CharField()
    lot = serializers.CharField()
    location = serializers.CharField()
    quantity = serializers.CharField()
    message = serializers.CharField()


class PutawayOutcomeSerializer(serializers.Serializer):
    tasks = TaskSerializer(many=True, read_only=True)
    without_room = lines_of(WithoutRoomSerializer, at_most=10_000)
