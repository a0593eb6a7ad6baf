"""What the OpenAPI document calls the choices of models, where several have a field of the same name."""

from catalog.models import CalendarEvent, Channel, Sku
from config.kernel.models import Job
from forecasting.models import ForecastOverride
from monitoring.models import Alert
from procurement.models import (
    ActionMessage,
    ClearanceProposal,
    Experiment,
    JointOrder,
    LineResponse,
    Proposal,
    PurchaseOrder,
    PurchaseOrderLine,
)
from warehouses.models import (
    BalanceSheet,
    ChannelEvent,
    CountSheet,
    LandedCost,
    Location,
    SalesOrder,
    SalesReturnLine,
    StockMovement,
    Task,
    Transfer,
)

ActionMessageKind = ActionMessage.Kind
AlertKind = Alert.Kind
AlertSeverity = Alert.Severity
AnswerDecision = LineResponse.Decision
AnswerKind = LineResponse.Kind
CalendarEventKind = CalendarEvent.Kind
ChannelEventKind = ChannelEvent.Kind
ChannelEventState = ChannelEvent.State
ChannelKind = Channel.Kind
ClearanceCause = ClearanceProposal.Cause
ClearanceWayOut = ClearanceProposal.WayOut
CountSheetStatus = CountSheet.Status
ExperimentStatus = Experiment.Status
ExperimentVerdict = Experiment.Verdict
JobState = Job.State
JointOrderStatus = JointOrder.Status
LocationKind = Location.Kind
MovementKind = StockMovement.Kind
OrderStatus = SalesOrder.Status
OverrideKind = ForecastOverride.Kind
ProposalStatus = Proposal.Status
PurchaseOrderLineStatus = PurchaseOrderLine.Status
PurchaseOrderStatus = PurchaseOrder.Status
ReturnLineKind = SalesReturnLine.Kind
SkuStatus = Sku.Status
LocationLevel = Location.Level
TransferStatus = Transfer.Status
LandedCostKind = LandedCost.Kind
LandedCostBasis = LandedCost.Basis
BalanceClock = BalanceSheet.Clock
TaskKind = Task.Kind
TaskState = Task.State
