"""Suppliers, proposals, purchase orders and receipts as JSON."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from catalog.models import Category, Sku
from config.kernel.api import HouseSerializer, QuantitySerializerField, lines_of
from config.kernel.fields import plain
from procurement.models import (
    LineResponse,
    Policy,
    PriceBreak,
    Proposal,
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    Supplier,
    SupplierItem,
)
from warehouses.models import Warehouse

MAX_LINES, MAX_DRAFT_LINES = 500, 200


def code_of(model: Any, **kwargs: Any) -> Any:
    return serializers.SlugRelatedField(slug_field="code", queryset=model.objects.all(), **kwargs)


class SupplierSerializer(HouseSerializer):
    class Meta:
        model = Supplier
        fields = (
            "code",
            "name",
            "email",
            "country",
            "currency",
            "lead_time_days",
            "lead_time_sd_days",
            "review_days",
            "fixed_order_cost",
            "minimum_order_value",
            "over_receipt_tolerance",
            "is_active",
        )
        extra_kwargs: ClassVar = {
            "currency": {
                "validators": [RegexValidator(r"^[A-Z]{3}\Z", gettext_lazy("Three capital letters, as in ISO 4217."))]
            },
            "lead_time_sd_days": {"min_value": Decimal(0)},
            "over_receipt_tolerance": {"max_value": Decimal(1)},
            "review_days": {"min_value": 1},
        }


class PriceBreakSerializer(HouseSerializer):
    class Meta:
        model = PriceBreak
        fields = ("minimum_quantity", "unit_cost")
        extra_kwargs: ClassVar = {"minimum_quantity": {"min_value": Decimal("0.001")}}


class SupplierItemSerializer(HouseSerializer):
    supplier = code_of(Supplier)
    sku = code_of(Sku)
    price_breaks = lines_of(PriceBreakSerializer, at_most=50, required=False, may_be_empty=True)

    class Meta:
        model = SupplierItem
        fields = (
            "id",
            "supplier",
            "sku",
            "supplier_code",
            "unit_cost",
            "minimum_order_quantity",
            "pack_size",
            "lead_time_days",
            "is_preferred",
            "is_active",
            "price_breaks",
        )
        extra_kwargs: ClassVar = {"pack_size": {"min_value": Decimal("0.001")}}

    def validate_price_breaks(self, breaks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        quantities = [one["minimum_quantity"] for one in breaks]
        if len(set(quantities)) < len(quantities):
            raise serializers.ValidationError(_("Two price breaks begin at the same quantity."))
        return breaks

    def create(self, validated_data: dict[str, Any]) -> SupplierItem:
        breaks = validated_data.pop("price_breaks", [])
        item = super().create(validated_data)
        self._replace_breaks(item, breaks)
        return item

    def update(self, instance: SupplierItem, validated_data: dict[str, Any]) -> SupplierItem:
        breaks = validated_data.pop("price_breaks", None)
        item = super().update(instance, validated_data)
        if breaks is not None:
            self._replace_breaks(item, breaks)
        return item

    @staticmethod
    def _replace_breaks(item: SupplierItem, breaks: list[dict[str, Any]]) -> None:
        item.price_breaks.all().delete()
        PriceBreak.objects.bulk_create([PriceBreak(item=item, **one) for one in breaks])
        item._prefetched_objects_cache = {}  # type: ignore[attr-defined]


class PolicySerializer(HouseSerializer):
    category = code_of(Category, required=False, allow_null=True)
    sku = code_of(Sku, required=False, allow_null=True)
    warehouse = code_of(Warehouse, required=False, allow_null=True)

    class Meta:
        model = Policy
        fields = (
            "id",
            "name",
            "category",
            "sku",
            "warehouse",
            "service_level",
            "holding_cost_rate",
            "review_days",
            "maximum_stock",
        )
        validators = ()

    def validate_service_level(self, value: Decimal) -> Decimal:
        if not Decimal("0.5") <= value <= Decimal("0.999"):
            raise serializers.ValidationError(_("A cycle service level lies between 0.5 and 0.999."))
        return value


class ProposalRowSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    supplier = serializers.CharField(source="supplier.code", read_only=True)
    run = serializers.IntegerField(source="run_id", read_only=True)

    class Meta:
        model = Proposal
        fields: tuple[str, ...] = (
            "id",
            "run",
            "sku",
            "warehouse",
            "supplier",
            "status",
            "quantity",
            "accepted_quantity",
            "unit_cost",
            "currency",
            "safety_stock",
            "reorder_point",
            "order_up_to_level",
            "inventory_position",
            "need_by",
            "days_of_cover",
            "warnings",
            "decided_at",
            "decision_note",
            "created_at",
        )


class ProposalSerializer(ProposalRowSerializer):
    """A proposal whole, with every number that went into it."""

    class Meta(ProposalRowSerializer.Meta):
        fields: tuple[str, ...] = (*ProposalRowSerializer.Meta.fields, "explanation")


class AcceptBodySerializer(serializers.Serializer):
    class DecisionSerializer(serializers.Serializer):
        proposal = serializers.IntegerField(min_value=1)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"), required=False, allow_null=True)

        class Meta:
            ref_name = "ProposalDecision"

    proposals = lines_of(DecisionSerializer, at_most=MAX_LINES)


class DismissBodySerializer(serializers.Serializer):
    proposals = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=MAX_LINES
    )
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class DismissAnswerSerializer(serializers.Serializer):
    dismissed = serializers.IntegerField()


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
        sku = code_of(Sku)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))
        need_by = serializers.DateField(required=False, allow_null=True, default=None)

        class Meta:
            ref_name = "DraftLine"

    supplier = code_of(Supplier)
    warehouse = code_of(Warehouse)
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
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))

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


class PlanBodySerializer(serializers.Serializer):
    as_of = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Last day of demand to read."
    )
    force = serializers.BooleanField(default=False, help_text="Forecast again though nothing changed.")


class PlanAnswerSerializer(serializers.Serializer):
    job = serializers.UUIDField()
    state = serializers.CharField()
