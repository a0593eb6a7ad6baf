"""Every route of the app, and the files of sales that were taken in."""

from typing import ClassVar

from config.kernel.api import ReadViewSet
from warehouses.api import serializers
from warehouses.api.orders import SalesOrderLineViewSet, SalesOrderViewSet, SalesReturnViewSet, ShipmentViewSet
from warehouses.api.stock import (
    LocationViewSet,
    LotViewSet,
    StockLevelViewSet,
    StockMovementViewSet,
    WarehouseViewSet,
    view_only,
)
from warehouses.models import SalesImport


class SalesImportViewSet(ReadViewSet):
    queryset = SalesImport.objects.select_related("channel", "warehouse")
    serializer_class = serializers.SalesImportSerializer
    permission_map: ClassVar = view_only("warehouses.view_salesimport")
    filters: ClassVar = {"channel": "channel__code", "file_sha256": "file_sha256"}
    ordering_fields: ClassVar = ["started_at"]


ROUTES = [
    ("warehouses", WarehouseViewSet),
    ("locations", LocationViewSet),
    ("lots", LotViewSet),
    ("stock-levels", StockLevelViewSet),
    ("stock-movements", StockMovementViewSet),
    ("orders", SalesOrderViewSet),
    ("order-lines", SalesOrderLineViewSet),
    ("shipments", ShipmentViewSet),
    ("returns", SalesReturnViewSet),
    ("sales-imports", SalesImportViewSet),
]
