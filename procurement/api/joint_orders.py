"""Joint orders over the API: how a plan settled the lines of an order together."""

from typing import Any, ClassVar

from rest_framework import serializers

from config.kernel.api import HouseSerializer, ReadViewSet
from procurement.models import JointOrder


class JointOrderRowSerializer(HouseSerializer):
    supplier = serializers.CharField(source="supplier.code", read_only=True, allow_null=True, default=None)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, allow_null=True, default=None)
    budget = serializers.CharField(source="budget.name", read_only=True, allow_null=True, default=None)
    run = serializers.IntegerField(source="run_id", read_only=True)

    class Meta:
        model = JointOrder
        fields: tuple[str, ...] = (
            "id",
            "run",
            "supplier",
            "warehouse",
            "budget",
            "status",
            "currency",
            "line_count",
            "cost",
            "bound",
            "gap",
            "seconds",
            "created_at",
        )


class JointOrderSerializer(JointOrderRowSerializer):
    """An order whole: what binds, what would have to give way, and every line before and after."""

    class Meta(JointOrderRowSerializer.Meta):
        fields: tuple[str, ...] = (*JointOrderRowSerializer.Meta.fields, "binding", "relaxations", "lines")


class JointOrderViewSet(ReadViewSet):
    """The lines of an order settled together, with cost, bound and gap."""

    queryset = JointOrder.objects.select_related("supplier", "warehouse", "budget")
    permission_map: ClassVar = {"list": "procurement.view_jointorder", "retrieve": "procurement.view_jointorder"}
    filters: ClassVar = {
        "run": "run_id",
        "status": ("status", "exact", "in"),
        "supplier": ("supplier__code", "exact", "in"),
        "warehouse": "warehouse__code",
    }
    ordering_fields: ClassVar = ["created_at", "cost", "gap"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("binding", "relaxations", "lines") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return JointOrderRowSerializer if self.action == "list" else JointOrderSerializer
