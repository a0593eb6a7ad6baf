"""Purchase orders, suppliers' answers and receipts as JSON."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.models import Sku
from config.kernel.api import HouseSerializer, QuantitySerializerField, by_code, lines_of
from config.kernel.fields import plain
from procurement.api.serializers import MAX_DRAFT_LINES, MAX_LINES
from procurement.models import (
    LineResponse,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    Supplier,
)
from warehouses.models import StockStatus, Warehouse


class LineResponseSerializer(HouseSerializer):
    class Meta:
        model = LineResponse
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "proposed_quantity",
            "proposed_on",
            "note",
            "decision",
            "responded_at",
            "decided_at",
        )


class LineResponseRowSerializer(LineResponseSerializer):
    """An answer on its own, with the line it belongs to."""

    order = serializers.CharField(source="line.order.number", read_only=True)
    line_id = serializers.IntegerField(read_only=True)
    line_number = serializers.IntegerField(source="line.line_number", read_only=True)
    sku = serializers.CharField(source="line.sku.code", read_only=True)

    class Meta(LineResponseSerializer.Meta):
        fields: tuple[str, ...] = ("order", "line_id", "line_number", "sku", *LineResponseSerializer.Meta.fields)


class PurchaseOrderLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    sku_name = serializers.CharField(source="sku.name", read_only=True)
    outstanding_quantity = serializers.SerializerMethodField()
    expected_on = serializers.DateField(read_only=True)
    responses = LineResponseSerializer(many=True, read_only=True)

    class Meta:
        model = PurchaseOrderLine
        fields = (
            "id",
            "line_number",
            "sku",
            "sku_name",
            "status",
            "quantity",
            "original_quantity",
            "unit_cost",
            "need_by",
            "promised_on",
            "expected_on",
            "received_quantity",
            "outstanding_quantity",
            "responses",
        )

    def get_outstanding_quantity(self, line: PurchaseOrderLine) -> str:
        return plain(line.outstanding_quantity)


class PurchaseOrderSerializer(HouseSerializer):
    """An order as both sides may see it: the prices in it are the supplier's own."""

    supplier = serializers.CharField(source="supplier.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    lines = PurchaseOrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = PurchaseOrder
        fields = (
            "number",
            "supplier",
            "warehouse",
            "status",
            "currency",
            "note",
            "created_at",
            "approved_at",
            "sent_at",
            "confirmed_at",
            "closed_at",
            "lines",
        )


class DraftBodySerializer(serializers.Serializer):
    """Lines for the open draft of this supplier and warehouse, which is made where there is none."""

    class LineSerializer(serializers.Serializer):
        sku = by_code(Sku)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))
        need_by = serializers.DateField(required=False, allow_null=True, default=None)

        class Meta:
            ref_name = "DraftLine"

    supplier = by_code(Supplier)
    warehouse = by_code(Warehouse)
    lines = lines_of(LineSerializer, at_most=MAX_DRAFT_LINES)


class DraftLineChangeSerializer(serializers.Serializer):
    quantity = QuantitySerializerField(min_value=Decimal("0.001"), required=False)
    need_by = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Give a quantity, a day, or both."))
        return attrs


class ApproveBodySerializer(serializers.Serializer):
    override_minimum = serializers.BooleanField(
        default=False, help_text="Approve although the supplier's minimum order value is not reached."
    )


class ReasonBodySerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class AnswersBodySerializer(serializers.Serializer):
    class AnswerSerializer(serializers.Serializer):
        line_id = serializers.IntegerField(min_value=1)
        kind = serializers.ChoiceField(choices=LineResponse.Kind.choices)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"), required=False, allow_null=True)
        promised_on = serializers.DateField(
            required=False,
            allow_null=True,
            help_text="An accept for a later day than need_by (or today) is taken as a change and waits for the buyer.",
        )
        note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")

        class Meta:
            ref_name = "LineAnswer"

    answers = lines_of(AnswerSerializer, at_most=MAX_LINES)


class DecideBodySerializer(serializers.Serializer):
    accept = serializers.BooleanField()


class ReceiptLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="order_line.sku.code", read_only=True)
    line_id = serializers.IntegerField(source="order_line_id", read_only=True)
    line_number = serializers.IntegerField(source="order_line.line_number", read_only=True)

    class Meta:
        model = ReceiptLine
        fields = ("line_id", "line_number", "sku", "quantity")


class ReceiptSerializer(HouseSerializer):
    order = serializers.CharField(source="order.number", read_only=True)
    lines = ReceiptLineSerializer(many=True, read_only=True)

    class Meta:
        model = Receipt
        fields = ("number", "order", "delivery_note", "received_at", "recorded_at", "lines")


class ReceiptBodySerializer(serializers.Serializer):
    class LineSerializer(serializers.Serializer):
        line_id = serializers.IntegerField(min_value=1)
        quantity = QuantitySerializerField(help_text="In `unit` where one is named, else in units of the SKU.")
        lot = serializers.CharField(
            source="lot_code", max_length=64, required=False, allow_blank=True, help_text="Made where it is missing."
        )
        expires_on = serializers.DateField(required=False, allow_null=True)
        unit = serializers.CharField(max_length=16, required=False, allow_blank=True, help_text="A pack unit: box.")
        status = serializers.ChoiceField(
            choices=StockStatus.choices, required=False, help_text="What is not available is set aside in quarantine."
        )

        class Meta:
            ref_name = "ReceivedLine"

    order = serializers.CharField(max_length=20)
    delivery_note = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    location = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        help_text="Id; the receiving location where none is given.",
    )
    lines = lines_of(LineSerializer, at_most=MAX_LINES)
