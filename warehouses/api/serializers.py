"""Places, stock and the ledger as JSON."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from config.kernel.api import HouseSerializer, QuantitySerializerField, by_code
from warehouses.models import (
    Location,
    Lot,
    SalesImport,
    StockLevel,
    StockMovement,
    StockStatus,
    Warehouse,
)
from warehouses.services.adjustments import KINDS
from warehouses.services.places import location_faults


class WarehouseSerializer(HouseSerializer):
    class Meta:
        model = Warehouse
        fields = ("code", "name", "city", "country", "time_zone", "is_active")


class LocationSerializer(HouseSerializer):
    warehouse = by_code(Warehouse)
    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.code",
        max_length=32,
        required=False,
        allow_null=True,
        help_text="The code of the place it lies in, of the same warehouse.",
    )

    class Meta:
        model = Location
        fields = ("id", "warehouse", "parent", "code", "level", "kind", "sequence", "capacity_units", "is_active")
        extra_kwargs: ClassVar = {"capacity_units": {"min_value": Decimal("0.001")}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The place as it will be has to fit into the tree."""
        warehouse = attrs.get("warehouse") or (self.instance.warehouse if self.instance else None)
        if "parent" in attrs:
            attrs["parent"] = self._parent(warehouse, (attrs["parent"] or {}).get("code"))
        columns = Location._meta.concrete_fields if self.instance else ()
        place = Location(**{column.attname: getattr(self.instance, column.attname) for column in columns})
        for name, value in attrs.items():
            setattr(place, name, value)
        if faults := location_faults(place):
            raise serializers.ValidationError({fault["field"]: [fault["message"]] for fault in faults})
        return attrs

    def _parent(self, warehouse: Warehouse | None, code: str | None) -> Location | None:
        if not code:
            return None
        parent = Location.objects.filter(warehouse=warehouse, code=code).first()
        if parent is None:
            raise serializers.ValidationError({"parent": [_("There is no place %s in this warehouse.") % code]})
        return parent


class LotSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = Lot
        fields = ("id", "sku", "code", "expires_on", "received_on")


class StockLevelSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="location.warehouse.code", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    location_kind = serializers.ChoiceField(
        source="location.kind",
        read_only=True,
        choices=Location.Kind.choices,
        help_text="What lies in returns or quarantine cannot be sold.",
    )
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)

    class Meta:
        model = StockLevel
        fields = (
            "id",
            "sku",
            "warehouse",
            "location",
            "location_kind",
            "lot",
            "status",
            "on_hand",
            "reserved",
            "updated_at",
        )


class StockMovementSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    warehouse = serializers.CharField(source="location.warehouse.code", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)

    class Meta:
        model = StockMovement
        fields = (
            "id",
            "kind",
            "sku",
            "warehouse",
            "location",
            "lot",
            "status",
            "quantity",
            "unit_cost",
            "reference",
            "reason",
            "happened_at",
            "recorded_at",
        )


class AdjustmentBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    warehouse = serializers.CharField(max_length=32)
    location = serializers.CharField(max_length=32)
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, allow_null=True, default=None)
    quantity = QuantitySerializerField(help_text="Signed: negative takes away.")
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in KINDS], default=StockMovement.Kind.ADJUSTMENT
    )
    unit_cost = serializers.DecimalField(
        max_digits=18, decimal_places=4, min_value=Decimal(0), required=False, allow_null=True, default=None
    )
    reason = serializers.CharField(max_length=200)
    status = serializers.ChoiceField(choices=StockStatus.choices, default=StockStatus.AVAILABLE)


class SalesImportSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = SalesImport
        fields = ("id", "file_name", "file_sha256", "channel", "warehouse", "counts", "started_at", "finished_at")
