"""Category → product → SKU: a product is what a shopper sees, a SKU is what is stocked, forecast and bought."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import MoneyField, QuantityField, plain
from config.kernel.policy import ScopedManager


class Category(models.Model):
    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name=_("parent"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("category"), _("categories")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=300)
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, verbose_name=_("category"), related_name="products"
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("product"), _("products")
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Sku(models.Model):
    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PHASE_OUT = "phase_out", _("Phasing out")
        DISCONTINUED = "discontinued", _("Discontinued")

    PLANNED = (Status.ACTIVE,)

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=300)
    product = models.ForeignKey(Product, models.PROTECT, verbose_name=_("product"), related_name="skus")
    barcode = models.CharField(_("barcode"), max_length=64, blank=True, db_index=True)
    unit = models.CharField(
        _("unit"),
        max_length=16,
        default="each",
        db_default="each",
        help_text=_("What one of it is called: each, pair, metre, kg."),
    )
    is_kit = models.BooleanField(
        _("is a kit"),
        default=False,
        db_default=False,
        help_text=_("Sold as one, stocked as its parts: as many as its parts allow."),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE, db_index=True)
    unit_price = MoneyField(_("list price"), default=0, help_text=_("Per unit, in the company's currency."))
    unit_cost = MoneyField(_("unit cost"), default=0, help_text=_("Per unit, in the company's currency."))
    weight_kg = QuantityField(_("weight (kg)"), null=True, blank=True)
    volume_litres = QuantityField(_("volume (litres)"), null=True, blank=True)
    shelf_life_days = models.PositiveSmallIntegerField(
        _("shelf life (days)"), null=True, blank=True, help_text=_("From receipt to expiry; empty: keeps for ever.")
    )
    launched_on = models.DateField(_("launched on"), null=True, blank=True)
    discontinued_on = models.DateField(_("discontinued on"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("SKU"), _("SKUs")
        ordering = ("code",)
        constraints = [
            models.CheckConstraint(
                condition=Q(unit_cost__gte=0) & Q(unit_price__gte=0), name="sku_amounts_not_negative"
            ),
            models.CheckConstraint(condition=~Q(code=""), name="sku_code_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PackUnit(models.Model):
    """Another unit a SKU is ordered, received or counted in: a box of 12."""

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="pack_units", db_index=False)
    code = models.CharField(_("unit"), max_length=16, help_text=_("As documents call it: box, pallet."))
    units = QuantityField(_("holds (units)"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("pack unit"), _("pack units")
        ordering = ("sku", "units")
        constraints = [
            models.UniqueConstraint(fields=["sku", "code"], name="pack_unit_once"),
            models.CheckConstraint(condition=Q(units__gt=0), name="pack_unit_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.code} = {self.units}"


class KitPart(models.Model):
    """So many units of a part are in one kit."""

    kit = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("kit"), related_name="kit_parts", db_index=False)
    part = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("part"), related_name="part_of")
    quantity = QuantityField(_("units in one kit"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("kit part"), _("kit parts")
        ordering = ("kit", "pk")
        constraints = [
            models.UniqueConstraint(fields=["kit", "part"], name="kit_part_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="kit_part_positive"),
            models.CheckConstraint(condition=~Q(kit=models.F("part")), name="kit_part_of_another"),
        ]

    def __str__(self) -> str:
        return f"{plain(self.quantity)} × {self.part.code}"
