"""Purchase orders over the API: the company's side and the supplier's, each with its own rights."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import ReadViewSet, documents
from config.kernel.errors import NotFound, ValidationFailed
from procurement.api import order_serializers as serializers
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.orders import (
    add_to_draft,
    approve_order,
    cancel_order,
    change_draft_line,
    close_short,
    remove_draft_line,
    send_order,
)

_Order = serializers.PurchaseOrderSerializer


class PurchaseOrderViewSet(ReadViewSet):
    """Orders to suppliers. A supplier's user sees the sent orders of that supplier and may answer them."""

    queryset = PurchaseOrder.objects.select_related("supplier", "warehouse").prefetch_related(
        Prefetch("lines", PurchaseOrderLine.objects.select_related("sku").prefetch_related("responses"))
    )
    serializer_class = _Order
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        "list": "procurement.view_purchaseorder",
        "retrieve": "procurement.view_purchaseorder",
        "create": "procurement.add_purchaseorder",
        "change_line": "procurement.change_purchaseorderline",
        "remove_line": "procurement.change_purchaseorderline",
        "approve": "procurement.approve_purchaseorder",
        "send": "procurement.send_purchaseorder",
        "cancel": "procurement.cancel_purchaseorder",
        "close_short": "procurement.cancel_purchaseorder",
        "respond": "procurement.respond_purchaseorder",
    }
    filters: ClassVar = {
        "number": ("number", "exact", "in"),
        "status": ("status", "exact", "in"),
        "supplier": "supplier__code",
        "warehouse": "warehouse__code",
        "sku": "lines__sku__code",
        "created_at": ("created_at", "gte", "lte"),
        "sent_at": ("sent_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["created_at", "sent_at"]

    @documents(serializers.DraftBodySerializer, _Order)
    def create(self, request: Any) -> Response:
        """Add lines to the draft for a supplier and warehouse, which is made where there is none."""

        def effect() -> PurchaseOrder:
            body = self.body(serializers.DraftBodySerializer)
            return self._read(_filled_draft(body, actor=request.user, now=self.now()))

        return self.make_once(effect, _Order, where=self.below)

    @documents(serializers.DraftLineChangeSerializer, _Order, made=200)
    @action(detail=True, methods=["patch"], url_path=r"lines/(?P<line_number>[0-9]{1,9})")
    def change_line(self, request: Any, number: str = "", line_number: str = "") -> Response:
        """Another quantity or day for a line of a draft, at the price of that quantity."""
        order, line = self._order_and_line(line_number)

        def effect(order_id: int) -> None:
            body = self.body(serializers.DraftLineChangeSerializer)
            quantity = body.get("quantity", line.quantity)
            change_draft_line(
                line.pk, quantity=quantity, need_by=body.get("need_by"), actor=request.user, now=self.now()
            )

        return self._act(order, effect)

    @documents(None, _Order, made=200)
    @change_line.mapping.delete
    def remove_line(self, request: Any, number: str = "", line_number: str = "") -> Response:
        """Take a line off a draft."""
        order, line = self._order_and_line(line_number)
        return self._act(order, lambda _id: remove_draft_line(line.pk, actor=request.user, now=self.now()))

    @documents(serializers.ApproveBodySerializer, _Order, made=200)
    @action(detail=True, methods=["post"])
    def approve(self, request: Any, number: str = "") -> Response:
        """Approve a draft; below the supplier's minimum order value only with `override_minimum`."""

        def effect(order_id: int) -> None:
            body = self.body(serializers.ApproveBodySerializer)
            approve_order(order_id, actor=request.user, now=self.now(), override_minimum=body["override_minimum"])

        return self._act(self.get_object(), effect)

    @documents(None, _Order, made=200)
    @action(detail=True, methods=["post"])
    def send(self, request: Any, number: str = "") -> Response:
        """Send an approved order to its supplier."""
        return self._act(self.get_object(), lambda pk: send_order(pk, actor=request.user, now=self.now()))

    @documents(serializers.ReasonBodySerializer, _Order, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, number: str = "") -> Response:
        """Cancel an order of which nothing has arrived."""

        def effect(order_id: int) -> None:
            reason = self.body(serializers.ReasonBodySerializer)["reason"]
            cancel_order(order_id, actor=request.user, now=self.now(), reason=reason)

        return self._act(self.get_object(), effect)

    @documents(serializers.ReasonBodySerializer, _Order, made=200)
    @action(detail=True, methods=["post"], url_path="close-short")
    def close_short(self, request: Any, number: str = "") -> Response:
        """The rest of a partially received order will not come: it counts as received."""

        def effect(order_id: int) -> None:
            reason = self.body(serializers.ReasonBodySerializer)["reason"]
            close_short(order_id, actor=request.user, now=self.now(), reason=reason)

        return self._act(self.get_object(), effect)

    @documents(serializers.AnswersBodySerializer, _Order, made=200)
    @action(detail=True, methods=["post"])
    def respond(self, request: Any, number: str = "") -> Response:
        """The supplier's answer, line by line: accept, propose a change, or reject."""

        def effect(order_id: int) -> None:
            answers = [LineAnswer(**one) for one in self.body(serializers.AnswersBodySerializer)["answers"]]
            respond_to_order(order_id, answers, actor=request.user, now=self.now())

        return self._act(self.get_object(), effect)

    def _act(self, order: PurchaseOrder, effect: Callable[[int], Any]) -> Response:
        def done() -> PurchaseOrder:
            effect(order.pk)
            return self._read(order.pk)

        return self.make_once(done, _Order, made=200)

    def _order_and_line(self, line_number: str) -> tuple[PurchaseOrder, PurchaseOrderLine]:
        order = self.get_object()
        line = next((line for line in order.lines.all() if line.line_number == int(line_number)), None)
        if line is None:
            raise NotFound(_("%(order)s has no line %(line)s.") % {"order": order.number, "line": line_number})
        return order, line

    def _read(self, pk: int) -> PurchaseOrder:
        return self.get_queryset().get(pk=pk)


def _filled_draft(body: dict[str, Any], *, actor: Any, now: Any) -> int:
    """The id of the draft with all the lines on it. Raises ValidationFailed naming every line that cannot be bought."""
    order_id, items = 0, []
    for place, wanted in enumerate(body["lines"], start=1):
        try:
            line = add_to_draft(
                body["supplier"].pk,
                warehouse_id=body["warehouse"].pk,
                sku_id=wanted["sku"].pk,
                quantity=wanted["quantity"],
                need_by=wanted["need_by"],
                actor=actor,
                now=now,
            )
            order_id = line.order_id
        except ValidationFailed as exc:
            items.append({"line": place, "sku": wanted["sku"].code, "message": str(exc)})
    if items:
        raise ValidationFailed(" ".join(item["message"] for item in items), items=items)
    return order_id


class LineResponseViewSet(ReadViewSet):
    """Suppliers' answers; a change waits here for the planner."""

    queryset = LineResponse.objects.select_related("line__order", "line__sku")
    serializer_class = serializers.LineResponseRowSerializer
    permission_map: ClassVar = {
        "list": "procurement.view_lineresponse",
        "retrieve": "procurement.view_lineresponse",
        "decide": "procurement.decide_lineresponse",
    }
    filters: ClassVar = {
        "decision": "decision",
        "kind": "kind",
        "order": "line__order__number",
        "responded_at": ("responded_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["responded_at"]

    @documents(serializers.DecideBodySerializer, serializers.LineResponseRowSerializer, made=200)
    @action(detail=True, methods=["post"])
    def decide(self, request: Any, pk: Any = None) -> Response:
        """Accept or decline a proposed change."""
        response = self.get_object()

        def effect() -> LineResponse:
            accept = self.body(serializers.DecideBodySerializer)["accept"]
            decide_response(response.pk, accept=accept, actor=request.user, now=self.now())
            return self.get_queryset().get(pk=response.pk)

        return self.make_once(effect, serializers.LineResponseRowSerializer, made=200)
