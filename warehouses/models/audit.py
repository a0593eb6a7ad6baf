"""Which of the warehouses' rows leave an event when they change (config.kernel.audit). Stock itself has its ledger."""

from config.kernel.audit import audited
from warehouses.models.carts import ChannelQuota
from warehouses.models.company import StockRules
from warehouses.models.places import ChannelRoute, Location, Lot, ShippingRate, Warehouse

WarehouseAudit = audited(Warehouse)
LocationAudit = audited(Location)
LotAudit = audited(Lot)
ChannelRouteAudit = audited(ChannelRoute)
ShippingRateAudit = audited(ShippingRate)
StockRulesAudit = audited(StockRules)
# What was sold of a quota changes with every order, and every order says so itself.
ChannelQuotaAudit = audited(ChannelQuota, exclude=["used"])
