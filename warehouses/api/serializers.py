"""Stock, orders, shipments and returns as JSON."""

from decimal import Decimal

from django.utils.translation import gettext as _
from rest_framework import serializers

from config.kernel.api import HouseSerializer, QuantitySerializerField, lines_of
from warehouses.models import (
    Location,
    Lot,
    SalesImport,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    SalesReturnLine,
    Shipment,
    StockLevel,
    StockMovement,
    Warehouse,
)
from warehouses.services.adjustments import KINDS

MAX_LINES = 500


class WarehouseSerializer(HouseSerializer):
    class Meta:
        model = Warehouse
        fields = ("code", "name", "city", "country", "time_zone", "is_active")


class LocationSerializer(HouseSerializer):
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = Location
        fields = ("id", "warehouse", "code", "kind", "is_active")


class LotSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = Lot
        fields = ("id", "sku", "code", "expires_on")


class StockLevelSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="location.warehouse.code", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    location_kind = serializers.ChoiceField(
        source="location.kind",
        read_only=True,
        choices=Location.Kind.choices,
        help_text="What lies in returns or quarantine cannot be sold.",
    )
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)

    class Meta:
        model = StockLevel
        fields = ("id", "sku", "warehouse", "location", "location_kind", "lot", "on_hand", "reserved", "updated_at")


class StockMovementSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="location.warehouse.code", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)

    class Meta:
        model = StockMovement
        fields = (
            "id",
            "kind",
            "sku",
            "warehouse",
            "location",
            "lot",
            "quantity",
            "unit_cost",
            "reference",
            "reason",
            "happened_at",
            "recorded_at",
        )


class AdjustmentBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    warehouse = serializers.CharField(max_length=32)
    location = serializers.CharField(max_length=32)
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, allow_null=True, default=None)
    quantity = QuantitySerializerField(help_text="Signed: negative takes away.")
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in KINDS], default=StockMovement.Kind.ADJUSTMENT
    )
    unit_cost = serializers.DecimalField(
        max_digits=18, decimal_places=4, min_value=Decimal(0), required=False, allow_null=True, default=None
    )
    reason = serializers.CharField(max_length=200)


class SalesOrderLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = SalesOrderLine
        fields: tuple[str, ...] = (
            "line_number",
            "sku",
            "warehouse",
            "quantity",
            "unit_price",
            "reserved_quantity",
            "shipped_quantity",
            "cancelled_quantity",
            "returned_quantity",
        )


class SalesOrderSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    lines = SalesOrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = SalesOrder
        fields = (
            "id",
            "channel",
            "external_id",
            "status",
            "customer_reference",
            "ship_to_country",
            "is_history",
            "currency",
            "ordered_at",
            "recorded_at",
            "lines",
        )


class OrderLineRowSerializer(SalesOrderLineSerializer):
    """A line on its own, with its order."""

    order = serializers.IntegerField(source="order_id", read_only=True)
    external_id = serializers.CharField(source="order.external_id", read_only=True)
    channel = serializers.CharField(source="order.channel.code", read_only=True)
    ordered_at = serializers.DateTimeField(source="order.ordered_at", read_only=True)

    class Meta(SalesOrderLineSerializer.Meta):
        fields: tuple[str, ...] = (
            "id",
            "order",
            "external_id",
            "channel",
            "ordered_at",
            *SalesOrderLineSerializer.Meta.fields,
        )


class SaleLineBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    quantity = QuantitySerializerField(min_value=Decimal("0.001"))
    unit_price = serializers.DecimalField(max_digits=18, decimal_places=4, min_value=Decimal(0))
    warehouse = serializers.CharField(max_length=32, required=False, allow_null=True)


class SaleBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    external_id = serializers.CharField(max_length=64)
    ordered_at = serializers.DateTimeField()
    customer_reference = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    ship_to_country = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    lines = lines_of(SaleLineBodySerializer, at_most=MAX_LINES)


class ShipBodySerializer(serializers.Serializer):
    """Without `lines` everything reserved is shipped."""

    class LineSerializer(serializers.Serializer):
        line_number = serializers.IntegerField(min_value=1)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))

        class Meta:
            ref_name = "ShipLine"

    lines = lines_of(LineSerializer, at_most=MAX_LINES, required=False)

    def validate_lines(self, lines: list[dict]) -> list[dict]:
        numbers = [line["line_number"] for line in lines]
        if len(set(numbers)) < len(numbers):
            raise serializers.ValidationError(_("A line is named twice."))
        return lines


class ShipmentSerializer(HouseSerializer):
    order = serializers.IntegerField(source="order_id", read_only=True)
    channel = serializers.CharField(source="order.channel.code", read_only=True)
    external_id = serializers.CharField(source="order.external_id", read_only=True)

    class Meta:
        model = Shipment
        fields = ("number", "order", "channel", "external_id", "shipped_at")


class SalesReturnLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = SalesReturnLine
        fields = ("line_number", "sku", "kind", "quantity", "unit_price", "is_restocked")


class SalesReturnSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    lines = SalesReturnLineSerializer(many=True, read_only=True)

    class Meta:
        model = SalesReturn
        fields = ("id", "channel", "external_id", "customer_reference", "returned_at", "lines")


class ReturnBodySerializer(serializers.Serializer):
    class LineSerializer(serializers.Serializer):
        sku = serializers.CharField(max_length=64)
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))
        restock = serializers.BooleanField(default=True)

        class Meta:
            ref_name = "ReturnLine"

    channel = serializers.CharField(max_length=32)
    external_id = serializers.CharField(max_length=64)
    order_external_id = serializers.CharField(max_length=64)
    lines = lines_of(LineSerializer, at_most=MAX_LINES)


class SalesImportSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = SalesImport
        fields = ("id", "file_name", "file_sha256", "channel", "warehouse", "counts", "started_at", "finished_at")
