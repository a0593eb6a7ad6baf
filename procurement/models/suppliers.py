"""Whom we buy from, at what price and in how many days."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField, ShareField
from config.kernel.policy import ScopedManager


class Supplier(models.Model):
    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail for orders"), blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    lead_time_days = models.PositiveSmallIntegerField(_("lead time (days)"), default=14)
    lead_time_sd_days = models.DecimalField(
        _("lead time, standard deviation (days)"), max_digits=6, decimal_places=2, default=0
    )
    review_days = models.PositiveSmallIntegerField(
        _("review period (days)"),
        default=7,
        validators=[MinValueValidator(1)],
        help_text=_("How often we order from this supplier."),
    )
    fixed_order_cost = MoneyField(_("fixed cost of an order"), default=0)
    minimum_order_value = MoneyField(_("minimum order value"), default=0)
    over_receipt_tolerance = ShareField(
        _("over-receipt tolerance"), default=0, help_text=_("Share of the ordered quantity, 0 to 1.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("supplier"), _("suppliers")
        ordering = ("code",)
        constraints = [
            models.CheckConstraint(
                condition=Q(over_receipt_tolerance__gte=0, over_receipt_tolerance__lte=1),
                name="supplier_tolerance_share",
            ),
            models.CheckConstraint(
                condition=Q(fixed_order_cost__gte=0, minimum_order_value__gte=0, lead_time_sd_days__gte=0),
                name="supplier_amounts_not_negative",
            ),
            models.CheckConstraint(condition=Q(review_days__gte=1), name="supplier_review_at_least_a_day"),
        ]

    def __str__(self) -> str:
        return self.name


class SupplierMembership(models.Model):
    """A user of the portal and the supplier they answer for."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="supplier_membership"
    )
    supplier = models.ForeignKey(Supplier, models.CASCADE, verbose_name=_("supplier"), related_name="memberships")

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("portal user"), _("portal users")

    def __str__(self) -> str:
        return f"{self.user} · {self.supplier}"


class SupplierItem(models.Model):
    supplier = models.ForeignKey(Supplier, models.CASCADE, verbose_name=_("supplier"), related_name="items")
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="supplier_items")
    supplier_code = models.CharField(_("supplier's code"), max_length=64, blank=True)
    unit_cost = MoneyField(_("unit cost"), help_text=_("In the supplier's currency, before price breaks."))
    minimum_order_quantity = QuantityField(_("minimum order quantity"), default=1)
    pack_size = QuantityField(_("pack size"), default=1)
    lead_time_days = models.PositiveSmallIntegerField(
        _("lead time (days)"), null=True, blank=True, help_text=_("Empty: the supplier's.")
    )
    is_preferred = models.BooleanField(_("preferred"), default=True)
    is_active = models.BooleanField(_("active"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("supplier item"), _("supplier items")
        ordering = ("supplier", "sku")
        constraints = [
            models.UniqueConstraint(fields=["supplier", "sku"], name="supplier_item_once"),
            models.UniqueConstraint(
                fields=["sku"], condition=Q(is_preferred=True, is_active=True), name="supplier_item_one_preferred"
            ),
            models.CheckConstraint(
                condition=Q(unit_cost__gte=0, minimum_order_quantity__gte=0, pack_size__gt=0),
                name="supplier_item_numbers_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} · {self.supplier.code}"


class PriceBreak(models.Model):
    """From this quantity on, every unit costs this (all-units discount)."""

    item = models.ForeignKey(SupplierItem, models.CASCADE, verbose_name=_("supplier item"), related_name="price_breaks")
    minimum_quantity = QuantityField(_("from quantity"))
    unit_cost = MoneyField(_("unit cost"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("price break"), _("price breaks")
        ordering = ("item", "minimum_quantity")
        constraints = [
            models.UniqueConstraint(fields=["item", "minimum_quantity"], name="price_break_once"),
            models.CheckConstraint(
                condition=Q(minimum_quantity__gt=0, unit_cost__gte=0), name="price_break_numbers_make_sense"
            ),
        ]

    def __str__(self) -> str:
        return f"≥ {self.minimum_quantity}: {self.unit_cost}"


def supplier_user(prefix: str, user: Any) -> Q:
    """The condition that a row's supplier (reached by `prefix`) is the one the user answers for."""
    return Q(**{f"{prefix}__memberships__user": user, f"{prefix}__is_active": True})
