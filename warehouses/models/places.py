"""Where stock can be: warehouses, their trees of locations, lots; who serves which channel, and at what cost."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Channel, Sku
from catalog.models.channel import validate_time_zone
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager


class Warehouse(models.Model):
    class PickingRule(models.TextChoices):
        FEFO = "fefo", _("First expired, first out")
        FIFO = "fifo", _("First in, first out")
        NEAREST = "nearest", _("Nearest bin")

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120)
    city = models.CharField(_("city"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166 code."))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5, null=True, blank=True)
    picking_rule = models.CharField(
        _("picking rule"),
        max_length=8,
        choices=PickingRule.choices,
        default=PickingRule.FEFO,
        db_default="fefo",
        help_text=_("Which units are held and picked first."),
    )
    capacity_units = QuantityField(
        _("capacity (units)"), null=True, blank=True, help_text=_("More than this is not taken in. Empty: no limit.")
    )
    orders_a_day = models.PositiveIntegerField(
        _("orders a day"),
        null=True,
        blank=True,
        help_text=_("Orders it can send on one day; when they are used up, others serve. Empty: no limit."),
    )
    count_days_a = models.PositiveSmallIntegerField(_("count class A every (days)"), default=30, db_default=30)
    count_days_b = models.PositiveSmallIntegerField(_("count class B every (days)"), default=90, db_default=90)
    count_days_c = models.PositiveSmallIntegerField(_("count class C every (days)"), default=365, db_default=365)
    count_approval_value = MoneyField(
        _("variances to approve"),
        default=100,
        db_default=100,
        help_text=_("A count whose variance is worth more needs the approval of somebody who did not count."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("warehouse"), _("warehouses")
        ordering = ("code",)
        constraints = [
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)) | Q(latitude=None, longitude=None),
                name="warehouse_place_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(capacity_units=None) | Q(capacity_units__gt=0), name="warehouse_capacity_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """A node of a warehouse's tree. Stock lies in bins only; zones and aisles hold bins together."""

    class Level(models.TextChoices):
        ZONE = "zone", _("Zone")
        AISLE = "aisle", _("Aisle")
        BIN = "bin", _("Bin")

    class Kind(models.TextChoices):
        STORAGE = "storage", _("Storage")
        PICKING = "picking", _("Picking")
        RECEIVING = "receiving", _("Receiving")
        PACKING = "packing", _("Packing")
        RETURNS = "returns", pgettext_lazy("place", "Returns")
        QUARANTINE = "quarantine", _("Quarantine")
        IN_TRANSIT = "in_transit", _("In transit")

    # Stock that can be promised and shipped lies here. What lies in packing is picked for an order already; returns and
    # quarantine are on hand, but not usable; what is in transit to the warehouse has not arrived.
    USABLE = (Kind.STORAGE, Kind.PICKING, Kind.RECEIVING)

    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="locations")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("within"), related_name="children"
    )
    code = models.CharField(_("code"), max_length=32)
    level = models.CharField(_("level"), max_length=8, choices=Level.choices, default=Level.BIN, db_default="bin")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.STORAGE)
    sequence = models.PositiveIntegerField(
        _("walking order"),
        default=0,
        db_default=0,
        help_text=_("Bins are walked by it; the nearest to packing has the lowest."),
    )
    capacity_units = QuantityField(
        _("capacity (units)"), null=True, blank=True, help_text=_("More than this does not fit. Empty: no limit.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("location"), _("locations")
        ordering = ("warehouse", "code")
        constraints = [
            models.UniqueConstraint(fields=["warehouse", "code"], name="location_code_once"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="location_not_within_itself"),
            models.CheckConstraint(
                condition=Q(capacity_units=None) | Q(capacity_units__gt=0), name="location_capacity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.warehouse.code}/{self.code}"


class Lot(models.Model):
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="lots")
    code = models.CharField(_("code"), max_length=64)
    expires_on = models.DateField(_("expires on"), null=True, blank=True)
    received_on = models.DateField(_("received on"), null=True, blank=True)

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


class ShippingRate(models.Model):
    """What a parcel costs from a warehouse: by country, else by distance; the first row that fits its weight counts."""

    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), related_name="shipping_rates")
    country = models.CharField(_("to country"), max_length=64, blank=True, help_text=_("Empty: anywhere."))
    up_to_kg = QuantityField(_("up to (kg)"), null=True, blank=True, help_text=_("Empty: any weight."))
    base_cost = MoneyField(_("per parcel"), default=0)
    cost_per_kg = MoneyField(_("per kg"), default=0)
    cost_per_km = MoneyField(_("per km"), default=0, help_text=_("Needs the places of the warehouse and the order."))
    days = models.PositiveSmallIntegerField(_("days under way"), default=2)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("shipping rate"), _("shipping rates")
        ordering = ("warehouse", "country", F("up_to_kg").asc(nulls_last=True))
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse", "country", "up_to_kg"], name="shipping_rate_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(base_cost__gte=0, cost_per_kg__gte=0, cost_per_km__gte=0),
                name="shipping_rate_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.warehouse.code} → {self.country or '*'}"
