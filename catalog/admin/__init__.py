"""The catalogue's tables and pages."""

from catalog.admin.calendar import CalendarEventAdmin
from catalog.admin.channels import ChannelAdmin, ListingAdmin
from catalog.admin.products import CategoryAdmin, ProductAdmin, SkuAdmin

__all__ = ["CalendarEventAdmin", "CategoryAdmin", "ChannelAdmin", "ListingAdmin", "ProductAdmin", "SkuAdmin"]
