"""Where a channel's order arrives (step 1 of the story), and what becomes of it: shipped, called off, sent back."""

from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import AlreadyThere, ReadViewSet, documents, named_as
from config.kernel.idempotency import service_key
from config.kernel.problems import problem_of
from warehouses.api import order_serializers as serializers
from warehouses.api.stock import view_only
from warehouses.models import SalesOrder, SalesOrderLine, SalesReturn, SalesReturnLine, Shipment
from warehouses.selectors.value import cost_of_shipment
from warehouses.services.returns import ReturnLine, receive_return
from warehouses.services.sales import Sale, SaleLine, cancel_order, mark_delivered, record_sale, ship_order

# The services' names of what the API calls so.
_NAMES = {
    "sku_code": "sku",
    "channel_code": "channel",
    "warehouse_code": "warehouse",
    "lot_code": "lot",
    "cart_external_id": "cart",
}
_EXAMPLE = {
    "channel": "WEB",
    "external_id": "W-1001",
    "ordered_at": "2026-03-02T08:15:00Z",
    "customer_reference": "C-77",
    "ship_to_country": "GB",
    "lines": [{"sku": "MUG", "quantity": "2", "unit_price": "9.00"}],
}
ORDER_EXAMPLE = OpenApiExample("Two mugs from the web shop", request_only=True, value=_EXAMPLE)
BATCH_EXAMPLE = OpenApiExample(
    "Two orders at once", request_only=True, value={"orders": [_EXAMPLE, {**_EXAMPLE, "external_id": "W-1002"}]}
)


