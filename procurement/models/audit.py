"""Which of the buying rows leave an event when they change (config.kernel.audit). Documents have their own diary."""

from config.kernel.audit import audited
from procurement.models.joint import BuyingBudget
from procurement.models.planning import Policy
from procurement.models.suppliers import PriceBreak, Supplier, SupplierClosure, SupplierItem, SupplierMembership

SupplierAudit = audited(Supplier)
SupplierItemAudit = audited(SupplierItem)
PriceBreakAudit = audited(PriceBreak)
PolicyAudit = audited(Policy)
SupplierMembershipAudit = audited(SupplierMembership)
SupplierClosureAudit = audited(SupplierClosure)
BuyingBudgetAudit = audited(BuyingBudget)
