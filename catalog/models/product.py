"""Category → product → SKU: a product is what a shopper sees, a SKU is what is stocked, forecast and bought."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import MoneyField, QuantityField
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
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE, db_index=True)
    unit_price = MoneyField(_("list price"), default=0, help_text=_("Per unit, in the company's currency."))
    unit_cost = MoneyField(_("unit cost"), default=0, help_text=_("Per unit, in the company's currency."))
    weight_kg = QuantityField(_("weight (kg)"), null=True, blank=True)
    volume_litres = QuantityField(_("volume (litres)"), null=True, blank=True)
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
