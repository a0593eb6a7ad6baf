"""A shopper's basket that holds stock for a while, and quotas that keep stock for a channel."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager


class Cart(models.Model):
    class State(models.TextChoices):
        HELD = "held", _("Held")
        ORDERED = "ordered", _("Ordered")
        RELEASED = "released", _("Released")
        EXPIRED = "expired", _("Expired")

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"), related_name="carts")
    external_id = models.CharField(_("cart in the channel"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.HELD)
    expires_at = models.DateTimeField(_("expires at"))
    quota_used = models.JSONField(
        _("of quotas"), default=dict, db_default={}, blank=True, help_text=_("Quota id → units it holds of it.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("cart"), _("carts")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="cart_once")]
        indexes = [models.Index(fields=["expires_at"], name="cart_due", condition=Q(state="held"))]

    def __str__(self) -> str:
        return self.external_id


class CartLine(models.Model):
    """Units of one stocked SKU held for a cart; a kit in the cart is held as its parts."""

    cart = models.ForeignKey(Cart, models.CASCADE, verbose_name=_("cart"), related_name="lines", db_index=False)
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="cart_lines")
    quantity = QuantityField(_("quantity"))
    parts = models.JSONField(
        _("parts"), default=dict, blank=True, help_text=_("Of a kit: SKU id of the part → units of it in one kit.")
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("cart line"), _("cart lines")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["cart", "line_number"], name="cart_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cart_line_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.cart_id}/{self.line_number}"


class ChannelQuota(models.Model):
    """Units of a SKU that only this channel may promise, until they are used, released or expire."""

    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), related_name="quotas")
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="quotas")
    quantity = QuantityField(_("quota"))
    used = QuantityField(_("used"), default=0)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True, help_text=_("Empty: until released."))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("channel quota"), _("channel quotas")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["channel", "sku"], condition=Q(released_at=None), name="quota_open_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="quota_positive"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("quantity")), name="quota_used_within"),
        ]
        indexes = [models.Index(fields=["sku"], name="quota_open_sku", condition=Q(released_at=None))]

    def __str__(self) -> str:
        return f"{self.sku.code} · {self.channel}"


class PublishedAvailability(models.Model):
    """What a channel was told last about a listing, so that it is told again only when it changes."""

    listing = models.OneToOneField(
        "catalog.Listing", models.CASCADE, primary_key=True, verbose_name=_("listing"), related_name="published"
    )
    quantity = QuantityField(_("quantity"))
    sequence = models.PositiveBigIntegerField(
        _("sequence"), default=1, help_text=_("Grows with every message, so that an old one is known as old.")
    )
    changed_at = models.DateTimeField(_("changed at"))
    told_at = models.DateTimeField(_("told at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("published availability"), _("published availability")
        ordering = ("listing",)

    def __str__(self) -> str:
        return str(self.listing)
