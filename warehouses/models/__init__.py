"""The warehouses' rows: places, stock and its ledger, sales orders, returns, imports."""

from warehouses.models.importing import SalesImport
from warehouses.models.places import ChannelRoute, Location, Lot, Warehouse
from warehouses.models.returns import SalesReturn, SalesReturnLine
from warehouses.models.sales import Reservation, SalesOrder, SalesOrderLine, Shipment
from warehouses.models.stock import StockLevel, StockMovement

__all__ = [
    "ChannelRoute",
    "Location",
    "Lot",
    "Reservation",
    "SalesImport",
    "SalesOrder",
    "SalesOrderLine",
    "SalesReturn",
    "SalesReturnLine",
    "Shipment",
    "StockLevel",
    "StockMovement",
    "Warehouse",
]
