"""Where stock can be asked for, and put right by hand."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.response import Response

from catalog.models import Sku
from config.kernel.api import CODE, ReadViewSet, WriteViewSet, documents
from config.kernel.errors import ValidationFailed
from config.kernel.idempotency import service_key
from warehouses.api import serializers
from warehouses.models import Location, Lot, StockLevel, StockMovement, Warehouse
from warehouses.services.adjustments import adjust_stock


def view_only(name: str) -> dict[str, str]:
    return {"list": name, "retrieve": name}


class WarehouseViewSet(ReadViewSet):
    queryset = Warehouse.objects.all()
    serializer_class = serializers.WarehouseSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = view_only("warehouses.view_warehouse")
    filters: ClassVar = {"is_active": "is_active", "country": "country"}
    ordering_fields: ClassVar = ["code", "name"]


class LocationViewSet(WriteViewSet):
    """The places of the warehouses: zones hold aisles and bins, stock lies in bins."""

    queryset = Location.objects.select_related("warehouse", "parent")
    serializer_class = serializers.LocationSerializer
    permission_map: ClassVar = {
        **view_only("warehouses.view_location"),
        "create": "warehouses.add_location",
        "partial_update": "warehouses.change_location",
    }
    filters: ClassVar = {
        "warehouse": "warehouse__code",
        "parent": "parent__code",
        "code": "code",
        "level": "level",
        "kind": "kind",
        "is_active": "is_active",
    }
    ordering_fields: ClassVar = ["code"]


class LotViewSet(ReadViewSet):
    queryset = Lot.objects.select_related("sku")
    serializer_class = serializers.LotSerializer
    permission_map: ClassVar = view_only("warehouses.view_lot")
    filters: ClassVar = {"sku": "sku__code", "code": "code", "expires_on": ("expires_on", "gte", "lte")}
    ordering_fields: ClassVar = ["expires_on"]


class StockLevelViewSet(ReadViewSet):
    """What lies where; units on hand that are not reserved can be sold, except those in returns and quarantine."""

    queryset = StockLevel.objects.select_related("sku", "location__warehouse", "lot")
    serializer_class = serializers.StockLevelSerializer
    permission_map: ClassVar = view_only("warehouses.view_stocklevel")
    filters: ClassVar = {
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "location__warehouse__code",
        "location": "location__code",
        "location_kind": "location__kind",
        "lot": "lot__code",
        "status": ("status", "exact", "in"),
        "on_hand": ("on_hand", "exact", "gte", "lte"),
        "reserved": ("reserved", "gte", "lte"),
        "updated_at": ("updated_at", "gte"),
    }
    ordering_fields: ClassVar = ["on_hand", "reserved", "updated_at"]


class StockMovementViewSet(ReadViewSet):
    """The ledger, newest first: only added to, never changed."""

    queryset = StockMovement.objects.select_related("sku", "location__warehouse", "lot")
    serializer_class = serializers.StockMovementSerializer
    permission_map: ClassVar = {**view_only("warehouses.view_stockmovement"), "create": "warehouses.adjust_stock"}
    filters: ClassVar = {
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "location__warehouse__code",
        "location": "location__code",
        "kind": ("kind", "exact", "in"),
        "reference": "reference",
        "happened_at": ("happened_at", "gte", "lte"),
    }

    @documents(serializers.AdjustmentBodySerializer, serializers.StockMovementSerializer)
    def create(self, request: Any) -> Response:
        """Adjust the stock of a SKU at a location, with a reason; a level that is not there yet is made."""

        def effect() -> StockMovement:
            body = self.body(serializers.AdjustmentBodySerializer)
            return adjust_stock(
                **self._place(body),
                quantity=body["quantity"],
                kind=body["kind"],
                unit_cost=body["unit_cost"],
                status=body["status"],
                reason=body["reason"],
                key=service_key(request),
                now=self.now(),
                actor=request.user,
            )

        return self.make_once(effect, serializers.StockMovementSerializer, where=self.below)

    def _place(self, body: dict[str, Any]) -> dict[str, Any]:
        """The ids behind the names; raises ValidationFailed with every name that is unknown."""
        user = self.request.user
        sku = Sku.objects.for_actor(user).filter(code=body["sku"]).first()
        place = (
            Location.objects.for_actor(user).filter(warehouse__code=body["warehouse"], code=body["location"]).first()
        )
        lot = Lot.objects.for_actor(user).filter(sku=sku, code=body["lot"]).first() if sku and body["lot"] else None
        unknown = {"sku": sku is None, "location": place is None, "lot": bool(body["lot"] and sku and lot is None)}
        items = [{"field": name, "message": _("There is no such one.")} for name, is_so in unknown.items() if is_so]
        if place is not None and place.kind == Location.Kind.IN_TRANSIT:
            message = _("What is in transit is received or closed short with its transfer.")
            items.append({"field": "location", "message": message})
        if items and not body["quantity"]:
            items.append({"field": "quantity", "message": _("The quantity must not be zero.")})
        if sku is None or place is None or items:
            raise ValidationFailed(_("The stock cannot be adjusted."), items=items)
        return {"sku_id": sku.pk, "location_id": place.pk, "lot_id": lot and lot.pk}