class SalesOrderViewSet(ReadViewSet):
    queryset = SalesOrder.objects.select_related("channel").prefetch_related(
        Prefetch("lines", SalesOrderLine.objects.select_related("sku", "warehouse").order_by("line_number"))
    )
    serializer_class = serializers.SalesOrderSerializer
    permission_map: ClassVar = {
        **view_only("warehouses.view_salesorder"),
        "create": "warehouses.add_salesorder",
        "batch": "warehouses.add_salesorder",
        "cancel": "warehouses.cancel_salesorder",
        "ship": "warehouses.add_shipment",
        "deliver": "warehouses.deliver_salesorder",
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
        """Take in an order: recorded once per channel and order number, its warehouses chosen, its stock reserved.

        What is short is backordered; where the channel takes no backorders, or `on_short` is `refuse`, the order is
        answered with 409 `insufficient_stock`, naming every short line. The same order again is answered with 200 and
        the order as it stands now, another one under its number with 409.
        """

        def effect() -> SalesOrder | AlreadyThere:
            order, is_new = _record(self.body(serializers.SaleBodySerializer), now=self.now(), actor=request.user)
            return order if is_new else AlreadyThere(self.get_queryset().get(pk=order.pk))

        return self.make_once(effect, serializers.SalesOrderSerializer, where=self.below)

    @extend_schema(
        request=serializers.BatchSerializer,
        responses={207: serializers.BatchAnswerSerializer},
        examples=[BATCH_EXAMPLE],
    )
    @action(detail=False, methods=["post"])
    def batch(self, request: Any) -> Response:
        """Take in up to 200 orders, each in a transaction of its own; the answer says for each what became of it.

        Orders are known by their numbers, so the same batch again records nothing twice: what was recorded is `known`,
        and what was refused is tried again. A refused order stops no other.
        """
        orders = self.body(serializers.BatchBodySerializer)["orders"]
        results = [self._outcome(index, body) for index, body in enumerate(orders)]
        counts = {name: sum(one["outcome"] == name for one in results) for name in ("created", "known", "refused")}
        return Response({**counts, "results": results}, status=207)

    def _outcome(self, index: int, body: dict[str, Any]) -> dict[str, Any]:
        number = body.get("external_id")
        said = {"index": index, "external_id": number if isinstance(number, str) else None}
        try:
            reader = serializers.SaleBodySerializer(data=body, context=self.get_serializer_context())
            reader.is_valid(raise_exception=True)
            order, is_new = _record(reader.validated_data, now=self.now(), actor=self.request.user)
        except Exception as exc:
            problem = problem_of(exc)
            if problem is None:
                raise
            return {**said, "outcome": "refused", "id": None, "status": None, "problem": problem}
        outcome = "created" if is_new else "known"
        return {**said, "outcome": outcome, "id": order.pk, "status": order.status, "problem": None}

    @documents(serializers.CancelBodySerializer, serializers.SalesOrderSerializer, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, pk: Any = None) -> Response:
        """Call off what has not been shipped, wholly or by line; its stock is free again."""
        order = self.get_object()

        def effect() -> SalesOrder:
            quantities = _quantities(self.body(serializers.CancelBodySerializer))
            cancel_order(order.pk, quantities=quantities, now=self.now(), actor=request.user)
            return self.get_queryset().get(pk=order.pk)

        return self.make_once(effect, serializers.SalesOrderSerializer, made=200)

    @documents(serializers.ShipBodySerializer, serializers.ShipmentSerializer)
    @action(detail=True, methods=["post"])
    def ship(self, request: Any, pk: Any = None) -> Response:
        """Ship what is reserved, wholly or by line, from one warehouse."""
        order = self.get_object()

        def effect() -> Shipment:
            body = self.body(serializers.ShipBodySerializer)
            with named_as(_NAMES):
                return ship_order(
                    order.pk,
                    key=service_key(request),
                    quantities=_quantities(body),
                    warehouse_code=body["warehouse"] or None,
                    carrier=body["carrier"],
                    tracking_code=body["tracking_code"],
                    now=self.now(),
                    actor=request.user,
                )

        return self.make_once(effect, serializers.ShipmentSerializer, where=_shipment_address)

    @documents(serializers.DeliverBodySerializer, serializers.SalesOrderSerializer, made=200)
    @action(detail=True, methods=["post"])
    def deliver(self, request: Any, pk: Any = None) -> Response:
        """Say that a shipment, or all of a shipped order, has reached the customer."""
        order = self.get_object()

        def effect() -> SalesOrder:
            number = self.body(serializers.DeliverBodySerializer)["shipment"] or None
            mark_delivered(order.pk, shipment_number=number, now=self.now(), actor=request.user)
            return self.get_queryset().get(pk=order.pk)

        return self.make_once(effect, serializers.SalesOrderSerializer, made=200)


def _record(body: dict[str, Any], *, now: Any, actor: Any) -> tuple[SalesOrder, bool]:
    lines = [
        SaleLine(line["sku"], line["quantity"], line["unit_price"], line.get("warehouse"), line["unit"])
        for line in body["lines"]
    ]
    sale = Sale(
        channel_code=body["channel"],
        external_id=body["external_id"],
        ordered_at=body["ordered_at"],
        lines=lines,
        customer_reference=body["customer_reference"],
        ship_to_country=body["ship_to_country"],
        ship_to_latitude=body["ship_to_latitude"],
        ship_to_longitude=body["ship_to_longitude"],
        on_short=body["on_short"],
        cart_external_id=body["cart"],
    )
    with named_as(_NAMES):
        return record_sale(sale, now=now, actor=actor)


def _quantities(body: dict[str, Any]) -> dict[int, Decimal] | None:
    """Line number → units; None when the body names no lines."""
    return {line["line_number"]: line["quantity"] for line in body["lines"]} if body.get("lines") else None


def _shipment_address(shipment: Shipment) -> str:
    return f"/api/v1/shipments/{shipment.number}/"


class SalesOrderLineViewSet(ReadViewSet):
    queryset = SalesOrderLine.objects.select_related("order__channel", "sku", "warehouse", "kit_line")
    serializer_class = serializers.OrderLineRowSerializer
    permission_map: ClassVar = view_only("warehouses.view_salesorderline")
    filters: ClassVar = {
        "sku": "sku__code",
        "order": "order",
        "external_id": "order__external_id",
        "channel": "order__channel__code",
    }


class ShipmentViewSet(ReadViewSet):
    queryset = Shipment.objects.select_related("order__channel", "warehouse").annotate(goods_cost=cost_of_shipment())
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
                    lines=[
                        ReturnLine(line["sku"], line["quantity"], line["restock"], line["lot"], line["is_damaged"])
                        for line in body["lines"]
                    ],
                    now=self.now(),
                    actor=request.user,
                )
            document = self.get_queryset().get(pk=made.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, serializers.SalesReturnSerializer, where=self.below)
