"""What bends demand on known days: holidays, promotions, closures."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models.channel import Channel
from catalog.models.product import Category, Sku
from config.kernel.fields import ShareField
from config.kernel.policy import ScopedManager


class CalendarEvent(models.Model):
    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("Public holiday")
        PROMOTION = "promotion", _("Promotion")
        CLOSURE = "closure", pgettext_lazy("calendar", "Closed")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), help_text=_("The last day, included."))
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, verbose_name=_("channel"))
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    sku = models.ForeignKey(Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"))
    discount = ShareField(_("discount"), default=0, help_text=_("Share off the price, 0 to 1."))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("calendar event"), _("calendar events")
        ordering = ("-starts_on", "name")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="calendar_event_ends_after_start"),
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=1), name="calendar_event_discount_share"),
        ]

    def __str__(self) -> str:
        return self.name
