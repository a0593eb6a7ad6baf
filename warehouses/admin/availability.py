"""What each channel may offer of each SKU, and why: the table, the card on a SKU's page, the days on an order's."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.views import ChangeList

from catalog.models import Channel, Listing, Sku
from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.fields import plain
from config.kernel.templatetags.house import units
from warehouses.admin.find import MOST_SKUS, skus_like
from warehouses.models import PublishedAvailability, SalesOrder, Warehouse
from warehouses.selectors.promised import promised_dates
from warehouses.selectors.promising import listed_availability
from warehouses.selectors.reasons import reason
from warehouses.selectors.supply import Availability, read_supply

_NOTHING = Decimal(0)
_BAR = 120.0


class ServedByFilter(admin.SimpleListFilter):
    """Channels that this warehouse serves."""

    title = _("served by")
    parameter_name = "warehouse"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(str(pk), name) for pk, name in Warehouse.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value() or ""
        if not value.isdigit():
            return queryset
        return queryset.filter(listing__channel__in=Channel.objects.filter(routes__warehouse_id=int(value)))


@admin.register(PublishedAvailability)
class PublishedAvailabilityAdmin(ReadOnlyAdmin):
    list_display = ("sku", "channel", "on_hand", "reserved", "buffer", "kept", "coming", "promised", "told", "why")
    list_select_related = ("listing__channel", "listing__sku")
    list_filter = ("listing__channel", ServedByFilter, ("listing__sku", AutocompleteSelectFilter))
    search_fields = ("listing__sku__code",)
    search_help_text = _("SKU code, name or barcode, or the id in the channel")
    ordering = ("listing__sku__code", "listing__channel__code")
    empty_hint = _("Add what is sold on which channel (listings); the figures appear within five minutes.")
    change_form_template = DOCUMENT_TEMPLATE
    export_fields = (
        "listing__channel__code",
        "listing__sku__code",
        "listing__external_id",
        "quantity",
        "sequence",
        "told_at",
    )
    export_worked_out = ("on_hand", "reserved", "buffer", "quotas_of_others", "inbound", "promised", "why")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page's rows get their figures at once: the same number of queries however many they are."""
        page: Any = super().get_changelist_instance(request)
        rows = list(page.result_list)
        figures = listed_availability([row.listing for row in rows], now=timezone.now())
        for row in rows:
            row.figures = _figures(figures[row.pk])
        page.result_list = rows
        return page  # type: ignore[no-any-return]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        skus = skus_like(term) or list(
            Sku.objects.filter(name__icontains=term).values_list("pk", flat=True)[:MOST_SKUS]
        )
        return queryset.filter(Q(listing__sku_id__in=skus) | Q(listing__external_id=term)), False

    def worked_out(self, keys: Sequence[Any]) -> Mapping[Any, Sequence[Any]]:
        listings = list(Listing.objects.filter(pk__in=keys).select_related("channel"))
        found = listed_availability(listings, now=timezone.now())
        return {pk: list(_figures(there).values()) for pk, there in found.items()}

    @display(description=_("SKU"), ordering="listing__sku__code", header=True)
    def sku(self, row: Any) -> list[str]:
        return [row.listing.sku.code, row.listing.sku.name]

    @display(description=_("channel"), ordering="listing__channel__code")
    def channel(self, row: Any) -> str:
        return str(row.listing.channel)

    @display(description=_("on hand"))
    def on_hand(self, row: Any) -> str:
        return units(row.figures["on_hand"])

    @display(description=_("reserved"))
    def reserved(self, row: Any) -> str:
        return units(row.figures["reserved"])

    @display(description=_("buffer"))
    def buffer(self, row: Any) -> str:
        return units(row.figures["buffer"])

    @display(description=_("others' quotas"))
    def kept(self, row: Any) -> str:
        return units(row.figures["kept"])

    @display(description=_("inbound"))
    def coming(self, row: Any) -> str:
        return units(row.figures["inbound"])

    @display(description=_("may be promised"))
    def promised(self, row: Any) -> SafeString:
        return share_bar(row.figures["promised"], row.figures["on_hand"])

    @display(description=pgettext_lazy("availability", "told"), ordering="quantity")
    def told(self, row: Any) -> str:
        return units(row.quantity)

    @display(description=_("why"))
    def why(self, row: Any) -> str:
        return str(row.figures["why"])


