"""Buying on the page of a SKU: what is proposed, what is on order, and who sells it."""

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from catalog.models import Sku
from config.kernel.admin import panel, render_panel
from procurement.models import Proposal, PurchaseOrder, PurchaseOrderLine, SupplierItem


@panel("catalog.sku", order=20, permission="procurement.view_purchaseorder")
def buying_panel(request: HttpRequest, sku: Sku) -> SafeString:
    lines = (
        PurchaseOrderLine.objects.filter(sku=sku, order__status__in=PurchaseOrder.OPEN)
        .select_related("order__supplier", "order__warehouse")
        .order_by("need_by")
    )
    may_see_proposals = request.user.has_perm("procurement.view_proposal")
    proposals = Proposal.objects.filter(sku=sku, status=Proposal.Status.OPEN).select_related("warehouse", "supplier")
    may_see_items = request.user.has_perm("procurement.view_supplieritem")
    items = SupplierItem.objects.filter(sku=sku).select_related("supplier").order_by("-is_preferred", "supplier__name")
    context = {
        "sku": sku,
        "today": timezone.localdate(),
        "lines": [line for line in lines if line.outstanding_quantity],
        "proposals": proposals if may_see_proposals else [],
        "may_see_items": may_see_items,
        "items": items if may_see_items else [],
    }
    return render_panel("admin/house/sku_buying.html", request, context)
