"""Where a channel's order arrives (step 1 of the story), and what becomes of it: shipped, called off, sent back."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import AlreadyThere, ReadViewSet, documents, named_as
from config.kernel.idempotency import service_key
from warehouses.api import serializers
from warehouses.api.stock import view_only
from warehouses.models import SalesOrder, SalesOrderLine, SalesReturn, SalesReturnLine, Shipment
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, ship_order

# The services' names of what the API calls so.
_NAMES = {"sku_code": "sku", "channel_code": "channel", "warehouse_code": "warehouse"}
ORDER_EXAMPLE = OpenApiExample(
    "Two mugs from the web shop",
    request_only=True,
    value={
        "channel": "WEB",
        "external_id": "W-1001",
        "ordered_at": "2026-03-02T08:15:00Z",
        "customer_reference": "C-77",
        "ship_to_country": "GB",
        "lines": [{"sku": "MUG", "quantity": "2", "unit_price": "9.00"}],
    },
)


class SalesOrderViewSet(ReadViewSet):
    queryset = SalesOrder.objects.select_related("channel").prefetch_related(
        Prefetch("lines", SalesOrderLine.objects.select_related("sku", "warehouse").order_by("line_number"))
    )
    serializer_class = serializers.SalesOrderSerializer
    permission_map: ClassVar = {
        **view_only("warehouses.view_salesorder"),
        "create": "warehouses.add_salesorder",
        "cancel": "warehouses.cancel_salesorder",
        "ship": "warehouses.add_shipment",
    }
    filters: ClassVar = {
        "channel": "channel__code",
        "external_id": ("external_id", "exact", "in"),
        "status": ("status", "exact", "in"),
        "customer_reference": "customer_reference",
        "ordered_at": ("ordered_at", "gte", "lte"),
        "is_history": "is_history",
    }
    ordering_fields: ClassVar = ["ordered_at"]

    @documents(serializers.SaleBodySerializer, serializers.SalesOrderSerializer, examples=[ORDER_EXAMPLE])
    def create(self, request: Any) -> Response:
        """Take in an order: recorded once per channel and order number, stock reserved, the rest backordered.

        The same order again is answered with 200 and the order as it stands now, another one under its number with 409.
        """

        def effect() -> SalesOrder | AlreadyThere:
            body = self.body(serializers.SaleBodySerializer)
            lines = [
                SaleLine(line["sku"], line["quantity"], line["unit_price"], line.get("warehouse"))
                for line in body["lines"]
            ]
            sale = Sale(
                channel_code=body["channel"],
                external_id=body["external_id"],
                ordered_at=body["ordered_at"],
                lines=lines,
                customer_reference=body["customer_reference"],
                ship_to_country=body["ship_to_country"],
            )
            with named_as(_NAMES):
                order, is_new = record_sale(sale, now=self.now(), actor=request.user)
            document = self.get_queryset().get(pk=order.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, serializers.SalesOrderSerializer, where=self.below)

    @documents(None, serializers.SalesOrderSerializer, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, pk: Any = None) -> Response:
        """Call off what has not been shipped; its stock is free again."""
        order = self.get_object()

        def effect() -> SalesOrder:
            cancel_order(order.pk, now=self.now(), actor=request.user)
            return self.get_queryset().get(pk=order.pk)

        return self.make_once(effect, serializers.SalesOrderSerializer, made=200)

    @documents(serializers.ShipBodySerializer, serializers.ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def ship(self, request: Any, pk: Any = None) -> Response:
        """Ship what is reserved, wholly or by line."""
        order = self.get_object()

        def effect() -> Shipment:
            lines = self.body(serializers.ShipBodySerializer).get("lines")
            return ship_order(
                order.pk,
                key=service_key(request),
                quantities={line["line_number"]: line["quantity"] for line in lines} if lines else None,
                now=self.now(),
                actor=request.user,
            )

        return self.make_once(effect, serializers.ShipmentSerializer, where=_shipment_address)


def _shipment_address(shipment: Shipment) -> str:
    return f"/api/v1/shipments/{shipment.number}/"


class SalesOrderLineViewSet(ReadViewSet):
    queryset = SalesOrderLine.objects.select_related("order__channel", "sku", "warehouse")
    serializer_class = serializers.OrderLineRowSerializer
    permission_map: ClassVar = view_only("warehouses.view_salesorderline")
    filters: ClassVar = {
        "sku": "sku__code",
        "order": "order",
        "external_id": "order__external_id",
        "channel": "order__channel__code",
    }


class ShipmentViewSet(ReadViewSet):
    queryset = Shipment.objects.select_related("order__channel")
    serializer_class = serializers.ShipmentSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = view_only("warehouses.view_shipment")
    filters: ClassVar = {
        "order": "order",
        "external_id": "order__external_id",
        "shipped_at": ("shipped_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["shipped_at"]


class SalesReturnViewSet(ReadViewSet):
    queryset = SalesReturn.objects.select_related("channel").prefetch_related(
        Prefetch("lines", SalesReturnLine.objects.select_related("sku").order_by("line_number"))
    )
    serializer_class = serializers.SalesReturnSerializer
    permission_map: ClassVar = {**view_only("warehouses.view_salesreturn"), "create": "warehouses.add_salesreturn"}
    filters: ClassVar = {
        "channel": "channel__code",
        "external_id": "external_id",
        "returned_at": ("returned_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["returned_at"]

    @documents(serializers.ReturnBodySerializer, serializers.SalesReturnSerializer)
    def create(self, request: Any) -> Response:
        """Take back goods of an order, to stock or set aside; the same return again is answered with 200."""

        def effect() -> SalesReturn | AlreadyThere:
            body = self.body(serializers.ReturnBodySerializer)
            with named_as(_NAMES):
                made, is_new = receive_return(
                    channel_code=body["channel"],
                    external_id=body["external_id"],
                    order_external_id=body["order_external_id"],
                    lines=[ReturnLine(line["sku"], line["quantity"], line["restock"]) for line in body["lines"]],
                    now=self.now(),
                    actor=request.user,
                )
            document = self.get_queryset().get(pk=made.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, serializers.SalesReturnSerializer, where=self.below)