def _figures(there: Availability) -> dict[str, Any]:
    """The terms of the promise; of a kit those of the part that limits it."""
    if there.promise is None:
        return {
            **dict.fromkeys(("on_hand", "reserved", "buffer", "kept", "inbound", "promised"), _NOTHING),
            "why": reason(there),
        }
    picture = there.promise.picture
    return {
        "on_hand": picture.usable,
        "reserved": picture.reserved,
        "buffer": picture.buffer + picture.safety_stock,
        "kept": sum((fence.quantity for fence in picture.ring_fences), _NOTHING),
        "inbound": sum((s.quantity for s in picture.supplies if not isinstance(s.reference, tuple)), _NOTHING),
        "promised": there.now,
        "why": reason(there),
    }


def share_bar(part: Decimal, whole: Decimal) -> SafeString:
    """What may be promised of what is on hand, as a small bar; the words say the same."""
    filled = float(min(part / whole, Decimal(1))) * _BAR if whole > 0 else 0.0
    words = gettext("%(part)s of %(whole)s") % {"part": plain(part), "whole": plain(whole)}
    return format_html(
        '<span class="h-level"><svg viewBox="0 0 120 14" role="img" aria-label="{}"><rect class="h-track" x="0" y="4" '
        'width="120" height="6" rx="3"/><rect class="{}" x="0" y="4" width="{}" height="6" rx="3"/></svg>'
        "<small>{}</small></span>",
        words,
        "h-ok" if part > 0 else "h-low",
        f"{filled:.1f}",
        units(part),
    )


@panel("catalog.sku", order=12, permission="warehouses.view_publishedavailability")
def availability_panel(request: HttpRequest, sku: Sku) -> SafeString | None:
    """One row a channel that is served by any warehouse."""
    channels = list(
        Channel.objects.filter(is_active=True, routes__isnull=False).distinct().order_by("priority", "code")
    )
    if not channels:
        return None
    now = timezone.now()
    holds_back = any(channel.holds_back_safety_stock for channel in channels)
    book = read_supply([sku.pk], now=now, with_safety=holds_back, channel_ids=[channel.pk for channel in channels])
    own: dict[int, dict[int, Decimal | None]] = {channel.pk: {} for channel in channels}
    listed = Listing.objects.filter(sku_id__in=[*book.positions, *book.parts], channel__in=channels)
    for channel_id, sku_id, buffer in listed.values_list("channel_id", "sku_id", "buffer_quantity"):
        own[channel_id][sku_id] = buffer
    rows = []
    for channel in channels:
        there = book.availability(channel, sku.pk, buffers=own[channel.pk])
        figures = _figures(there)
        rows.append(
            {
                "channel": channel,
                "is_listed": sku.pk in own[channel.pk],
                "bar": share_bar(figures["promised"], figures["on_hand"]),
                "steps": there.steps[:3],
                "why": figures["why"],
            }
        )
    return render_panel("admin/house/sku_availability.html", request, {"rows": rows})


@panel("warehouses.publishedavailability", order=10)
def listing_panel(request: HttpRequest, row: PublishedAvailability) -> SafeString | None:
    return availability_panel(request, row.listing.sku)


@panel("warehouses.salesorder", order=15)
def promised_panel(request: HttpRequest, order: SalesOrder) -> SafeString | None:
    """When what waits should be there; nothing for an order that waits for nothing."""
    if order.status not in SalesOrder.OPEN:
        return None
    rows = promised_dates(order, now=timezone.now())
    return render_panel("admin/house/order_promises.html", request, {"rows": rows}) if rows else None
