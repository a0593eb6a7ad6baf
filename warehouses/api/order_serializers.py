"""Orders, shipments and returns as JSON."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.kernel.api import HouseSerializer, QuantitySerializerField, lines_of
from warehouses.models import SalesOrder, SalesOrderLine, SalesReturn, SalesReturnLine, Shipment
from warehouses.selectors.sales import sourcing_sentences
from warehouses.selectors.value import cost_of_goods_by_shipment
from warehouses.services.sales import BACKORDER, REFUSE

MAX_LINES = 500
MAX_ORDERS = 200

_COUNTERS = (
    "quantity",
    "unit_price",
    "reserved_quantity",
    "picked_quantity",
    "shipped_quantity",
    "cancelled_quantity",
    "returned_quantity",
)


def top_lines(lines: Iterable[SalesOrderLine]) -> list[SalesOrderLine]:
    """The lines the channel sent; each kit with its parts as `shown_parts`."""
    shown: dict[int, Any] = {}
    for line in lines:
        if line.kit_line_id:
            shown[line.kit_line_id].shown_parts.append(line)  # a kit's number comes before its parts'
        else:
            shown[line.pk] = line
            line.shown_parts = []  # type: ignore[attr-defined]
    return list(shown.values())


class OrderPartSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = SalesOrderLine
        fields = ("line_number", "sku", "warehouse", "units_per_kit", *(c for c in _COUNTERS if c != "unit_price"))


class SalesOrderLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(
        source="warehouse.code", read_only=True, help_text="Where what is open waits; units may leave from others too."
    )
    parts = OrderPartSerializer(
        source="shown_parts", many=True, read_only=True, help_text="Of a kit: what is stocked and sent for it."
    )

    class Meta:
        model = SalesOrderLine
        fields: tuple[str, ...] = ("line_number", "sku", "is_kit", "warehouse", *_COUNTERS, "parts")


class SalesOrderSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    sourcing = serializers.SerializerMethodField(help_text="Why these warehouses, one sentence a reason.")
    lines = SalesOrderLineSerializer(source="shown_lines", many=True, read_only=True)

    class Meta:
        model = SalesOrder
        fields = (
            "id",
            "channel",
            "external_id",
            "status",
            "customer_reference",
            "ship_to_country",
            "ship_to_latitude",
            "ship_to_longitude",
            "is_history",
            "currency",
            "ordered_at",
            "recorded_at",
            "sourcing",
            "lines",
        )

    def get_sourcing(self, order: SalesOrder) -> list[str]:
        return sourcing_sentences(order)

    def to_representation(self, instance: Any) -> Any:
        """An order just written has its lines with it; of others they were read."""
        written = getattr(instance, "written_lines", None)
        instance.shown_lines = top_lines(instance.lines.all() if written is None else written)
        return super().to_representation(instance)


class OrderLineRowSerializer(HouseSerializer):
    """A line on its own, with its order."""

    order = serializers.IntegerField(source="order_id", read_only=True)
    external_id = serializers.CharField(source="order.external_id", read_only=True)
    channel = serializers.CharField(source="order.channel.code", read_only=True)
    ordered_at = serializers.DateTimeField(source="order.ordered_at", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    kit_line = serializers.IntegerField(
        source="kit_line.line_number",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="Of a part: the number of the line of its kit.",
    )

    class Meta:
        model = SalesOrderLine
        fields = (
            "id",
            "order",
            "external_id",
            "channel",
            "ordered_at",
            "line_number",
            "sku",
            "is_kit",
            "kit_line",
            "warehouse",
            *_COUNTERS,
        )


class SaleLineBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    quantity = QuantitySerializerField()
    unit = serializers.CharField(
        max_length=16,
        required=False,
        allow_blank=True,
        default="",
        help_text="What the quantity counts: a pack unit of the SKU, such as box. Empty: units of the SKU.",
    )
    unit_price = serializers.DecimalField(
        max_digits=18, decimal_places=4, min_value=Decimal(0), help_text="Of one unit of the SKU, whatever `unit` is."
    )
    warehouse = serializers.CharField(
        max_length=32, required=False, allow_null=True, help_text="Unsaid: chosen by stock, cost and rank."
    )


class SaleBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    external_id = serializers.CharField(max_length=64)
    ordered_at = serializers.DateTimeField()
    customer_reference = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    ship_to_country = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    ship_to_latitude = serializers.DecimalField(
        max_digits=8, decimal_places=5, required=False, allow_null=True, default=None
    )
    ship_to_longitude = serializers.DecimalField(
        max_digits=8, decimal_places=5, required=False, allow_null=True, default=None
    )
    on_short = serializers.ChoiceField(
        choices=[BACKORDER, REFUSE],
        default=BACKORDER,
        help_text="What is short waits for stock (where the channel takes backorders), or the order is refused.",
    )
    cart = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="The number of the cart whose held units become the order's.",
    )
    lines = lines_of(SaleLineBodySerializer, at_most=MAX_LINES)


class BatchBodySerializer(serializers.Serializer):
    """Each order is checked and recorded on its own; a malformed one does not stop the others."""

    orders = serializers.ListField(child=serializers.DictField(), allow_empty=False, max_length=MAX_ORDERS)


class BatchSerializer(serializers.Serializer):
    """What the batch is documented as."""

    orders = lines_of(SaleBodySerializer, at_most=MAX_ORDERS)


class OutcomeSerializer(serializers.Serializer):
    """One order of a batch."""

    index = serializers.IntegerField(help_text="Its place in the batch, from 0.")
    external_id = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(
        choices=["created", "known", "refused"], help_text="Known: recorded before, with the same contents."
    )
    id = serializers.IntegerField(allow_null=True)
    status = serializers.CharField(allow_null=True, help_text="Of the order; null when refused.")
    problem = serializers.DictField(allow_null=True, help_text="The problem document of a refused order.")


class BatchAnswerSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    known = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = OutcomeSerializer(many=True)


class LineQuantitySerializer(serializers.Serializer):
    line_number = serializers.IntegerField(min_value=1)
    quantity = QuantitySerializerField()

    class Meta:
        ref_name = "OrderLineQuantity"


class _QuantitiesSerializer(serializers.Serializer):
    lines = lines_of(LineQuantitySerializer, at_most=MAX_LINES, required=False)

    def validate_lines(self, lines: list[dict]) -> list[dict]:
        numbers = [line["line_number"] for line in lines]
        if len(set(numbers)) < len(numbers):
            raise serializers.ValidationError(_("A line is named twice."))
        return lines


class ShipBodySerializer(_QuantitiesSerializer):
    """Without `lines` everything reserved is shipped: of the whole order, or of the warehouse named."""

    warehouse = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default="", help_text="Needed when the goods lie in several."
    )
    carrier = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    tracking_code = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class CancelBodySerializer(_QuantitiesSerializer):
    """Without `lines` everything that has not left is cancelled."""


class DeliverBodySerializer(serializers.Serializer):
    """Without a shipment all of the order has arrived."""

    shipment = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")


class ShipmentSerializer(HouseSerializer):
    order = serializers.IntegerField(source="order_id", read_only=True)
    channel = serializers.CharField(source="order.channel.code", read_only=True)
    external_id = serializers.CharField(source="order.external_id", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, default=None, allow_null=True)
    cost_of_goods = serializers.SerializerMethodField(help_text="What the goods had cost, in the company's currency.")

    @extend_schema_field(serializers.DecimalField(max_digits=18, decimal_places=4))
    def get_cost_of_goods(self, shipment: Shipment) -> str:
        """Lists bring it along (`cost_of_shipment`); a single document looks it up."""
        cost = getattr(shipment, "goods_cost", None)
        if cost is None:
            cost = cost_of_goods_by_shipment([shipment.number]).get(shipment.number, Decimal(0))
        return f"{cost:.4f}"

    class Meta:
        model = Shipment
        fields = (
            "number",
            "order",
            "channel",
            "external_id",
            "warehouse",
            "carrier",
            "tracking_code",
            "shipped_at",
            "delivered_at",
            "cost_of_goods",
        )


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
        quantity = QuantitySerializerField()
        restock = serializers.BooleanField(default=True)
        lot = serializers.CharField(
            max_length=64,
            required=False,
            allow_blank=True,
            default="",
            help_text="The lot the units left with. Unsaid: the one that left first.",
        )
        is_damaged = serializers.BooleanField(default=False, help_text="Set aside as damaged, whatever `restock` says.")

        class Meta:
            ref_name = "ReturnLine"

    channel = serializers.CharField(max_length=32)
    external_id = serializers.CharField(max_length=64)
    order_external_id = serializers.CharField(max_length=64)
    lines = lines_of(LineSerializer, at_most=MAX_LINES)
