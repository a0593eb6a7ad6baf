"""Which of the catalogue's rows leave an event when they change (config.kernel.audit)."""

from catalog.models.calendar import CalendarEvent
from catalog.models.channel import Channel, Listing
from catalog.models.product import Category, KitPart, PackUnit, Product, Sku
from config.kernel.audit import audited

CategoryAudit = audited(Category)
ProductAudit = audited(Product)
SkuAudit = audited(Sku)
KitPartAudit = audited(KitPart)
PackUnitAudit = audited(PackUnit)
ChannelAudit = audited(Channel)
ListingAudit = audited(Listing)
CalendarEventAudit = audited(CalendarEvent)
