"""Suppliers, what they sell and at what price, who answers for them, and the aims of the plan."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from config.kernel.admin import HouseAdmin
from procurement.models import Policy, PriceBreak, Supplier, SupplierItem, SupplierMembership


@admin.register(Supplier)
class SupplierAdmin(HouseAdmin):
    list_display = (
        "name",
        "code",
        "country",
        "currency",
        "lead_time_days",
        "review_days",
        "minimum_order_value",
        "is_active",
    )
    search_fields = ("code", "name", "email")
    list_filter = ("is_active", "country", "currency")
    empty_hint = _("Import your suppliers with “manage.py import_suppliers FILE”, or add them here.")
    fieldsets = (
        (_("The supplier"), {"fields": (("code", "name"), ("email", "country"), "is_active")}),
        (_("Time"), {"fields": (("lead_time_days", "lead_time_sd_days", "review_days"),)}),
        (_("Money"), {"fields": (("currency", "fixed_order_cost", "minimum_order_value"), "over_receipt_tolerance")}),
    )


class PriceBreaks(TabularInline):
    model = PriceBreak
    extra = 0


@admin.register(SupplierItem)
class SupplierItemAdmin(HouseAdmin):
    list_display = (
        "sku",
        "supplier",
        "unit_cost",
        "minimum_order_quantity",
        "pack_size",
        "lead_time_days",
        "is_preferred",
        "is_active",
    )
    search_fields = ("sku__code", "sku__name", "supplier__name", "supplier_code")
    list_select_related = ("sku", "supplier")
    autocomplete_fields = ("sku", "supplier")
    list_filter = ("supplier", "is_preferred", "is_active", ("sku", AutocompleteSelectFilter))
    inlines = (PriceBreaks,)
    ordering = ("sku__code", "supplier_id")
    empty_hint = _("Say who sells which SKU: without it the plan can propose nothing.")


@admin.register(SupplierMembership)
class SupplierMembershipAdmin(HouseAdmin):
    list_display = ("user", "supplier")
    search_fields = ("user__username", "supplier__name")
    list_select_related = ("user", "supplier")
    autocomplete_fields = ("user", "supplier")
    list_filter = ("supplier",)
    empty_hint = _("Link a user with the role Supplier to its supplier: it can then answer orders in the portal.")


@admin.register(Policy)
class PolicyAdmin(HouseAdmin):
    list_display = ("name", "category", "sku", "warehouse", "service_level", "holding_cost_rate", "review_days")
    search_fields = ("name", "sku__code", "category__name")
    list_select_related = ("category", "sku", "warehouse")
    autocomplete_fields = ("category", "sku", "warehouse")
    list_filter = ("warehouse", ("category", AutocompleteSelectFilter))
    empty_hint = _("The plan uses its default aims. Add some for a category, a SKU or a warehouse.")
