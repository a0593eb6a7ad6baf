"""Where a channel's order arrives (step 1 of the story), and where stock can be asked for."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import IDEMPOTENCY_PARAMETER, ReadViewSet
from config.kernel.errors import NotFound
from config.kernel.idempotency import HEADER
from warehouses.api import serializers
from warehouses.models import (
    Location,
    Lot,
    SalesImport,
    SalesOrder,
    SalesOrderLine,
    SalesReturn,
    Shipment,
    StockLevel,
    StockMovement,
    Warehouse,
)
from warehouses.services.adjustments import adjust_stock
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale, ship_order


def view_only(name: str) -> dict[str, str]:
    return {"list": name, "retrieve": name}


class WarehouseViewSet(ReadViewSet):
    queryset = Warehouse.objects.all()
    serializer_class = serializers.WarehouseSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", r"[^/]+", "code"
    permission_map: ClassVar = view_only("warehouses.view_warehouse")
    filterset_fields: ClassVar = ["is_active", "country"]
    ordering_fields: ClassVar = ["code", "name"]


class LocationViewSet(ReadViewSet):
    queryset = Location.objects.select_related("warehouse")
    serializer_class = serializers.LocationSerializer
    permission_map: ClassVar = view_only("warehouses.view_location")
    filterset_fields: ClassVar = {"warehouse__code": ["exact"], "kind": ["exact"], "is_active": ["exact"]}
    ordering_fields: ClassVar = ["code"]


class LotViewSet(ReadViewSet):
    queryset = Lot.objects.select_related("sku")
    serializer_class = serializers.LotSerializer
    permission_map: ClassVar = view_only("warehouses.view_lot")
    filterset_fields: ClassVar = {"sku__code": ["exact"], "expires_on": ["gte", "lte"]}
    ordering_fields: ClassVar = ["expires_on"]


class StockLevelViewSet(ReadViewSet):
    queryset = StockLevel.objects.select_related("sku", "location__warehouse", "lot")
    serializer_class = serializers.StockLevelSerializer
    permission_map: ClassVar = view_only("warehouses.view_stocklevel")
    filterset_fields: ClassVar = {
        "sku__code": ["exact", "in"],
        "location__warehouse__code": ["exact"],
        "location__code": ["exact"],
        "on_hand": ["gte", "lte"],
    }
    ordering_fields: ClassVar = ["on_hand", "reserved", "updated_at"]


class StockMovementViewSet(ReadViewSet):
    queryset = StockMovement.objects.select_related("sku", "location__warehouse", "lot")
    serializer_class = serializers.StockMovementSerializer
    permission_map: ClassVar = {**view_only("warehouses.view_stockmovement"), "create": "warehouses.adjust_stock"}
    filterset_fields: ClassVar = {
        "sku__code": ["exact"],
        "location__warehouse__code": ["exact"],
        "kind": ["exact"],
        "reference": ["exact"],
        "happened_at": ["gte", "lte"],
    }
    ordering_fields: ClassVar = ["happened_at"]

    @extend_schema(
        request=serializers.AdjustmentBodySerializer,
        responses={201: serializers.StockMovementSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    def create(self, request: Any) -> Response:
        """Adjust the stock of a SKU at a location, with a reason."""

        def effect() -> StockMovement:
            body = self.body(serializers.AdjustmentBodySerializer)
            level = (
                StockLevel.objects.for_actor(request.user)
                .filter(
                    sku__code=body["sku"],
                    location__code=body["location"],
                    location__warehouse__code=body["warehouse"],
                    lot=None,
                )
                .values("sku_id", "location_id")
                .first()
            )
            if level is None:
                raise NotFound(f"{body['sku']} has no stock level at {body['warehouse']}/{body['location']}.")
            return adjust_stock(
                **level,
                quantity=body["quantity"],
                reason=body["reason"],
                key=f"api:{request.user.pk}:{request.headers.get(HEADER) or self.now().isoformat()}",
                now=self.now(),
                actor=request.user,
            )

        return self.make_once(effect, serializers.StockMovementSerializer)


class SalesOrderViewSet(ReadViewSet):
    queryset = SalesOrder.objects.select_related("channel").prefetch_related("lines__sku", "lines__warehouse")
    serializer_class = serializers.SalesOrderSerializer
    permission_map: ClassVar = {
        **view_only("warehouses.view_salesorder"),
        "create": "warehouses.add_salesorder",
        "cancel": "warehouses.cancel_salesorder",
        "ship": "warehouses.add_shipment",
    }
    filterset_fields: ClassVar = {
        "channel__code": ["exact"],
        "external_id": ["exact"],
        "status": ["exact", "in"],
        "ordered_at": ["gte", "lte"],
        "is_history": ["exact"],
    }
    ordering_fields: ClassVar = ["ordered_at"]

    @extend_schema(
        request=serializers.SaleBodySerializer,
        responses={201: serializers.SalesOrderSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    def create(self, request: Any) -> Response:
        """Take in an order: recorded once per channel and order number, stock reserved, the rest backordered."""

        def effect() -> SalesOrder:
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
            order, _is_new = record_sale(sale, now=self.now(), actor=request.user)
            return self.queryset.get(pk=order.pk)

        return self.make_once(effect, serializers.SalesOrderSerializer)

    @extend_schema(request=None, responses=serializers.SalesOrderSerializer, parameters=[IDEMPOTENCY_PARAMETER])
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, pk: Any = None) -> Response:
        """Call off what has not been shipped; its stock is free again."""
        order = self.get_object()

        def effect() -> SalesOrder:
            cancel_order(order.pk, now=self.now(), actor=request.user)
            return self.queryset.get(pk=order.pk)

        return self.make_once(effect, serializers.SalesOrderSerializer, made=200)

    @extend_schema(
        request=serializers.ShipBodySerializer,
        responses={201: serializers.ShipmentSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def ship(self, request: Any, pk: Any = None) -> Response:
        """Ship what is reserved, wholly or by line."""
        order = self.get_object()

        def effect() -> Shipment:
            lines = self.body(serializers.ShipBodySerializer).get("lines")
            return ship_order(
                order.pk,
                key=f"api:{request.user.pk}:{request.headers.get(HEADER) or self.now().isoformat()}",
                quantities={line["line_number"]: line["quantity"] for line in lines} if lines else None,
                now=self.now(),
                actor=request.user,
            )

        return self.make_once(effect, serializers.ShipmentSerializer)


class SalesOrderLineViewSet(ReadViewSet):
    queryset = SalesOrderLine.objects.select_related("order__channel", "sku", "warehouse")
    serializer_class = serializers.OrderLineRowSerializer
    permission_map: ClassVar = view_only("warehouses.view_salesorderline")
    filterset_fields: ClassVar = {
        "sku__code": ["exact"],
        "order__external_id": ["exact"],
        "order__channel__code": ["exact"],
    }
    ordering_fields: ClassVar[list[str]] = []


class ShipmentViewSet(ReadViewSet):
    queryset = Shipment.objects.select_related("order")
    serializer_class = serializers.ShipmentSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = view_only("warehouses.view_shipment")
    filterset_fields: ClassVar = {"order__external_id": ["exact"], "shipped_at": ["gte", "lte"]}
    ordering_fields: ClassVar = ["shipped_at"]


class SalesReturnViewSet(ReadViewSet):
    queryset = SalesReturn.objects.select_related("channel").prefetch_related("lines__sku")
    serializer_class = serializers.SalesReturnSerializer
    permission_map: ClassVar = {**view_only("warehouses.view_salesreturn"), "create": "warehouses.add_salesreturn"}
    filterset_fields: ClassVar = {
        "channel__code": ["exact"],
        "external_id": ["exact"],
        "returned_at": ["gte", "lte"],
    }
    ordering_fields: ClassVar = ["returned_at"]

    @extend_schema(
        request=serializers.ReturnBodySerializer,
        responses={201: serializers.SalesReturnSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    def create(self, request: Any) -> Response:
        """Take back goods of an order, to stock or set aside."""

        def effect() -> SalesReturn:
            body = self.body(serializers.ReturnBodySerializer)
            made, _is_new = receive_return(
                channel_code=body["channel"],
                external_id=body["external_id"],
                order_external_id=body["order_external_id"],
                lines=[ReturnLine(line["sku"], line["quantity"], line["restock"]) for line in body["lines"]],
                now=self.now(),
                actor=request.user,
            )
            return self.queryset.get(pk=made.pk)

        return self.make_once(effect, serializers.SalesReturnSerializer)


class SalesImportViewSet(ReadViewSet):
    queryset = SalesImport.objects.select_related("channel", "warehouse")
    serializer_class = serializers.SalesImportSerializer
    permission_map: ClassVar = view_only("warehouses.view_salesimport")
    filterset_fields: ClassVar = {"channel__code": ["exact"], "file_sha256": ["exact"]}
    ordering_fields: ClassVar = ["started_at"]


ROUTES = [
    ("warehouses", WarehouseViewSet),
    ("locations", LocationViewSet),
    ("lots", LotViewSet),
    ("stock-levels", StockLevelViewSet),
    ("stock-movements", StockMovementViewSet),
    ("orders", SalesOrderViewSet),
    ("order-lines", SalesOrderLineViewSet),
    ("shipments", ShipmentViewSet),
    ("returns", SalesReturnViewSet),
    ("sales-imports", SalesImportViewSet),
]
