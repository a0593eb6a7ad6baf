"""Clearance proposals over the API: excess stock and its way out, accepted or dismissed."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, ReadViewSet, documents
from procurement.api.action_messages import MessageDecisionSerializer
from procurement.models import ClearanceProposal
from procurement.services.clearance import accept_clearances, dismiss_clearances


class ClearanceRowSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    target = serializers.CharField(source="target.code", read_only=True, allow_null=True, default=None)
    supplier = serializers.CharField(source="supplier.code", read_only=True, allow_null=True, default=None)
    run = serializers.IntegerField(source="run_id", read_only=True)

    class Meta:
        model = ClearanceProposal
        fields: tuple[str, ...] = (
            "id",
            "run",
            "status",
            "sku",
            "warehouse",
            "cause",
            "way_out",
            "quantity",
            "discount",
            "target",
            "supplier",
            "expires_on",
            "value_at_risk",
            "expected_recovery",
            "recovery_if_kept",
            "sell_through_days",
            "decided_at",
            "decision_note",
            "created_at",
        )


class ClearanceSerializer(ClearanceRowSerializer):
    """A proposal whole: the ways out compared, and every number behind the chosen one."""

    class Meta(ClearanceRowSerializer.Meta):
        fields: tuple[str, ...] = (*ClearanceRowSerializer.Meta.fields, "alternatives", "explanation")


class ClearanceProposalViewSet(ReadViewSet):
    """Stock that will not sell in time, and the way out that brings most back."""

    queryset = ClearanceProposal.objects.select_related("sku", "warehouse", "target", "supplier")
    permission_map: ClassVar = {
        "list": "procurement.view_clearanceproposal",
        "retrieve": "procurement.view_clearanceproposal",
        "accept": "procurement.decide_clearanceproposal",
        "dismiss": "procurement.decide_clearanceproposal",
    }
    filters: ClassVar = {
        "status": ("status", "exact", "in"),
        "cause": ("cause", "exact", "in"),
        "way_out": ("way_out", "exact", "in"),
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "warehouse__code",
    }
    ordering_fields: ClassVar = ["value_at_risk", "expected_recovery", "expires_on", "created_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("explanation", "alternatives") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return ClearanceRowSerializer if self.action == "list" else ClearanceSerializer

    @documents(None, ClearanceSerializer, made=200)
    @action(detail=True, methods=["post"])
    def accept(self, request: Any, pk: Any = None) -> Response:
        """Begin the way out: a promotion, a draft transfer, or an event for the floor."""
        row = self.get_object()

        def effect() -> ClearanceProposal:
            accept_clearances([row.pk], actor=request.user, now=self.now())
            return self.get_queryset().get(pk=row.pk)

        return self.make_once(effect, ClearanceSerializer, made=200)

    @documents(MessageDecisionSerializer, ClearanceSerializer, made=200)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Any, pk: Any = None) -> Response:
        """Leave the stock as it is, with a note why; quiet for four weeks."""
        row = self.get_object()

        def effect() -> ClearanceProposal:
            note = self.body(MessageDecisionSerializer)["note"]
            dismiss_clearances([row.pk], actor=request.user, now=self.now(), note=note)
            return self.get_queryset().get(pk=row.pk)

        return self.make_once(effect, ClearanceSerializer, made=200)
