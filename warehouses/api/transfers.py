"""Transfers between warehouses: written, held, sent, received, closed short or called off."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import AlreadyThere, ReadViewSet, documents
from config.kernel.errors import ValidationFailed
from config.kernel.idempotency import service_key
from warehouses.api import transfer_serializers as serializers
from warehouses.api.stock import view_only
from warehouses.models import Location, Transfer, TransferLine
from warehouses.services.transfer_arrivals import Arrival
from warehouses.services.transfers import (
    TransferItem,
    cancel_transfer,
    close_transfer_short,
    create_transfer,
    receive_transfer,
    reserve_transfer,
    ship_transfer,
)

_Transfer = serializers.TransferSerializer


class TransferViewSet(ReadViewSet):
    """Goods that go from one warehouse to another; what has left and not arrived is in transit."""

    queryset = Transfer.objects.select_related("source", "destination").prefetch_related(
        Prefetch("lines", TransferLine.objects.select_related("sku", "lot").order_by("line_number"))
    )
    serializer_class = _Transfer
    lookup_field = lookup_url_kwarg = "number"
    writes_master_data = True
    permission_map: ClassVar = {
        **view_only("warehouses.view_transfer"),
        "create": "warehouses.add_transfer",
        "reserve": "warehouses.add_transfer",
        "ship": "warehouses.ship_transfer",
        "receive": "warehouses.receive_transfer",
        "close_short": "warehouses.receive_transfer",
        "cancel": "warehouses.cancel_transfer",
    }
    filters: ClassVar = {
        "number": ("number", "exact", "in"),
        "status": ("status", "exact", "in"),
        "source": "source__code",
        "destination": "destination__code",
        "sku": "lines__sku__code",
        "expected_on": ("expected_on", "gte", "lte"),
        "created_at": ("created_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["created_at", "expected_on"]

    @documents(serializers.TransferBodySerializer, _Transfer)
    def create(self, request: Any) -> Response:
        """Write a transfer down. It may be short of stock until it is reserved; every fault of every line is named."""

        def effect() -> Transfer | AlreadyThere:
            body = self.body(serializers.TransferBodySerializer)
            transfer, is_new = create_transfer(
                [TransferItem(line["sku"], line["quantity"], line["lot"], line["unit"]) for line in body["lines"]],
                source_code=body["source"],
                destination_code=body["destination"],
                expected_on=body["expected_on"],
                note=body["note"],
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )
            document = self._read(transfer.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, _Transfer, where=self.below)

    @documents(None, _Transfer, made=200)
    @action(detail=True, methods=["post"])
    def reserve(self, request: Any, number: str = "") -> Response:
        """Hold at the source all that has not left yet; a shortage names every line and holds nothing."""
        return self._act(lambda pk: reserve_transfer(pk, now=self.now(), actor=request.user))

    @documents(serializers.ShipTransferBodySerializer, _Transfer, made=200)
    @action(detail=True, methods=["post"])
    def ship(self, request: Any, number: str = "") -> Response:
        """Send what is held, wholly or by line."""

        def effect(transfer_id: int) -> None:
            lines = self.body(serializers.ShipTransferBodySerializer).get("lines")
            ship_transfer(
                transfer_id,
                quantities={line["line_number"]: line["quantity"] for line in lines} if lines else None,
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )

        return self._act(effect)

    @documents(serializers.ReceiveTransferBodySerializer, _Transfer, made=200)
    @action(detail=True, methods=["post"])
    def receive(self, request: Any, number: str = "") -> Response:
        """Take in what arrived, good and damaged; more than is under way is refused."""

        def effect(transfer_id: int) -> None:
            body = self.body(serializers.ReceiveTransferBodySerializer)
            lines = body.get("lines")
            receive_transfer(
                transfer_id,
                [Arrival(line["line_number"], line["good"], line["damaged"]) for line in lines] if lines else None,
                location_id=_location_id(transfer_id, body["location"]),
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )

        return self._act(effect)

    @documents(None, _Transfer, made=200)
    @action(detail=True, methods=["post"], url_path="close-short")
    def close_short(self, request: Any, number: str = "") -> Response:
        """What is under way will not arrive: it is written off. What has not left stays and is free again."""
        return self._act(lambda pk: close_transfer_short(pk, now=self.now(), actor=request.user))

    @documents(None, _Transfer, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, number: str = "") -> Response:
        """Call off a transfer of which nothing has left."""
        return self._act(lambda pk: cancel_transfer(pk, now=self.now(), actor=request.user))

    def _act(self, effect: Callable[[int], Any]) -> Response:
        transfer = self.get_object()

        def done() -> Transfer:
            effect(transfer.pk)
            return self._read(transfer.pk)

        return self.make_once(done, _Transfer, made=200)

    def _read(self, pk: int) -> Transfer:
        return self.get_queryset().get(pk=pk)  # type: ignore[no-any-return]


def _location_id(transfer_id: int, code: str | None) -> int | None:
    """The bin of the destination with this code."""
    if not code:
        return None
    found = Location.objects.filter(warehouse__transfers_in=transfer_id, code=code).values_list("pk", flat=True).first()
    if found is None:
        items = [{"field": "location", "message": _("There is no such place at the destination.")}]
        raise ValidationFailed(_("Nothing was received."), items=items)
    return found
