"""What somebody must know, how the house did, and who outside is told."""

from monitoring.models.alerts import Alert
from monitoring.models.audit import AuditEvent
from monitoring.models.kpis import KpiSnapshot
from monitoring.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = ["Alert", "AuditEvent", "KpiSnapshot", "WebhookDelivery", "WebhookEndpoint"]
