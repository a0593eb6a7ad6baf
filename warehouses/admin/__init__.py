"""The warehouses' tables and pages. Stock and sales are read-only tables here: services own every write."""

from warehouses.admin.import_page import import_job_panel, import_panel
from warehouses.admin.imports import SalesImportAdmin
from warehouses.admin.level_page import level_panel, movements_panel
from warehouses.admin.order_page import order_panel
from warehouses.admin.places import ChannelRouteAdmin, LocationAdmin, LotAdmin, WarehouseAdmin
from warehouses.admin.returns import SalesReturnAdmin, SalesReturnLineAdmin
from warehouses.admin.sales import ReservationAdmin, SalesOrderAdmin, SalesOrderLineAdmin, ShipmentAdmin
from warehouses.admin.sku_page import stock_panel
from warehouses.admin.stock import StockLevelAdmin, StockMovementAdmin

__all__ = [
    "ChannelRouteAdmin",
    "LocationAdmin",
    "LotAdmin",
    "ReservationAdmin",
    "SalesImportAdmin",
    "SalesOrderAdmin",
    "SalesOrderLineAdmin",
    "SalesReturnAdmin",
    "SalesReturnLineAdmin",
    "ShipmentAdmin",
    "StockLevelAdmin",
    "StockMovementAdmin",
    "WarehouseAdmin",
    "import_job_panel",
    "import_panel",
    "level_panel",
    "movements_panel",
    "order_panel",
    "stock_panel",
]
