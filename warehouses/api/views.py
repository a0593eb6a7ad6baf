"""Every route of the app, and the files of sales that were taken in."""

from typing import ClassVar

from config.kernel.api import ReadViewSet
from warehouses.api import serializers
from warehouses.api.carts import CartViewSet
from warehouses.api.channel_events import ChannelEventViewSet
from warehouses.api.counts import CountSheetViewSet
from warehouses.api.drift import StockDriftViewSet
from warehouses.api.moves import KitAssemblyViewSet, StatusChangeViewSet, StockMoveViewSet
from warehouses.api.orders import SalesOrderLineViewSet, SalesOrderViewSet, SalesReturnViewSet, ShipmentViewSet
from warehouses.api.promising import AvailableToPromiseViewSet
from warehouses.api.quotas import ChannelQuotaViewSet
from warehouses.api.scan import ScanViewSet
from warehouses.api.stock import (
    LocationViewSet,
    LotViewSet,
    StockLevelViewSet,
    StockMovementViewSet,
    WarehouseViewSet,
    view_only,
)
from warehouses.api.tasks import PickingViewSet, PutawayViewSet, TaskViewSet
from warehouses.api.transfers import TransferViewSet
from warehouses.api.value import CostOfGoodsViewSet, LandedCostViewSet, StockValueViewSet
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
    ("stock-drifts", StockDriftViewSet),
    ("stock-value", StockValueViewSet),
    ("cost-of-goods", CostOfGoodsViewSet),
    ("landed-costs", LandedCostViewSet),
    ("count-sheets", CountSheetViewSet),
    ("transfers", TransferViewSet),
    ("stock-moves", StockMoveViewSet),
    ("status-changes", StatusChangeViewSet),
    ("kit-assemblies", KitAssemblyViewSet),
    ("orders", SalesOrderViewSet),
    ("order-lines", SalesOrderLineViewSet),
    ("shipments", ShipmentViewSet),
    ("channel-events", ChannelEventViewSet),
    ("returns", SalesReturnViewSet),
    ("sales-imports", SalesImportViewSet),
    ("tasks", TaskViewSet),
    ("picking", PickingViewSet),
    ("putaway", PutawayViewSet),
    ("scan", ScanViewSet),
    ("carts", CartViewSet),
    ("quotas", ChannelQuotaViewSet),
    ("available-to-promise", AvailableToPromiseViewSet),
]
