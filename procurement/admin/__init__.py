"""Buying: proposals, purchase orders, receipts, suppliers and policies, and what of it shows on the page of a SKU."""

from procurement.admin.order_page import changes_panel, diary_panel, lines_panel, receipts_panel
from procurement.admin.orders import PurchaseOrderAdmin
from procurement.admin.proposal_page import explanation_panel, proposal_panel
from procurement.admin.proposals import ProposalAdmin
from procurement.admin.receipts import LineResponseAdmin, PurchaseOrderLineAdmin, ReceiptAdmin
from procurement.admin.sku_page import buying_panel
from procurement.admin.suppliers import PolicyAdmin, SupplierAdmin, SupplierItemAdmin, SupplierMembershipAdmin

__all__ = [
    "LineResponseAdmin",
    "PolicyAdmin",
    "ProposalAdmin",
    "PurchaseOrderAdmin",
    "PurchaseOrderLineAdmin",
    "ReceiptAdmin",
    "SupplierAdmin",
    "SupplierItemAdmin",
    "SupplierMembershipAdmin",
    "buying_panel",
    "changes_panel",
    "diary_panel",
    "explanation_panel",
    "lines_panel",
    "proposal_panel",
    "receipts_panel",
]
