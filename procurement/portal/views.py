"""The supplier's pages: read by selectors scoped to the user, written by the one service of answers."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from config.kernel.errors import DomainError, ValidationFailed
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine
from procurement.portal.access import supplier_page
from procurement.portal.export import csv_response
from procurement.portal.forms import LineAnswerForm, answer_forms
from procurement.portal.listing import FILTERS, SORTS, Listing
from procurement.selectors import order_history, orders_to_answer, supplier_portal_orders
from procurement.services.confirmations import LineAnswer, respond_to_order

ORDERS_A_PAGE = 25


class PortalLogin(LoginView):
    """Whoever is logged in already goes to the front door, which knows where they belong."""

    template_name = "portal/login.html"
    redirect_authenticated_user = True


@require_safe
@supplier_page("procurement.view_purchaseorder")
def orders(request: HttpRequest) -> HttpResponse:
    listing = Listing.asked_for(request.GET)
    page = Paginator(listing.orders(request.user), ORDERS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "listing": listing,
        "page": page,
        "filters": [(key, label) for key, (label, _chosen) in FILTERS.items()],
        "sorts": [(key, label) for key, (label, _order) in SORTS.items()],
        "to_answer": orders_to_answer(supplier_portal_orders(request.user)).count(),
    }
    return render(request, "portal/orders.html", context)


@require_safe
@supplier_page("procurement.view_purchaseorder")
def export(request: HttpRequest) -> HttpResponse:
    """The lines of the orders that the list shows with the same filter, search and order; all pages."""
    found = list(Listing.asked_for(request.GET).orders(request.user))
    lines = PurchaseOrderLine.objects.for_actor(request.user).filter(order__in=[order.pk for order in found])
    name = f"orders-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(found, lines.select_related("sku").order_by("order", "line_number"), name)


@require_safe
@supplier_page("procurement.view_purchaseorder")
def order(request: HttpRequest, number: str) -> HttpResponse:
    return _order_page(request, _order(request, number))


@require_safe
@supplier_page("procurement.view_purchaseorder")
def print_order(request: HttpRequest, number: str) -> HttpResponse:
    found = _order(request, number)
    return render(request, "portal/print.html", {"order": found, "lines": _lines(request, found)})


@require_POST
@supplier_page("procurement.respond_purchaseorder")
def respond(request: HttpRequest, number: str) -> HttpResponse:
    found = _order(request, number)
    lines = _lines(request, found)
    if "accept_all" in request.POST:
        answers = [LineAnswer(line.pk, "accept") for line in lines if line.status == PurchaseOrderLine.Status.OPEN]
        return _answered(request, found, answers, forms={})
    forms = answer_forms(found, lines, request.POST)
    faulty = [form for form in forms.values() if not form.is_valid()]  # every form is asked, not only up to the first
    if faulty:
        messages.error(request, _("Nothing was sent yet: please look at the lines marked below."))
        return _order_page(request, found, forms, status=422)
    said = [form.answer() for form in forms.values()]
    return _answered(request, found, [answer for answer in said if answer], forms)


def _answered(
    request: HttpRequest, found: PurchaseOrder, answers: list[LineAnswer], forms: Mapping[int, LineAnswerForm]
) -> HttpResponse:
    try:
        respond_to_order(found.pk, answers, actor=request.user, now=timezone.now())
    except DomainError as exc:
        messages.error(request, str(exc))
        if isinstance(exc, ValidationFailed) and forms:
            return _order_page(request, found, forms, status=422)
        return redirect("portal:order", found.number)
    told = ngettext("Thank you. %(n)d line was answered.", "Thank you. %(n)d lines were answered.", len(answers))
    messages.success(request, told % {"n": len(answers)})
    accepted = [answer.line_id for answer in answers if answer.kind == LineResponse.Kind.ACCEPT]
    for line in _lines(request, found):
        if line.pk in accepted and line.status == PurchaseOrderLine.Status.CHANGE_PROPOSED:
            said = _("Line %(line)s waits for the buyer: the day is later than the one asked for.")
            messages.info(request, said % {"line": f"{line.line_number} {line.sku.code}"})
    return redirect("portal:order", found.number)


def _order(request: HttpRequest, number: str) -> PurchaseOrder:
    if "\x00" in number:  # the database takes no such text
        raise Http404
    return get_object_or_404(supplier_portal_orders(request.user), number=number)


def _lines(request: HttpRequest, found: PurchaseOrder) -> list[PurchaseOrderLine]:
    lines = PurchaseOrderLine.objects.for_actor(request.user).filter(order=found)
    return list(lines.select_related("sku").order_by("line_number"))


def _order_page(
    request: HttpRequest, found: PurchaseOrder, forms: Mapping[int, LineAnswerForm] | None = None, status: int = 200
) -> HttpResponse:
    lines = _lines(request, found)
    forms = answer_forms(found, lines) if forms is None else forms
    last = _last_answers(request, found)
    context: dict[str, Any] = {
        "order": found,
        "rows": [(line, forms.get(line.pk), last.get(line.pk)) for line in lines],
        "can_answer": bool(forms),
        "open_lines": sum(line.status == PurchaseOrderLine.Status.OPEN for line in lines if line.pk in forms),
        "history": order_history(found, request.user),
    }
    return render(request, "portal/order.html", context, status=status)


def _last_answers(request: HttpRequest, found: PurchaseOrder) -> dict[int, LineResponse]:
    rows = LineResponse.objects.for_actor(request.user).filter(line__order=found).order_by("pk")
    return {row.line_id: row for row in rows}
