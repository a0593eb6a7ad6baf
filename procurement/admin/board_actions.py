"""What a planner does on the board without leaving it: decide, split, merge, and open a proposal's explanation."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from config.kernel.admin.actions import show_error
from config.kernel.admin.reading import typed_day, typed_quantity
from config.kernel.charts import Figure, StockData, stock_chart
from config.kernel.errors import DomainError, ValidationFailed
from config.kernel.fields import plain
from procurement.admin.board import board_url
from procurement.admin.terms import term_name, term_rows, warning_text
from procurement.models import Proposal, PurchaseOrder
from procurement.services.arranging import Part, merge_proposals, split_proposal
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals
from procurement.services.stock_ahead import StockAhead, projected_stock

DECIDE = "procurement.decide_proposal"
# How the terms of an explanation add up: to the position, and from it to the quantity.
_POSITION = (
    ("on_hand", 1), ("reserved", -1), ("backordered", -1), ("on_order", 1), ("in_draft", 1), ("in_transit", 1),
)  # fmt: skip
_TOLERANCE = 0.0005


def decide_view(request: HttpRequest) -> HttpResponse:
    """POST `verb` (accept, dismiss, split, merge) and `ids`; leads back to the board with the filters it had."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(DECIDE):
        raise PermissionDenied
    verb = VERBS.get(request.POST.get("verb", ""))
    if verb is None:
        raise Http404
    try:
        messages.success(request, verb(request, _ids(request)))
    except DomainError as error:
        show_error(request, error)
    return HttpResponseRedirect(board_url(request.POST.get("next", "")))


def _ids(request: HttpRequest) -> list[int]:
    asked = [int(part) for part in request.POST.get("ids", "").split(",") if part.isdecimal() and len(part) < 19]
    seen = set(Proposal.objects.for_actor(request.user).filter(pk__in=asked).values_list("pk", flat=True))
    if not asked or not seen.issuperset(asked):
        raise ValidationFailed(gettext("No proposal was chosen."))
    return sorted(seen)


def accept(request: HttpRequest, ids: list[int]) -> Any:
    chosen = [Decision(pk, typed_quantity(request.POST.get(f"quantity-{pk}"))) for pk in ids]
    orders = accept_proposals(chosen, actor=request.user, now=timezone.now())
    words = ngettext("%d proposal was accepted:", "%d proposals were accepted:", len(ids)) % len(ids)
    return format_html("{} {}", words, order_links(orders))


def dismiss(request: HttpRequest, ids: list[int]) -> str:
    count = dismiss_proposals(ids, actor=request.user, now=timezone.now(), note=request.POST.get("note", ""))
    return ngettext("%d proposal was dismissed.", "%d proposals were dismissed.", count) % count


def split(request: HttpRequest, ids: list[int]) -> str:
    """The second part has the units typed, on the day typed; the first keeps what is left and its day."""
    quantity, need_by = typed_quantity(request.POST.get("split_quantity")), typed_day(request.POST.get("need_by"))
    if len(ids) != 1 or quantity is None:
        raise ValidationFailed(gettext("Say how many units the second part has."))
    whole = Proposal.objects.values_list("quantity", flat=True).get(pk=ids[0])
    parts = [Part(whole - quantity), Part(quantity, need_by)]
    made = split_proposal(ids[0], parts, actor=request.user, now=timezone.now())
    return gettext("Split into %(parts)s.") % {"parts": " + ".join(plain(part.quantity) for part in made)}


def merge(request: HttpRequest, ids: list[int]) -> str:
    kept = merge_proposals(ids, actor=request.user, now=timezone.now())
    told = {"lines": len(kept), "day": min(one.need_by for one in kept)}
    return (
        ngettext(
            "Merged: %(lines)d proposal, needed by %(day)s.",
            "Merged: %(lines)d proposals, needed by %(day)s.",
            len(kept),
        )
        % told
    )


VERBS: Mapping[str, Callable[[HttpRequest, list[int]], Any]] = {
    "accept": accept,
    "dismiss": dismiss,
    "split": split,
    "merge": merge,
}


