"""Suppliers, what they sell and at what price, who answers for them, and the aims of the plan."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from config.kernel.admin import HouseAdmin
from procurement.models import (
    BuyingBudget,
    Policy,
    PriceBreak,
    Supplier,
    SupplierClosure,
    SupplierItem,
    SupplierMembership,
)
from procurement.services.policies import record_policy_change, values_of


class Closures(TabularInline):
    model = SupplierClosure
    extra = 0


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
        (
            _("Time"),
            {
                "fields": (
                    ("lead_time_days", "lead_time_sd_days", "uses_learned_lead_times"),
                    ("review_days", "order_weekdays"),
                )
            },
        ),
        (_("Money"), {"fields": (("currency", "fixed_order_cost", "minimum_order_value"), "over_receipt_tolerance")}),
        (
            _("Freight and limits of an order"),
            {
                "fields": (
                    ("freight_cost", "free_freight_from"),
                    ("container_litres", "container_kg"),
                    ("container_cost", "containers_at_most", "order_capacity"),
                )
            },
        ),
    )
    inlines = (Closures,)


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
    fieldsets = (
        (_("The item"), {"fields": (("supplier", "sku"), ("supplier_code", "is_preferred", "is_active"))}),
        (_("Price and time"), {"fields": (("unit_cost", "discount"), ("lead_time_days", "return_credit"))}),
        (
            _("Quantities"),
            {"fields": (("minimum_order_quantity", "maximum_order_quantity"), ("pack_size", "pallet_size"))},
        ),
    )
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
    list_display = (
        "name",
        "category",
        "sku",
        "warehouse",
        "target",
        "service_level",
        "fill_rate",
        "model",
        "holding_cost_rate",
        "review_days",
    )
    search_fields = ("name", "sku__code", "category__name")
    list_select_related = ("category", "sku", "warehouse")
    autocomplete_fields = ("category", "sku", "warehouse")
    list_filter = ("target", "model", "warehouse", ("category", AutocompleteSelectFilter))
    empty_hint = _("The plan uses its default aims. Add some for a category, a SKU or a warehouse.")
    fieldsets = (
        (_("Where it holds"), {"fields": ("name", "category", ("sku", "warehouse"))}),
        (
            _("Aim"),
            {
                "fields": (
                    "target",
                    ("service_level", "fill_rate", "stockout_cost_share"),
                    ("shares_target", "unmet_demand"),
                )
            },
        ),
        (_("How it orders"), {"fields": (("model", "review_days"), ("holding_cost_rate",))}),
        (_("Limits"), {"fields": (("maximum_stock", "maximum_cover_days"),)}),
        (_("Orders on their way"), {"fields": (("frozen_days", "dampening_days"),)}),
    )

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        before = values_of(Policy.objects.select_for_update().get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)
        if before is not None:
            record_policy_change(obj, before, actor=request.user, now=timezone.now())


@admin.register(SupplierClosure)
class SupplierClosureAdmin(HouseAdmin):
    list_display = ("supplier", "name", "starts_on", "ends_on")
    search_fields = ("supplier__name", "supplier__code", "name")
    list_select_related = ("supplier",)
    autocomplete_fields = ("supplier",)
    list_filter = ("supplier",)
    ordering = ("-starts_on", "pk")
    empty_hint = _("Holidays and stocktaking of suppliers: orders are placed before or after them.")


@admin.register(BuyingBudget)
class BuyingBudgetAdmin(HouseAdmin):
    list_display = ("name", "starts_on", "ends_on", "amount", "currency", "category", "supplier", "warehouse")
    search_fields = ("name",)
    list_select_related = ("category", "supplier", "warehouse")
    autocomplete_fields = ("category", "supplier", "warehouse")
    list_filter = ("currency", "supplier", "warehouse")
    empty_hint = _("What may be spent on orders in a span of days; the plan keeps within it.")
    fieldsets = (
        (_("The budget"), {"fields": ("name", ("starts_on", "ends_on"), ("amount", "currency"))}),
        (_("Of what"), {"fields": (("category", "supplier", "warehouse"),)}),
    )
