"""Categories, products and SKUs. The SKU's page is the hub: every app to the right adds its panels to it."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from catalog.models import Category, KitPart, PackUnit, Product, Sku
from catalog.selectors import label_code
from config.kernel.admin import HouseAdmin
from config.kernel.admin.labels import LabelsMixin
from config.kernel.labels import Label

STATUS_LABELS = {Sku.Status.ACTIVE: "success", Sku.Status.PHASE_OUT: "warning", Sku.Status.DISCONTINUED: "danger"}


@admin.register(Category)
class CategoryAdmin(HouseAdmin):
    list_display = ("name", "code", "parent")
    search_fields = ("code", "name")
    list_select_related = ("parent",)
    autocomplete_fields = ("parent",)
    list_filter = (("parent", AutocompleteSelectFilter),)
    empty_hint = _("Add a category, then set it on your products: aims of the plan and promotions can be made for it.")


@admin.register(Product)
class ProductAdmin(HouseAdmin):
    list_display = ("code", "name", "category")
    search_fields = ("code", "name")
    list_select_related = ("category",)
    autocomplete_fields = ("category",)
    list_filter = (("category", AutocompleteSelectFilter),)
    empty_hint = _("Import your sales: products and their SKUs come with them. Or add them here.")


class KitParts(TabularInline):
    model = KitPart
    fk_name = "kit"
    extra = 0
    autocomplete_fields = ("part",)


class PackUnits(TabularInline):
    model = PackUnit
    extra = 0


@admin.register(Sku)
class SkuAdmin(LabelsMixin, HouseAdmin):
    list_display = ("code", "name", "category", "shown_status", "unit_price", "unit_cost", "launched_on")
    search_fields = ("code", "name", "barcode")
    search_help_text = _("Code, name or barcode")
    list_select_related = ("product__category",)
    autocomplete_fields = ("product",)
    list_filter = ("status", "is_kit", ("product__category", AutocompleteSelectFilter), "launched_on")
    empty_hint = _("Import your sales: SKUs come with them. Or add them here.")
    fieldsets = (
        (_("The SKU"), {"fields": (("code", "barcode"), "name", "product", ("status", "unit"), "is_kit")}),
        (_("Money"), {"fields": (("unit_price", "unit_cost"),)}),
        (_("Size"), {"fields": (("weight_kg", "volume_litres"),)}),
        (_("Life"), {"fields": (("launched_on", "discontinued_on"),)}),
    )

    inlines = (KitParts, PackUnits)

    def get_inlines(self, request: HttpRequest, obj: Sku | None) -> tuple[type[TabularInline], ...]:
        """Whoever only looks sees the parts of kits alone."""
        may = self.has_change_permission(request, obj) if obj else True
        return (KitParts, PackUnits) if may or (obj and obj.is_kit) else (PackUnits,)

    @display(description=_("category"), ordering="product__category__name")
    def category(self, sku: Sku) -> str:
        return sku.product.category.name if sku.product.category else "–"

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, sku: Sku) -> tuple[str, str]:
        return sku.status, sku.get_status_display()

    def label_of(self, sku: Sku) -> Label:
        return Label(title=sku.code, subtitle=sku.name, code=label_code(sku))
