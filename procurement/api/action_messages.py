"""Action messages over the API: what the plan would move, accepted or dismissed."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, ReadViewSet, documents
from procurement.models import ActionMessage
from procurement.services.message_decisions import accept_messages, dismiss_messages


class ActionMessageRowSerializer(HouseSerializer):
    order = serializers.CharField(source="line.order.number", read_only=True)
    line_id = serializers.IntegerField(read_only=True)
    line_number = serializers.IntegerField(source="line.line_number", read_only=True)
    sku = serializers.CharField(source="line.sku.code", read_only=True)
    supplier = serializers.CharField(source="line.order.supplier.code", read_only=True)
    warehouse = serializers.CharField(source="line.order.warehouse.code", read_only=True)
    currency = serializers.CharField(source="line.order.currency", read_only=True)
    run = serializers.IntegerField(source="run_id", read_only=True)

    class Meta:
        model = ActionMessage
        fields: tuple[str, ...] = (
            "id",
            "run",
            "kind",
            "status",
            "order",
            "line_id",
            "line_number",
            "sku",
            "supplier",
            "warehouse",
            "from_date",
            "to_date",
            "quantity",
            "value",
            "currency",
            "decided_at",
            "decision_note",
            "created_at",
        )


class ActionMessageSerializer(ActionMessageRowSerializer):
    """A message whole, with every number behind it."""

    class Meta(ActionMessageRowSerializer.Meta):
        fields: tuple[str, ...] = (*ActionMessageRowSerializer.Meta.fields, "explanation")


class MessageDecisionSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class ActionMessageViewSet(ReadViewSet):
    """Orders that should come sooner, later or not at all."""

    queryset = ActionMessage.objects.select_related("line__order__supplier", "line__order__warehouse", "line__sku")
    permission_map: ClassVar = {
        "list": "procurement.view_actionmessage",
        "retrieve": "procurement.view_actionmessage",
        "accept": "procurement.decide_actionmessage",
        "dismiss": "procurement.decide_actionmessage",
    }
    filters: ClassVar = {
        "status": ("status", "exact", "in"),
        "kind": ("kind", "exact", "in"),
        "order": "line__order__number",
        "sku": ("line__sku__code", "exact", "in"),
        "supplier": "line__order__supplier__code",
        "warehouse": "line__order__warehouse__code",
        "from_date": ("from_date", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["from_date", "to_date", "value", "created_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("explanation") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return ActionMessageRowSerializer if self.action == "list" else ActionMessageSerializer

    @documents(MessageDecisionSerializer, ActionMessageSerializer, made=200)
    @action(detail=True, methods=["post"])
    def accept(self, request: Any, pk: Any = None) -> Response:
        """Ask the supplier for the other day, or take the line off."""
        return self._decided(request, accept_messages)

    @documents(MessageDecisionSerializer, ActionMessageSerializer, made=200)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Any, pk: Any = None) -> Response:
        """Leave the order as it is, with a note why."""
        return self._decided(request, dismiss_messages)

    def _decided(self, request: Any, decide: Any) -> Response:
        message = self.get_object()

        def effect() -> ActionMessage:
            note = self.body(MessageDecisionSerializer)["note"]
            decide([message.pk], actor=request.user, now=self.now(), note=note)
            return self.get_queryset().get(pk=message.pk)

        return self.make_once(effect, ActionMessageSerializer, made=200)
