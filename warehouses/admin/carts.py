"""Carts: what is held for whom until when, and a button to let it go."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from warehouses.models import Cart, Reservation
from warehouses.services.carts import release_cart

STATE_LABELS = {
    Cart.State.HELD: "info",
    Cart.State.ORDERED: "success",
    Cart.State.RELEASED: "warning",
    Cart.State.EXPIRED: "danger",
}


def _release(request: HttpRequest, cart: Cart) -> str:
    release_cart(cart.pk, now=timezone.now(), actor=request.user)
    return gettext("The cart's stock is free again.")


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "channel", "shown_state", "lines_held", "expires_at", "created_at")
    list_select_related = ("channel",)
    list_filter = ("state", "channel", "expires_at")
    search_fields = ("external_id",)
    search_help_text = _("The whole number of the cart, or a SKU code")
    empty_hint = _("Carts arrive through the API, when a shop holds stock for a shopper.")
    export_fields = ("channel__code", "external_id", "state", "expires_at", "created_at")
    change_form_template = DOCUMENT_TEMPLATE
    page_actions = (
        PageAction(
            "release",
            _("Release"),
            "warehouses.change_cart",
            _release,
            style="danger",
            confirm=_("Let the stock of this cart go?"),
            is_offered=lambda cart: cart.state == Cart.State.HELD,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(line_count=Count("lines"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        holding = Cart.objects.filter(lines__sku__code=term).values("pk")
        return queryset.filter(Q(external_id=term) | Q(pk__in=holding)), False

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def shown_state(self, cart: Cart) -> tuple[str, str]:
        return cart.state, cart.get_state_display()

    @display(description=_("lines"), ordering="line_count")
    def lines_held(self, cart: Any) -> int:
        return int(cart.line_count)


@panel("warehouses.cart", order=10)
def cart_panel(request: HttpRequest, cart: Cart) -> SafeString:
    context = {
        "cart": cart,
        "lines": cart.lines.select_related("sku").order_by("line_number"),
        "held": Reservation.objects.filter(cart_line__cart=cart).select_related(
            "cart_line", "level__sku", "level__location__warehouse", "level__lot"
        ),
    }
    return render_panel("admin/house/cart.html", request, context)
