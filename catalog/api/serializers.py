"""The catalogue as JSON."""

from typing import Any

from rest_framework import serializers

from catalog.models import CalendarEvent, Category, Channel, Listing, Product, Sku
from config.kernel.api import HouseSerializer


def by_code(model: Any, **kwargs: Any) -> Any:
    """A reference to a row by its code."""
    return serializers.SlugRelatedField(slug_field="code", queryset=model.objects.all(), **kwargs)


class CategorySerializer(HouseSerializer):
    parent = by_code(Category, required=False, allow_null=True)

    class Meta:
        model = Category
        fields = ("code", "name", "parent")


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

    def validate(self, attrs: dict) -> dict:
        starts = attrs.get("starts_on", getattr(self.instance, "starts_on", None))
        ends = attrs.get("ends_on", getattr(self.instance, "ends_on", None))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends_on": "The last day is before the first."})
        return attrs
