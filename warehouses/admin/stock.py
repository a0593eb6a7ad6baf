"""Stock levels and the ledger they sum up."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import BigTableAdmin, ReadOnlyAdmin
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.templatetags.house import units
from warehouses.admin.find import skus_like
from warehouses.admin.level_page import PAGE_ACTIONS, reason_in_words
from warehouses.models import Lot, StockLevel, StockMovement

MOST_LOTS = 200


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    list_display = (
        "sku_code",
        "location",
        "kind",
        "lot",
        "status",
        "shown_on_hand",
        "shown_reserved",
        "free",
        "updated_at",
    )
    search_fields = ("sku__code", "sku__name", "sku__barcode", "location__code", "lot__code")
    list_select_related = ("sku", "location__warehouse", "lot")
    list_filter = (
        "location__warehouse",
        "location__kind",
        "status",
        ("sku", AutocompleteSelectFilter),
        ("location", AutocompleteSelectFilter),
        ("lot", AutocompleteSelectFilter),
    )
    ordering = ("sku__code", "location_id")
    empty_hint = _("Stock appears with the first receipt, opening stock or adjustment.")
    change_form_template = DOCUMENT_TEMPLATE
    page_actions = PAGE_ACTIONS
    export_fields = (
        "sku__code",
        "location__warehouse__code",
        "location__code",
        "location__kind",
        "lot__code",
        "lot__expires_on",
        "status",
        "on_hand",
        "reserved",
        "updated_at",
    )

    @display(description=_("SKU"), ordering="sku__code", header=True)
    def sku_code(self, level: StockLevel) -> list[str]:
        return [level.sku.code, level.sku.name]

    @display(description=_("kind"))
    def kind(self, level: StockLevel) -> str:
        return level.location.get_kind_display()

    @display(description=_("on hand"), ordering="on_hand")
    def shown_on_hand(self, level: StockLevel) -> str:
        return units(level.on_hand)

    @display(description=_("reserved"), ordering="reserved")
    def shown_reserved(self, level: StockLevel) -> str:
        return units(level.reserved)

    @display(description=_("free"))
    def free(self, level: StockLevel) -> str:
        return units(level.on_hand - level.reserved)


@admin.register(StockMovement)
class StockMovementAdmin(BigTableAdmin):
    list_display = (
        "happened_at",
        "kind",
        "sku_code",
        "location",
        "lot",
        "status",
        "signed",
        "reference",
        "shown_reason",
        "actor",
    )
    list_select_related = ("sku", "location__warehouse", "lot", "actor")
    list_filter = (("sku", AutocompleteSelectFilter),)
    search_fields = ("sku__code",)
    search_help_text = _("SKU code, lot, or the whole reference (SH-…, GR-…, TR-…)")
    empty_hint = _("The ledger begins with the first receipt, opening stock or shipment.")

    def find(self, term: str) -> Any:
        """By SKU, by reference (in capitals, as documents are numbered), by lot."""
        if skus := skus_like(term):
            return Q(sku_id__in=skus)
        lots = list(Lot.objects.filter(code=term).values_list("pk", flat=True)[:MOST_LOTS])
        return Q(reference__in={term, term.upper()}) | (Q(lot_id__in=lots) if lots else Q(pk__in=()))

    @display(description=_("SKU"))
    def sku_code(self, movement: StockMovement) -> str:
        return movement.sku.code

    @display(description=_("reason"))
    def shown_reason(self, movement: StockMovement) -> str:
        return reason_in_words(movement.reason)

    @display(description=_("quantity"))
    def signed(self, movement: StockMovement) -> str:
        sign = "+" if movement.quantity > 0 else "−" if movement.quantity < 0 else ""
        return sign + units(abs(movement.quantity))
