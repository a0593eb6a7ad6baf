"""The buying rows: suppliers and what they sell, policies, proposals, purchase orders, receipts."""

from procurement.models.advice import ActionMessage, ClearanceProposal, TransferProposal
from procurement.models.audit import (
    BuyingBudgetAudit,
    PolicyAudit,
    PriceBreakAudit,
    SupplierAudit,
    SupplierClosureAudit,
    SupplierItemAudit,
    SupplierMembershipAudit,
)
from procurement.models.experiments import (
    Experiment,
    ExperimentEvent,
    ExperimentItem,
    ExperimentLook,
    PolicyChange,
    ServiceCorrection,
)
from procurement.models.joint import BuyingBudget, JointOrder
from procurement.models.lead_times import LeadTimeProfile
from procurement.models.orders import LineResponse, PurchaseOrder, PurchaseOrderEvent, PurchaseOrderLine
from procurement.models.planning import Policy, Proposal
from procurement.models.receipts import Receipt, ReceiptLine
from procurement.models.scenarios import PolicyReplay, Scenario, ScenarioLine
from procurement.models.suppliers import PriceBreak, Supplier, SupplierClosure, SupplierItem, SupplierMembership

__all__ = [
    "ActionMessage",
    "BuyingBudget",
    "BuyingBudgetAudit",
    "ClearanceProposal",
    "Experiment",
    "ExperimentEvent",
    "ExperimentItem",
    "ExperimentLook",
    "JointOrder",
    "LeadTimeProfile",
    "LineResponse",
    "Policy",
    "PolicyAudit",
    "PolicyChange",
    "PolicyReplay",
    "PriceBreak",
    "PriceBreakAudit",
    "Proposal",
    "PurchaseOrder",
    "PurchaseOrderEvent",
    "PurchaseOrderLine",
    "Receipt",
    "ReceiptLine",
    "Scenario",
    "ScenarioLine",
    "ServiceCorrection",
    "Supplier",
    "SupplierAudit",
    "SupplierClosure",
    "SupplierClosureAudit",
    "SupplierItem",
    "SupplierItemAudit",
    "SupplierMembership",
    "SupplierMembershipAudit",
    "TransferProposal",
]
