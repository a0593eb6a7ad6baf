"""Transfers, moves, changes of status and kit assembly as JSON."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.models import Sku
from config.kernel.api import HouseSerializer, QuantitySerializerField, by_code, lines_of
from config.kernel.fields import plain
from warehouses.api.serializers import StockMovementSerializer
from warehouses.models import StockStatus, Transfer, TransferLine
from warehouses.services.transfer_states import under_way

MAX_LINES = 500
_SOME: dict[str, Any] = {"min_value": Decimal("0.001")}
_NONE: dict[str, Any] = {"min_value": Decimal(0), "required": False, "default": Decimal(0)}


class TransferLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)
    in_transit_quantity = serializers.SerializerMethodField()

    class Meta:
        model = TransferLine
        fields: ClassVar = (
            "line_number",
            "sku",
            "lot",
            "quantity",
            "reserved_quantity",
            "shipped_quantity",
            "in_transit_quantity",
            "received_quantity",
            "lost_quantity",
        )

    def get_in_transit_quantity(self, line: TransferLine) -> str:
        return plain(under_way(line))


class TransferSerializer(HouseSerializer):
    source = serializers.CharField(source="source.code", read_only=True)  # type: ignore[assignment]
    destination = serializers.CharField(source="destination.code", read_only=True)
    lines = TransferLineSerializer(many=True, read_only=True)

    class Meta:
        model = Transfer
        fields = (
            "number",
            "source",
            "destination",
            "status",
            "expected_on",
            "note",
            "created_at",
            "shipped_at",
            "closed_at",
            "lines",
        )


class TransferBodySerializer(serializers.Serializer):
    class LineSerializer(serializers.Serializer):
        sku = serializers.CharField(max_length=64)
        quantity = QuantitySerializerField(help_text="In `unit` where one is named, else in units of the SKU.")
        unit = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
        lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")

        class Meta:
            ref_name = "NewTransferLine"

    source = serializers.CharField(max_length=32)  # type: ignore[assignment]
    destination = serializers.CharField(max_length=32)
    expected_on = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    lines = lines_of(LineSerializer, at_most=MAX_LINES)


class ShipTransferBodySerializer(serializers.Serializer):
    """Without `lines` all that has not left yet is sent."""

    class LineSerializer(serializers.Serializer):
        line_number = serializers.IntegerField(min_value=1)
        quantity = QuantitySerializerField(**_SOME)

        class Meta:
            ref_name = "ShipTransferLine"

    lines = lines_of(LineSerializer, at_most=MAX_LINES, required=False)

    def validate_lines(self, lines: list[dict]) -> list[dict]:
        return _once_each(lines)


class ReceiveTransferBodySerializer(serializers.Serializer):
    """Without `lines` all that is under way has arrived."""

    class LineSerializer(serializers.Serializer):
        line_number = serializers.IntegerField(min_value=1)
        good = QuantitySerializerField(**_NONE)
        damaged = QuantitySerializerField(**_NONE)

        class Meta:
            ref_name = "ReceiveTransferLine"

    location = serializers.CharField(
        max_length=32, required=False, allow_null=True, default=None, help_text="Else the receiving bin."
    )
    lines = lines_of(LineSerializer, at_most=MAX_LINES, required=False)

    def validate_lines(self, lines: list[dict]) -> list[dict]:
        return _once_each(lines)


def _once_each(lines: list[dict]) -> list[dict]:
    numbers = [line["line_number"] for line in lines]
    if len(set(numbers)) < len(numbers):
        raise serializers.ValidationError(_("A line is named twice."))
    return lines


class MovesBodySerializer(serializers.Serializer):
    class LineSerializer(serializers.Serializer):
        sku = serializers.CharField(max_length=64)
        from_location = serializers.CharField(max_length=32)
        to_location = serializers.CharField(max_length=32)
        quantity = QuantitySerializerField()
        lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
        status = serializers.ChoiceField(choices=StockStatus.choices, default=StockStatus.AVAILABLE)

        class Meta:
            ref_name = "StockMoveLine"

    warehouse = serializers.CharField(max_length=32)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    lines = lines_of(LineSerializer, at_most=MAX_LINES)


class StatusChangeBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    warehouse = serializers.CharField(max_length=32)
    location = serializers.CharField(max_length=32)
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    quantity = QuantitySerializerField()
    from_status = serializers.ChoiceField(choices=StockStatus.choices, default=StockStatus.AVAILABLE)
    to_status = serializers.ChoiceField(choices=StockStatus.choices)
    reason = serializers.CharField(max_length=200)
    unreserve = serializers.BooleanField(
        default=False, help_text="Reserved units give way: their orders wait again, or get other stock."
    )


class AssemblyBodySerializer(serializers.Serializer):
    kit = by_code(Sku)
    warehouse = serializers.CharField(max_length=32)
    location = serializers.CharField(max_length=32, help_text="Where the kits are put, or taken apart.")
    quantity = QuantitySerializerField()
    disassemble = serializers.BooleanField(default=False)


class MovementsSerializer(serializers.Serializer):
    """What was posted."""

    movements = StockMovementSerializer(many=True)
