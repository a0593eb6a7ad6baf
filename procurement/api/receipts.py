"""Goods that arrive, over the API (step 12 of the story)."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.response import Response

from config.kernel.api import ReadViewSet, documents
from config.kernel.errors import NotFound
from config.kernel.idempotency import service_key
from procurement.api import order_serializers as serializers
from procurement.models import PurchaseOrder, Receipt
from procurement.services.receipts import ReceivedLine, receive_goods


class ReceiptViewSet(ReadViewSet):
    queryset = Receipt.objects.select_related("order").prefetch_related("lines__order_line__sku")
    serializer_class = serializers.ReceiptSerializer
    lookup_field = lookup_url_kwarg = "number"
    writes_master_data = True
    permission_map: ClassVar = {
        "list": "procurement.view_receipt",
        "retrieve": "procurement.view_receipt",
        "create": "procurement.add_receipt",
    }
    filters: ClassVar = {
        "order": "order__number",
        "delivery_note": "delivery_note",
        "received_at": ("received_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["received_at"]

    @documents(serializers.ReceiptBodySerializer, serializers.ReceiptSerializer)
    def create(self, request: Any) -> Response:
        """Take in what arrived, whole or in part; more than the tolerance allows is refused."""

        def effect() -> Receipt:
            body = self.body(serializers.ReceiptBodySerializer)
            order = PurchaseOrder.objects.for_actor(request.user).filter(number=body["order"]).first()
            if order is None:
                raise NotFound(_("There is no purchase order %s.") % body["order"])
            receipt, _is_new = receive_goods(
                order.pk,
                [ReceivedLine(**line) for line in body["lines"]],
                key=service_key(request),
                delivery_note=body["delivery_note"],
                location_id=body["location"],
                actor=request.user,
                now=self.now(),
            )
            return self.get_queryset().get(pk=receipt.pk)

        return self.make_once(effect, serializers.ReceiptSerializer, where=self.below)
