"""Buying: proposals, purchase orders, receipts, suppliers and policies, and what of it shows on the page of a SKU."""

from procurement.admin.action_messages import ActionMessageAdmin, message_panel, message_terms_panel
from procurement.admin.clearance import ClearanceProposalAdmin, clearance_panel, clearance_terms_panel
from procurement.admin.effects import PolicyChangeAdmin, ServiceCorrectionAdmin, change_panel
from procurement.admin.experiment_lists import ExperimentItemAdmin, ExperimentLookAdmin
from procurement.admin.experiments import (
    ExperimentAdmin,
    experiment_log_panel,
    experiment_panel,
    experiment_preview_panel,
)
from procurement.admin.joint_orders import JointOrderAdmin, joint_order_panel
from procurement.admin.lead_times import LeadTimeProfileAdmin, lead_times_panel
from procurement.admin.order_page import changes_panel, diary_panel, lines_panel, receipts_panel
from procurement.admin.orders import PurchaseOrderAdmin
from procurement.admin.policies import replays_panel
from procurement.admin.proposal_page import explanation_panel, proposal_panel, stock_ahead_panel
from procurement.admin.proposals import ProposalAdmin
from procurement.admin.receipts import LineResponseAdmin, PurchaseOrderLineAdmin, ReceiptAdmin
from procurement.admin.replays import PolicyReplayAdmin, replay_job_panel, replay_panel
from procurement.admin.scenarios import ScenarioAdmin, ScenarioLineAdmin, scenario_job_panel, scenario_panel
from procurement.admin.sku_page import buying_panel
from procurement.admin.suppliers import (
    BuyingBudgetAdmin,
    PolicyAdmin,
    SupplierAdmin,
    SupplierClosureAdmin,
    SupplierItemAdmin,
    SupplierMembershipAdmin,
)
from procurement.admin.transfers import TransferProposalAdmin, transfer_panel, transfer_terms_panel

__all__ = [
    "ActionMessageAdmin",
    "BuyingBudgetAdmin",
    "ClearanceProposalAdmin",
    "ExperimentAdmin",
    "ExperimentItemAdmin",
    "ExperimentLookAdmin",
    "JointOrderAdmin",
    "LeadTimeProfileAdmin",
    "LineResponseAdmin",
    "PolicyAdmin",
    "PolicyChangeAdmin",
    "PolicyReplayAdmin",
    "ProposalAdmin",
    "PurchaseOrderAdmin",
    "PurchaseOrderLineAdmin",
    "ReceiptAdmin",
    "ScenarioAdmin",
    "ScenarioLineAdmin",
    "ServiceCorrectionAdmin",
    "SupplierAdmin",
    "SupplierClosureAdmin",
    "SupplierItemAdmin",
    "SupplierMembershipAdmin",
    "TransferProposalAdmin",
    "buying_panel",
    "change_panel",
    "changes_panel",
    "clearance_panel",
    "clearance_terms_panel",
    "diary_panel",
    "experiment_log_panel",
    "experiment_panel",
    "experiment_preview_panel",
    "explanation_panel",
    "joint_order_panel",
    "lead_times_panel",
    "lines_panel",
    "message_panel",
    "message_terms_panel",
    "proposal_panel",
    "receipts_panel",
    "replay_job_panel",
    "replay_panel",
    "replays_panel",
    "scenario_job_panel",
    "scenario_panel",
    "stock_ahead_panel",
    "transfer_panel",
    "transfer_terms_panel",
]
