"""What the reconciler found, to be read and repaired."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, ReadViewSet, documents
from warehouses.models import StockDrift
from warehouses.services.repairs import WAYS, apply_repair


class StockDriftSerializer(HouseSerializer):
    ways = serializers.SerializerMethodField(help_text=str(_("How it may be repaired.")))
    repaired_by = serializers.CharField(source="actor.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = StockDrift
        fields = (
            "id", "kind", "subject", "state", "facts", "ways", "found_at", "last_seen_at", "ended_at", "repaired_by",
        )  # fmt: skip

    def get_ways(self, drift: StockDrift) -> list[str]:
        return list(drift.repair.get("ways", [])) if drift.state == StockDrift.State.OPEN else []


class RepairBodySerializer(serializers.Serializer):
    way = serializers.ChoiceField(choices=list(WAYS), required=False, help_text="One of the drift's ways.")


class StockDriftViewSet(ReadViewSet):
    """Two figures that must agree and do not, newest first. A repair is refused when they are no longer those found."""

    queryset = StockDrift.objects.select_related("actor")
    serializer_class = StockDriftSerializer
    permission_map: ClassVar = {
        "list": "warehouses.view_stockdrift",
        "retrieve": "warehouses.view_stockdrift",
        "repair": "warehouses.repair_stockdrift",
    }
    filters: ClassVar = {
        "state": ("state", "exact", "in"),
        "kind": ("kind", "exact", "in"),
        "subject": "subject",
        "found_at": ("found_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["found_at", "last_seen_at"]

    @documents(RepairBodySerializer, StockDriftSerializer, made=200)
    @action(detail=True, methods=["post"])
    def repair(self, request: Any, pk: Any = None) -> Response:
        """Apply a repair; the first way is taken when none is named."""
        drift = self.get_object()

        def effect() -> StockDrift:
            way = self.body(RepairBodySerializer).get("way", "")
            return apply_repair(drift.pk, actor=request.user, now=self.now(), way=way)

        return self.make_once(effect, StockDriftSerializer, made=200)
