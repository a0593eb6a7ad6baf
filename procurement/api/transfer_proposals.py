"""Transfer proposals over the API: stock that would do more good elsewhere, accepted or dismissed."""

from decimal import Decimal
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, QuantitySerializerField, ReadViewSet, documents
from procurement.api.action_messages import MessageDecisionSerializer
from procurement.models import TransferProposal
from procurement.services.rebalancing import accept_transfer_proposals, dismiss_transfer_proposals


class TransferAcceptanceSerializer(serializers.Serializer):
    quantity = QuantitySerializerField(min_value=Decimal("0.001"), required=False, allow_null=True, default=None)


class TransferProposalRowSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    source = serializers.CharField(source="source.code", read_only=True)  # type: ignore[assignment]
    target = serializers.CharField(source="target.code", read_only=True)
    run = serializers.IntegerField(source="run_id", read_only=True)

    class Meta:
        model = TransferProposal
        fields: tuple[str, ...] = (
            "id",
            "run",
            "status",
            "sku",
            "source",
            "target",
            "quantity",
            "accepted_quantity",
            "shortage_avoided",
            "cost",
            "saving",
            "transfer_id",
            "decided_at",
            "decision_note",
            "created_at",
        )


class TransferProposalSerializer(TransferProposalRowSerializer):
    """A proposal whole, with every number behind it."""

    class Meta(TransferProposalRowSerializer.Meta):
        fields: tuple[str, ...] = (*TransferProposalRowSerializer.Meta.fields, "explanation")


class TransferProposalViewSet(ReadViewSet):
    """Stock of one warehouse that would save more shortage in another than moving it costs."""

    queryset = TransferProposal.objects.select_related("sku", "source", "target")
    permission_map: ClassVar = {
        "list": "procurement.view_transferproposal",
        "retrieve": "procurement.view_transferproposal",
        "accept": "procurement.decide_transferproposal",
        "dismiss": "procurement.decide_transferproposal",
    }
    filters: ClassVar = {
        "status": ("status", "exact", "in"),
        "sku": ("sku__code", "exact", "in"),
        "source": "source__code",
        "target": "target__code",
    }
    ordering_fields: ClassVar = ["saving", "cost", "shortage_avoided", "created_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("explanation") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return TransferProposalRowSerializer if self.action == "list" else TransferProposalSerializer

    @documents(TransferAcceptanceSerializer, TransferProposalSerializer, made=200)
    @action(detail=True, methods=["post"])
    def accept(self, request: Any, pk: Any = None) -> Response:
        """Make a transfer of it and hold its stock; of another quantity where one is given."""
        row = self.get_object()

        def effect() -> TransferProposal:
            quantity = self.body(TransferAcceptanceSerializer)["quantity"]
            quantities = {} if quantity is None else {row.pk: quantity}
            accept_transfer_proposals([row.pk], actor=request.user, now=self.now(), quantities=quantities)
            return self.get_queryset().get(pk=row.pk)

        return self.make_once(effect, TransferProposalSerializer, made=200)

    @documents(MessageDecisionSerializer, TransferProposalSerializer, made=200)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Any, pk: Any = None) -> Response:
        """Leave the stock where it is, with a note why; quiet for a week."""
        row = self.get_object()

        def effect() -> TransferProposal:
            note = self.body(MessageDecisionSerializer)["note"]
            dismiss_transfer_proposals([row.pk], actor=request.user, now=self.now(), note=note)
            return self.get_queryset().get(pk=row.pk)

        return self.make_once(effect, TransferProposalSerializer, made=200)
