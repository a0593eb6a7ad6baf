"""The catalogue's rows: products and SKUs, channels and listings, the calendar."""

from catalog.models.calendar import CalendarEvent
from catalog.models.channel import Channel, Listing
from catalog.models.product import Category, KitPart, PackUnit, Product, Sku

__all__ = ["CalendarEvent", "Category", "Channel", "KitPart", "Listing", "PackUnit", "Product", "Sku"]
