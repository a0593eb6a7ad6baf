"""The warehouses' tables and pages. Stock and sales are read-only here: services own every write."""

from warehouses.admin.order_page import order_panel
from warehouses.admin.places import ChannelRouteAdmin, LocationAdmin, LotAdmin, WarehouseAdmin
from warehouses.admin.returns import SalesImportAdmin, SalesReturnAdmin, SalesReturnLineAdmin
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
    "order_panel",
    "stock_panel",
]
