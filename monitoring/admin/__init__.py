"""Alerts to acknowledge, the kept figures, and what is told to the outside."""

from monitoring.admin.alerts import AlertAdmin, alert_panel
from monitoring.admin.audit import AuditEventAdmin, history_panel
from monitoring.admin.events import DeliveryAdmin, EventAdmin
from monitoring.admin.kpis import KpiSnapshotAdmin
from monitoring.admin.sku_page import sku_alerts_panel
from monitoring.admin.webhooks import WebhookEndpointAdmin

__all__ = [
    "AlertAdmin",
    "AuditEventAdmin",
    "DeliveryAdmin",
    "EventAdmin",
    "KpiSnapshotAdmin",
    "WebhookEndpointAdmin",
    "alert_panel",
    "history_panel",
    "sku_alerts_panel",
]