def order_links(orders: Iterable[PurchaseOrder]) -> SafeString:
    return format_html_join(
        ", ",
        '<a class="underline" href="{}">{}</a>',
        ((reverse("admin:procurement_purchaseorder_change", args=[order.pk]), order.number) for order in orders),
    )


def why_view(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """The explanation of one proposal as a piece of a page: the sums, the stock ahead, every term."""
    rows = Proposal.objects.for_actor(request.user).select_related("run", "sku", "warehouse", "joint_order")
    proposal = rows.filter(pk=proposal_id).first()
    if proposal is None or not request.user.has_perm("procurement.view_proposal"):
        raise Http404
    terms = term_rows(proposal.explanation)
    is_open = proposal.status == Proposal.Status.OPEN
    context = {
        "proposal": proposal,
        "sums": sums_of(proposal),
        "figure": stock_figure(proposal),
        "warnings": [warning_text(code) for code in proposal.warnings],
        "terms": [row for row in terms if not row["is_detail"]],
        "details": [row for row in terms if row["is_detail"]],
        "may_split": is_open and request.user.has_perm(DECIDE),
    }
    return render(request, "admin/house/proposal_why.html", context)


def stock_figure(proposal: Proposal) -> Figure | None:
    """Drawn from today; a decided proposal's order is on a draft, so it is not drawn twice."""
    is_open = proposal.status == Proposal.Status.OPEN
    order = (proposal.quantity, proposal.need_by) if is_open else None
    ahead = projected_stock(
        proposal.sku_id, proposal.warehouse_id, proposal.run, today=timezone.localdate(), order=order
    )
    return None if ahead is None else _figure(ahead, proposal)


def _figure(ahead: StockAhead, proposal: Proposal) -> Figure:
    low, high = (f"{100 * share:g} %" for share in ahead.band)
    data = StockData(
        first=ahead.first,
        without=ahead.without,
        low=ahead.low,
        high=ahead.high,
        with_order=ahead.with_order,
        arrivals=[((one.day - ahead.first).days, one.units, one.name) for one in ahead.arrivals],
        reorder_point=float(proposal.reorder_point),
        safety_stock=float(proposal.safety_stock),
        band_name=gettext("Without it, demand between its %(low)s and %(high)s quantiles") % {"low": low, "high": high},
    )
    return stock_chart(data, title=gettext("Projected stock, units"))


def sums_of(proposal: Proposal) -> list[dict[str, Any]]:
    """The quantity as a column of figures: what is there and coming, the level wanted, and the rounding between."""
    values = {str(term.get("code")): term.get("value") for term in proposal.explanation}
    known = {code: float(value) for code, value in values.items() if isinstance(value, (int, float))}
    if not {"inventory_position", "order_up_to_level", "order_quantity"} <= known.keys():
        return []
    rows = [_row(code, sign * known[code]) for code, sign in _POSITION if known.get(code)]
    rows.append(_row("inventory_position", known["inventory_position"], is_sum=True))
    rows.append(_row("order_up_to_level", known["order_up_to_level"]))
    rows.append(_row("inventory_position", -known["inventory_position"]))
    left = known["order_quantity"] - (known["order_up_to_level"] - known["inventory_position"])
    if abs(left) > _TOLERANCE:
        rows.append({"name": gettext("Rounded to packs, minimum and the cheapest lot"), "units": left, "is_sum": False})
    rows.append({"name": gettext("To order"), "units": known["order_quantity"], "is_sum": True})
    settled = float(proposal.quantity) - known["order_quantity"]
    if abs(settled) > _TOLERANCE:
        rows.append({"name": gettext("Changed since: joint order, split or merge"), "units": settled, "is_sum": False})
        rows.append({"name": gettext("Proposed"), "units": float(proposal.quantity), "is_sum": True})
    return rows


def _row(code: str, units: float, *, is_sum: bool = False) -> dict[str, Any]:
    return {"name": term_name(code), "units": units, "is_sum": is_sum}
