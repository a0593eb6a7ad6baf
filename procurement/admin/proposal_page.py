"""The page of a proposal: what to do with it, why this much, and the demand behind it."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from config.kernel.admin import panel, render_panel
from config.kernel.charts import level_bar
from procurement.admin.board_actions import DECIDE, stock_figure, sums_of
from procurement.admin.terms import term_rows, warning_text
from procurement.models import Proposal, PurchaseOrderLine, SupplierItem


@panel("procurement.proposal", order=10)
def proposal_panel(request: HttpRequest, proposal: Proposal) -> SafeString:
    context = {
        "proposal": proposal,
        "amount": proposal.quantity * proposal.unit_cost,
        "warnings": [warning_text(code) for code in proposal.warnings],
        "picture": level_bar(
            float(proposal.inventory_position), float(proposal.reorder_point), float(proposal.order_up_to_level)
        ),
        "item": SupplierItem.objects.filter(supplier=proposal.supplier_id, sku=proposal.sku_id).first(),
        "order_line": PurchaseOrderLine.objects.filter(proposal=proposal).select_related("order").first(),
        "may_decide": proposal.status == Proposal.Status.OPEN and request.user.has_perm(DECIDE),
        "accept_url": reverse("admin:procurement_proposal_do", args=[proposal.pk, "accept"]),
        "dismiss_url": reverse("admin:procurement_proposal_do", args=[proposal.pk, "dismiss"]),
    }
    return render_panel("admin/house/proposal.html", request, context)


@panel("procurement.proposal", order=15)
def stock_ahead_panel(request: HttpRequest, proposal: Proposal) -> SafeString | None:
    figure = stock_figure(proposal)
    return render_panel("admin/house/proposal_stock.html", request, {"figure": figure}) if figure else None


# Between the two, at 20, `forecasting` shows the demand and the forecast the proposal was made from.
@panel("procurement.proposal", order=30)
def explanation_panel(request: HttpRequest, proposal: Proposal) -> SafeString:
    rows = term_rows(proposal.explanation)
    context = {
        "terms": [row for row in rows if not row["is_detail"]],
        "details": [row for row in rows if row["is_detail"]],
        "sums": sums_of(proposal),
    }
    return render_panel("admin/house/explanation.html", request, context)
