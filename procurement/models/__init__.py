"""The buying rows: suppliers and what they sell, policies, proposals, purchase orders, receipts."""

from procurement.models.audit import (
    PolicyAudit,
    PriceBreakAudit,
    SupplierAudit,
    SupplierItemAudit,
    SupplierMembershipAudit,
)
from procurement.models.orders import LineResponse, PurchaseOrder, PurchaseOrderEvent, PurchaseOrderLine
from procurement.models.planning import Policy, Proposal
from procurement.models.receipts import Receipt, ReceiptLine
from procurement.models.suppliers import PriceBreak, Supplier, SupplierItem, SupplierMembership

__all__ = [
    "LineResponse",
    "Policy",
    "PolicyAudit",
    "PriceBreak",
    "PriceBreakAudit",
    "Proposal",
    "PurchaseOrder",
    "PurchaseOrderEvent",
    "PurchaseOrderLine",
    "Receipt",
    "ReceiptLine",
    "Supplier",
    "SupplierAudit",
    "SupplierItem",
    "SupplierItemAudit",
    "SupplierMembership",
    "SupplierMembershipAudit",
]
