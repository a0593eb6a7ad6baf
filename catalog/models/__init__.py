"""The catalogue's rows: products and SKUs, channels and listings, the calendar."""

from catalog.models.audit import (
    CalendarEventAudit,
    CategoryAudit,
    ChannelAudit,
    KitPartAudit,
    ListingAudit,
    PackUnitAudit,
    ProductAudit,
    SkuAudit,
)
from catalog.models.calendar import CalendarEvent
from catalog.models.channel import Channel, Listing
from catalog.models.product import Category, KitPart, PackUnit, Product, Sku

__all__ = [
    "CalendarEvent",
    "CalendarEventAudit",
    "Category",
    "CategoryAudit",
    "Channel",
    "ChannelAudit",
    "KitPart",
    "KitPartAudit",
    "Listing",
    "ListingAudit",
    "PackUnit",
    "PackUnitAudit",
    "Product",
    "ProductAudit",
    "Sku",
    "SkuAudit",
]
