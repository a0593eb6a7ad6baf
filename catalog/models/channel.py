"""Channels (web shop, marketplace, wholesale, stores) and what is listed on them."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.product import Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager


def validate_time_zone(name: str) -> None:
    """Days are counted by it, so an unknown one would stop the plan."""
    if name not in available_timezones():
        raise ValidationError(_("There is no such time zone; write it like Europe/London."), code="unknown_time_zone")


class Channel(models.Model):
    class Kind(models.TextChoices):
        WEB_SHOP = "web_shop", _("Web shop")
        MARKETPLACE = "marketplace", _("Marketplace")
        WHOLESALE = "wholesale", _("Wholesale")
        STORE = "store", _("Store")

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.WEB_SHOP)
    currency = models.CharField(_("currency"), max_length=3, default="GBP", help_text=_("ISO 4217 code."))
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_("Decides the day an order's demand counts for."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=100, help_text=_("Lower is served first."))
    buffer_quantity = QuantityField(
        _("buffer (units)"),
        default=0,
        db_default=0,
        help_text=_("Of each SKU so much is never offered to this channel."),
    )
    holds_back_safety_stock = models.BooleanField(
        _("hold back safety stock"),
        default=False,
        db_default=False,
        help_text=_("The policy's safety stock is not offered either."),
    )
    allows_backorders = models.BooleanField(
        _("takes backorders"),
        default=True,
        db_default=True,
        help_text=_("Otherwise an order that is short is refused."),
    )
    allows_split = models.BooleanField(
        _("may come in several parcels"),
        default=True,
        db_default=True,
        help_text=_("An order may be served by several warehouses."),
    )
    ignored_codes = models.TextField(
        _("codes that are no goods"),
        blank=True,
        help_text=_(
            "One pattern a line (* stands for anything), e.g. POST or gift_*. Such lines are skipped on import."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("channel"), _("channels")
        ordering = ("priority", "code")
        constraints = [models.CheckConstraint(condition=Q(buffer_quantity__gte=0), name="channel_buffer_not_negative")]

    def __str__(self) -> str:
        return self.name


class Listing(models.Model):
    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), related_name="listings")
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="listings")
    external_id = models.CharField(_("id in the channel"), max_length=100, blank=True)
    unit_price = MoneyField(_("price"), help_text=_("Per unit, in the channel's currency."))
    buffer_quantity = QuantityField(
        _("buffer (units)"), null=True, blank=True, help_text=_("Instead of the channel's. Empty: the channel's.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("listing"), _("listings")
        ordering = ("channel", "sku")
        constraints = [
            models.UniqueConstraint(fields=["channel", "sku"], name="listing_once"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="listing_price_not_negative"),
            models.CheckConstraint(
                condition=Q(buffer_quantity=None) | Q(buffer_quantity__gte=0), name="listing_buffer_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} @ {self.channel}"
