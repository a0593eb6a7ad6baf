"""Where stock can be: warehouses, their locations, lots; and which warehouse serves which channel."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from catalog.models.channel import validate_time_zone
from config.kernel.policy import ScopedManager


class Warehouse(models.Model):
    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120)
    city = models.CharField(_("city"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166 code."))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("warehouse"), _("warehouses")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    class Kind(models.TextChoices):
        STORAGE = "storage", _("Storage")
        RECEIVING = "receiving", _("Receiving")
        RETURNS = "returns", _("Returns")
        QUARANTINE = "quarantine", _("Quarantine")

    # Stock that can be promised and shipped lies here; returns and quarantine are on hand, but not usable.
    USABLE = (Kind.STORAGE, Kind.RECEIVING)

    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="locations")
    code = models.CharField(_("code"), max_length=32)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.STORAGE)
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("location"), _("locations")
        ordering = ("warehouse", "code")
        constraints = [models.UniqueConstraint(fields=["warehouse", "code"], name="location_code_once")]

    def __str__(self) -> str:
        return f"{self.warehouse.code}/{self.code}"


class Lot(models.Model):
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="lots")
    code = models.CharField(_("code"), max_length=64)
    expires_on = models.DateField(_("expires on"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("lot"), _("lots")
        ordering = ("sku", "code")
        constraints = [models.UniqueConstraint(fields=["sku", "code"], name="lot_code_once")]

    def __str__(self) -> str:
        return self.code


class ChannelRoute(models.Model):
    """A warehouse that serves a channel; the lowest rank with stock is taken first."""

    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), related_name="routes")
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), related_name="routes")
    rank = models.PositiveSmallIntegerField(_("rank"), default=1)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("channel route"), _("channel routes")
        ordering = ("channel", "rank")
        constraints = [models.UniqueConstraint(fields=["channel", "warehouse"], name="channel_route_once")]

    def __str__(self) -> str:
        return f"{self.channel} → {self.warehouse}"
