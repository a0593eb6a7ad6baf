"""Purchase orders and receipts over the API: the company's side and the supplier's, each with its own rights."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import IDEMPOTENCY_PARAMETER, ReadViewSet
from config.kernel.errors import NotFound
from config.kernel.idempotency import HEADER
from procurement.api import serializers
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.orders import add_to_draft, approve_order, cancel_order, send_order
from procurement.services.receipts import ReceivedLine, receive_goods


class PurchaseOrderViewSet(ReadViewSet):
    queryset = PurchaseOrder.objects.select_related("supplier", "warehouse").prefetch_related(
        Prefetch("lines", PurchaseOrderLine.objects.select_related("sku").prefetch_related("responses"))
    )
    serializer_class = serializers.PurchaseOrderSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        "list": "procurement.view_purchaseorder",
        "retrieve": "procurement.view_purchaseorder",
        "create": "procurement.add_purchaseorder",
        "approve": "procurement.approve_purchaseorder",
        "send": "procurement.send_purchaseorder",
        "cancel": "procurement.cancel_purchaseorder",
        "answer": "procurement.respond_purchaseorder",
    }
    filterset_fields: ClassVar = {
        "status": ["exact", "in"],
        "supplier__code": ["exact"],
        "warehouse__code": ["exact"],
        "created_at": ["gte", "lte"],
        "lines__sku__code": ["exact"],
    }
    ordering_fields: ClassVar = ["created_at", "sent_at"]

    @extend_schema(
        request=serializers.DraftBodySerializer,
        responses={201: serializers.PurchaseOrderSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    def create(self, request: Any) -> Response:
        """Add lines to the draft for a supplier and warehouse."""

        def effect() -> PurchaseOrder:
            body = self.body(serializers.DraftBodySerializer)
            for line in body["lines"]:
                order = add_to_draft(
                    body["supplier"].pk,
                    warehouse_id=body["warehouse"].pk,
                    sku_id=line["sku"].pk,
                    quantity=line["quantity"],
                    need_by=line["need_by"],
                    actor=request.user,
                    now=self.now(),
                )
            return self._read(order.pk if isinstance(order, PurchaseOrder) else order.order_id)

        return self.make_once(effect, serializers.PurchaseOrderSerializer)

    @extend_schema(
        request=serializers.ApproveBodySerializer,
        responses=serializers.PurchaseOrderSerializer,
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Any, number: str = "") -> Response:
        """Approve a draft."""
        order = self.get_object()

        def effect() -> PurchaseOrder:
            body = self.body(serializers.ApproveBodySerializer)
            approve_order(order.pk, actor=request.user, now=self.now(), override_minimum=body["override_minimum"])
            return self._read(order.pk)

        return self.make_once(effect, serializers.PurchaseOrderSerializer, made=200)

    @extend_schema(request=None, responses=serializers.PurchaseOrderSerializer, parameters=[IDEMPOTENCY_PARAMETER])
    @action(detail=True, methods=["post"])
    def send(self, request: Any, number: str = "") -> Response:
        """Send an approved order to its supplier."""
        order = self.get_object()

        def effect() -> PurchaseOrder:
            send_order(order.pk, actor=request.user, now=self.now())
            return self._read(order.pk)

        return self.make_once(effect, serializers.PurchaseOrderSerializer, made=200)

    @extend_schema(
        request=serializers.ReasonBodySerializer,
        responses=serializers.PurchaseOrderSerializer,
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, number: str = "") -> Response:
        """Cancel an order of which nothing has arrived."""
        order = self.get_object()

        def effect() -> PurchaseOrder:
            body = self.body(serializers.ReasonBodySerializer)
            cancel_order(order.pk, actor=request.user, now=self.now(), reason=body["reason"])
            return self._read(order.pk)

        return self.make_once(effect, serializers.PurchaseOrderSerializer, made=200)

    @extend_schema(
        request=serializers.AnswersBodySerializer,
        responses=serializers.PurchaseOrderSerializer,
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @action(detail=True, methods=["post"], url_path="answers")
    def answer(self, request: Any, number: str = "") -> Response:
        """The supplier's answer, line by line."""
        order = self.get_object()

        def effect() -> PurchaseOrder:
            body = self.body(serializers.AnswersBodySerializer)
            answers = [LineAnswer(**one) for one in body["answers"]]
            respond_to_order(order.pk, answers, actor=request.user, now=self.now())
            return self._read(order.pk)

        return self.make_once(effect, serializers.PurchaseOrderSerializer, made=200)

    def _read(self, pk: int) -> PurchaseOrder:
        return self.get_queryset().get(pk=pk)


class LineResponseViewSet(ReadViewSet):
    """Suppliers' answers; a change waits here for the planner."""

    queryset = LineResponse.objects.all()
    serializer_class = serializers.LineResponseSerializer
    permission_map: ClassVar = {
        "list": "procurement.view_lineresponse",
        "retrieve": "procurement.view_lineresponse",
        "decide": "procurement.decide_lineresponse",
    }
    filterset_fields: ClassVar = {"decision": ["exact"], "kind": ["exact"], "line__order__number": ["exact"]}
    ordering_fields: ClassVar = ["responded_at"]

    @extend_schema(
        request=serializers.DecideBodySerializer,
        responses=serializers.LineResponseSerializer,
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Any, pk: Any = None) -> Response:
        """Accept or decline a proposed change."""
        response = self.get_object()

        def effect() -> LineResponse:
            accept = self.body(serializers.DecideBodySerializer)["accept"]
            return decide_response(response.pk, accept=accept, actor=request.user, now=self.now())

        return self.make_once(effect, serializers.LineResponseSerializer, made=200)


class ReceiptViewSet(ReadViewSet):
    queryset = Receipt.objects.select_related("order").prefetch_related("lines__order_line__sku")
    serializer_class = serializers.ReceiptSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        "list": "procurement.view_receipt",
        "retrieve": "procurement.view_receipt",
        "create": "procurement.add_receipt",
    }
    filterset_fields: ClassVar = {"order__number": ["exact"], "received_at": ["gte", "lte"]}
    ordering_fields: ClassVar = ["received_at"]

    @extend_schema(
        request=serializers.ReceiptBodySerializer,
        responses={201: serializers.ReceiptSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    def create(self, request: Any) -> Response:
        """Take in what arrived, whole or in part; more than the tolerance allows is refused."""

        def effect() -> Receipt:
            body = self.body(serializers.ReceiptBodySerializer)
            order = PurchaseOrder.objects.for_actor(request.user).filter(number=body["order"]).first()
            if order is None:
                raise NotFound(f"There is no purchase order {body['order']}.")
            receipt, _is_new = receive_goods(
                order.pk,
                [ReceivedLine(**line) for line in body["lines"]],
                key=f"api:{request.user.pk}:{request.headers.get(HEADER) or self.now().isoformat()}",
                delivery_note=body["delivery_note"],
                location_id=body["location"],
                actor=request.user,
                now=self.now(),
            )
            return self.get_queryset().get(pk=receipt.pk)

        return self.make_once(effect, serializers.ReceiptSerializer)
