"""Reading and keeping the catalogue."""

from typing import ClassVar

from catalog.api import serializers
from catalog.models import CalendarEvent, Category, Channel, Listing, Product, Sku
from config.kernel.api import CODE, WriteViewSet


def rights(name: str) -> dict[str, str]:
    """Reading needs the view right of the model, making the add right, changing the change right."""
    return {
        "list": f"{name.replace('.', '.view_')}",
        "retrieve": f"{name.replace('.', '.view_')}",
        "create": f"{name.replace('.', '.add_')}",
        "partial_update": f"{name.replace('.', '.change_')}",
    }


class CategoryViewSet(WriteViewSet):
    queryset = Category.objects.select_related("parent")
    serializer_class = serializers.CategorySerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = rights("catalog.category")
    filters: ClassVar = {"parent": "parent__code", "code": ("code", "exact", "in"), "name": ("name", "icontains")}
    ordering_fields: ClassVar = ["code", "name"]


class ProductViewSet(WriteViewSet):
    queryset = Product.objects.select_related("category")
    serializer_class = serializers.ProductSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = rights("catalog.product")
    filters: ClassVar = {"category": "category__code", "code": ("code", "exact", "in"), "name": ("name", "icontains")}
    ordering_fields: ClassVar = ["code", "name"]


class SkuViewSet(WriteViewSet):
    queryset = Sku.objects.select_related("product")
    serializer_class = serializers.SkuSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = rights("catalog.sku")
    filters: ClassVar = {
        "code": ("code", "exact", "in"),
        "status": ("status", "exact", "in"),
        "product": "product__code",
        "category": "product__category__code",
        "barcode": "barcode",
        "name": ("name", "icontains"),
        "created_at": ("created_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["code", "unit_price", "created_at"]


class ChannelViewSet(WriteViewSet):
    queryset = Channel.objects.all()
    serializer_class = serializers.ChannelSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = rights("catalog.channel")
    filters: ClassVar = {"kind": "kind", "is_active": "is_active"}
    ordering_fields: ClassVar = ["code", "priority"]


class ListingViewSet(WriteViewSet):
    queryset = Listing.objects.select_related("channel", "sku")
    serializer_class = serializers.ListingSerializer
    permission_map: ClassVar = rights("catalog.listing")
    filters: ClassVar = {
        "channel": "channel__code",
        "sku": ("sku__code", "exact", "in"),
        "external_id": "external_id",
        "is_active": "is_active",
    }
    ordering_fields: ClassVar = ["external_id", "unit_price"]


class CalendarEventViewSet(WriteViewSet):
    queryset = CalendarEvent.objects.select_related("channel", "category", "sku")
    serializer_class = serializers.CalendarEventSerializer
    permission_map: ClassVar = rights("catalog.calendarevent")
    filters: ClassVar = {
        "kind": "kind",
        "channel": "channel__code",
        "category": "category__code",
        "sku": "sku__code",
        "starts_on": ("starts_on", "gte", "lte"),
        "ends_on": ("ends_on", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["starts_on", "ends_on"]


ROUTES = [
    ("categories", CategoryViewSet),
    ("products", ProductViewSet),
    ("skus", SkuViewSet),
    ("channels", ChannelViewSet),
    ("listings", ListingViewSet),
    ("calendar-events", CalendarEventViewSet),
]
