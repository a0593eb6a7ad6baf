"""The catalogue's rows: products and SKUs, channels and listings, the calendar."""

from catalog.models.calendar import CalendarEvent
from catalog.models.channel import Channel, Listing
from catalog.models.product import Category, Product, Sku

__all__ = ["CalendarEvent", "Category", "Channel", "Listing", "Product", "Sku"]
