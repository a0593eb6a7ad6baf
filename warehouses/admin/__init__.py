"""The warehouses' tables and pages. Stock and sales are read-only tables here: services own every write."""

from warehouses.admin.availability import (
    PublishedAvailabilityAdmin,
    availability_panel,
    listing_panel,
    promised_panel,
)
from warehouses.admin.carts import CartAdmin, cart_panel
from warehouses.admin.channel_events import ChannelEventAdmin, event_report
from warehouses.admin.count_page import accuracy_panel, count_panel
from warehouses.admin.counts import CountSheetAdmin
from warehouses.admin.drift import StockDriftAdmin, drift_movements_panel, drift_panel
from warehouses.admin.import_page import import_job_panel, import_panel
from warehouses.admin.imports import SalesImportAdmin
from warehouses.admin.kit_page import kit_panel
from warehouses.admin.landed_costs import LandedCostAdmin, landed_cost_panel
from warehouses.admin.level_page import level_panel, movements_panel, moving_panel
from warehouses.admin.order_page import order_panel, shipped_panel
from warehouses.admin.place_page import contents_panel, places_panel
from warehouses.admin.places import ChannelRouteAdmin, LocationAdmin, LotAdmin, ShippingRateAdmin, WarehouseAdmin
from warehouses.admin.quotas import ChannelQuotaAdmin
from warehouses.admin.returns import SalesReturnAdmin, SalesReturnLineAdmin
from warehouses.admin.sales import ReservationAdmin, SalesOrderAdmin, SalesOrderLineAdmin, ShipmentAdmin
from warehouses.admin.sku_page import stock_panel
from warehouses.admin.stock import StockLevelAdmin, StockMovementAdmin
from warehouses.admin.task_page import task_panel
from warehouses.admin.tasks import TaskAdmin
from warehouses.admin.transfer_page import transfer_panel
from warehouses.admin.transfers import TransferAdmin
from warehouses.admin.value import (
    BalanceSheetAdmin,
    StockRulesAdmin,
    StockValueAdmin,
    order_cost_panel,
    shipment_cost_panel,
)

__all__ = [
    "BalanceSheetAdmin",
    "CartAdmin",
    "ChannelEventAdmin",
    "ChannelQuotaAdmin",
    "ChannelRouteAdmin",
    "CountSheetAdmin",
    "LandedCostAdmin",
    "LocationAdmin",
    "LotAdmin",
    "PublishedAvailabilityAdmin",
    "ReservationAdmin",
    "SalesImportAdmin",
    "SalesOrderAdmin",
    "SalesOrderLineAdmin",
    "SalesReturnAdmin",
    "SalesReturnLineAdmin",
    "ShipmentAdmin",
    "ShippingRateAdmin",
    "StockDriftAdmin",
    "StockLevelAdmin",
    "StockMovementAdmin",
    "StockRulesAdmin",
    "StockValueAdmin",
    "TaskAdmin",
    "TransferAdmin",
    "WarehouseAdmin",
    "accuracy_panel",
    "availability_panel",
    "cart_panel",
    "contents_panel",
    "count_panel",
    "drift_movements_panel",
    "drift_panel",
    "event_report",
    "import_job_panel",
    "import_panel",
    "kit_panel",
    "landed_cost_panel",
    "level_panel",
    "listing_panel",
    "movements_panel",
    "moving_panel",
    "order_cost_panel",
    "order_panel",
    "places_panel",
    "promised_panel",
    "shipment_cost_panel",
    "shipped_panel",
    "stock_panel",
    "task_panel",
    "transfer_panel",
]
