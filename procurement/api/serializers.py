"""Suppliers, policies, proposals and plans as JSON."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.models import Category, Sku
from config.kernel.api import HouseSerializer, QuantitySerializerField, by_code, currency_code, lines_of
from procurement.models import (
    Policy,
    PriceBreak,
    Proposal,
    Supplier,
    SupplierItem,
)
from warehouses.models import Warehouse

MAX_LINES, MAX_DRAFT_LINES = 500, 200


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
            "freight_cost",
            "free_freight_from",
            "container_litres",
            "container_kg",
            "containers_at_most",
            "container_cost",
            "order_capacity",
            "order_weekdays",
            "uses_learned_lead_times",
            "over_receipt_tolerance",
            "is_active",
        )
        extra_kwargs: ClassVar = {
            "currency": {"validators": [currency_code]},
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
    supplier = by_code(Supplier)
    sku = by_code(Sku)
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
            "pallet_size",
            "maximum_order_quantity",
            "discount",
            "return_credit",
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
    category = by_code(Category, required=False, allow_null=True)
    sku = by_code(Sku, required=False, allow_null=True)
    warehouse = by_code(Warehouse, required=False, allow_null=True)

    class Meta:
        model = Policy
        fields = (
            "id",
            "name",
            "category",
            "sku",
            "warehouse",
            "target",
            "service_level",
            "fill_rate",
            "shares_target",
            "stockout_cost_share",
            "unmet_demand",
            "model",
            "holding_cost_rate",
            "review_days",
            "maximum_stock",
            "maximum_cover_days",
            "frozen_days",
            "dampening_days",
        )
        validators = ()
        extra_kwargs: ClassVar = {
            "fill_rate": {"min_value": Decimal("0.5"), "max_value": Decimal("0.999")},
            "stockout_cost_share": {"min_value": Decimal(0)},
            "maximum_cover_days": {"min_value": 1},
            "review_days": {"min_value": 1},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        values = {
            name: attrs.get(name, getattr(self.instance, name, None)) for name in ("target", "stockout_cost_share")
        }
        if values["target"] == Policy.Target.COST and not values["stockout_cost_share"]:
            raise serializers.ValidationError(
                {"stockout_cost_share": _("Least cost needs to know what a unit short costs.")}
            )
        return super().validate(attrs)

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
            "stockout_on",
            "expected_shortage",
            "split_of",
            "joint_order",
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


class PlanBodySerializer(serializers.Serializer):
    as_of = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Last day of demand to read."
    )
    force = serializers.BooleanField(default=False, help_text="Forecast again though nothing changed.")


class PlanAnswerSerializer(serializers.Serializer):
    job = serializers.UUIDField()
    state = serializers.CharField()
