"""The catalogue as JSON."""

from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from catalog.models import CalendarEvent, Category, Channel, Listing, Product, Sku
from config.kernel.api import HouseSerializer, by_code, currency_code


class CategorySerializer(HouseSerializer):
    parent = by_code(Category, required=False, allow_null=True)

    class Meta:
        model = Category
        fields = ("code", "name", "parent")

    def validate_parent(self, parent: Category | None) -> Category | None:
        """No category may stand below itself, however far."""
        above = parent
        while above is not None and self.instance is not None:
            if above.pk == self.instance.pk:
                raise serializers.ValidationError(_("A category cannot stand below itself."))
            above = above.parent
        return parent


class ProductSerializer(HouseSerializer):
    category = by_code(Category, required=False, allow_null=True)

    class Meta:
        model = Product
        fields = ("code", "name", "category")


class SkuSerializer(HouseSerializer):
    product = by_code(Product)

    class Meta:
        model = Sku
        fields = (
            "code",
            "name",
            "product",
            "barcode",
            "status",
            "unit_price",
            "unit_cost",
            "weight_kg",
            "volume_litres",
            "launched_on",
            "discontinued_on",
            "created_at",
        )
        read_only_fields = ("created_at",)


class ChannelSerializer(HouseSerializer):
    class Meta:
        model = Channel
        fields = ("code", "name", "kind", "currency", "time_zone", "priority", "ignored_codes", "is_active")
        extra_kwargs: ClassVar = {"currency": {"validators": [currency_code]}}


class ListingSerializer(HouseSerializer):
    channel = by_code(Channel)
    sku = by_code(Sku)

    class Meta:
        model = Listing
        fields = ("id", "channel", "sku", "external_id", "unit_price", "is_active")


class CalendarEventSerializer(HouseSerializer):
    channel = by_code(Channel, required=False, allow_null=True)
    category = by_code(Category, required=False, allow_null=True)
    sku = by_code(Sku, required=False, allow_null=True)

    class Meta:
        model = CalendarEvent
        fields = ("id", "kind", "name", "starts_on", "ends_on", "channel", "category", "sku", "discount")
        extra_kwargs: ClassVar = {"discount": {"max_value": Decimal(1)}}

    def validate(self, attrs: dict) -> dict:
        starts = attrs.get("starts_on", getattr(self.instance, "starts_on", None))
        ends = attrs.get("ends_on", getattr(self.instance, "ends_on", None))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends_on": _("The last day is before the first.")})
        return attrs
