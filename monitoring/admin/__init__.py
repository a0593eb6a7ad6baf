"""Alerts to acknowledge, and the kept figures."""

from monitoring.admin.alerts import AlertAdmin, alert_panel
from monitoring.admin.kpis import KpiSnapshotAdmin
from monitoring.admin.sku_page import sku_alerts_panel

__all__ = ["AlertAdmin", "KpiSnapshotAdmin", "alert_panel", "sku_alerts_panel"]
