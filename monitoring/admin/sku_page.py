"""Open alerts at the head of a SKU's page."""

from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.models import Sku
from config.kernel.admin import panel, render_panel
from monitoring.models import Alert


@panel("catalog.sku", order=1, permission="monitoring.view_alert")
def sku_alerts_panel(request: HttpRequest, sku: Sku) -> SafeString | None:
    alerts = Alert.objects.filter(resolved_at=None, subject__startswith=f"sku:{sku.pk}:").order_by("severity", "pk")
    if not alerts:
        return None
    return render_panel("admin/house/sku_alerts.html", request, {"alerts": alerts})
