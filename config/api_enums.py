"""What the OpenAPI document calls the choices of models, where several have a field of the same name."""

from catalog.models import CalendarEvent, Channel, Sku
from config.kernel.models import Job
from monitoring.models import Alert
from procurement.models import LineResponse, Proposal, PurchaseOrder, PurchaseOrderLine
from warehouses.models import Location, SalesOrder, SalesReturnLine, StockMovement

AlertKind = Alert.Kind
AlertSeverity = Alert.Severity
AnswerDecision = LineResponse.Decision
AnswerKind = LineResponse.Kind
CalendarEventKind = CalendarEvent.Kind
ChannelKind = Channel.Kind
JobState = Job.State
LocationKind = Location.Kind
MovementKind = StockMovement.Kind
OrderStatus = SalesOrder.Status
ProposalStatus = Proposal.Status
PurchaseOrderLineStatus = PurchaseOrderLine.Status
PurchaseOrderStatus = PurchaseOrder.Status
ReturnLineKind = SalesReturnLine.Kind
SkuStatus = Sku.Status
