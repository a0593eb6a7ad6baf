"""The warehouses' rows: places, stock, its ledger and worth, orders, carts, transfers, counts, tasks, returns."""

from warehouses.models.audit import (
    ChannelQuotaAudit,
    ChannelRouteAudit,
    LocationAudit,
    LotAudit,
    ShippingRateAudit,
    StockRulesAudit,
    WarehouseAudit,
)
from warehouses.models.carts import Cart, CartLine, ChannelQuota, PublishedAvailability
from warehouses.models.channel_events import ChannelEvent
from warehouses.models.company import StockRules
from warehouses.models.counting import CountLine, CountSheet
from warehouses.models.importing import SalesImport
from warehouses.models.places import ChannelRoute, Location, Lot, ShippingRate, Warehouse
from warehouses.models.reservations import Reservation
from warehouses.models.returns import SalesReturn, SalesReturnLine
from warehouses.models.sales import SalesOrder, SalesOrderLine, Shipment
from warehouses.models.stock import AvailabilityChange, CostLayer, StockLevel, StockMovement, StockStatus, StockValue
from warehouses.models.tasks import Task
from warehouses.models.transfers import Transfer, TransferLine
from warehouses.models.valuation import (
    BalanceSheet,
    LandedCost,
    LandedCostLine,
    ReconcilerMark,
    StockBalance,
    StockDrift,
)

__all__ = [
    "AvailabilityChange",
    "BalanceSheet",
    "Cart",
    "CartLine",
    "ChannelEvent",
    "ChannelQuota",
    "ChannelQuotaAudit",
    "ChannelRoute",
    "ChannelRouteAudit",
    "CostLayer",
    "CountLine",
    "CountSheet",
    "LandedCost",
    "LandedCostLine",
    "Location",
    "LocationAudit",
    "Lot",
    "LotAudit",
    "PublishedAvailability",
    "ReconcilerMark",
    "Reservation",
    "SalesImport",
    "SalesOrder",
    "SalesOrderLine",
    "SalesReturn",
    "SalesReturnLine",
    "Shipment",
    "ShippingRate",
    "ShippingRateAudit",
    "StockBalance",
    "StockDrift",
    "StockLevel",
    "StockMovement",
    "StockRules",
    "StockRulesAudit",
    "StockStatus",
    "StockValue",
    "Task",
    "Transfer",
    "TransferLine",
    "Warehouse",
    "WarehouseAudit",
]
