"""Whom we buy from, at what price and in how many days."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
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
    freight_cost = MoneyField(
        _("freight of an order"), default=0, db_default=0, help_text=_("Paid below the free-freight value.")
    )
    free_freight_from = MoneyField(_("free freight from"), null=True, blank=True, help_text=_("Order value."))
    container_litres = QuantityField(_("container volume (litres)"), null=True, blank=True)
    container_kg = QuantityField(_("container weight (kg)"), null=True, blank=True)
    containers_at_most = models.PositiveSmallIntegerField(_("containers an order, at most"), default=1, db_default=1)
    container_cost = MoneyField(_("cost of a container"), default=0, db_default=0)
    order_capacity = QuantityField(_("units an order, at most"), null=True, blank=True)
    order_weekdays = models.CharField(
        _("takes orders on"),
        max_length=7,
        blank=True,
        db_default="",
        validators=[RegexValidator(r"^1?2?3?4?5?6?7?$", _("Days of the week in order, 1 is Monday, such as 135."))],
        help_text=_("Days of the week, 1 is Monday: 135 means Monday, Wednesday and Friday. Empty: any day."),
    )
    uses_learned_lead_times = models.BooleanField(
        _("learn lead times"),
        default=True,
        db_default=True,
        help_text=_("Plan with what the receipts say, drawn towards the lead time above while there are few."),
    )
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
            models.CheckConstraint(
                condition=Q(freight_cost__gte=0, container_cost__gte=0, containers_at_most__gte=1),
                name="supplier_freight_makes_sense",
            ),
            models.CheckConstraint(
                condition=(Q(container_litres=None) | Q(container_litres__gt=0))
                & (Q(container_kg=None) | Q(container_kg__gt=0))
                & (Q(order_capacity=None) | Q(order_capacity__gt=0))
                & (Q(free_freight_from=None) | Q(free_freight_from__gte=0)),
                name="supplier_limits_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SupplierClosure(models.Model):
    """Days on which a supplier neither takes nor sends orders: holidays, stocktaking."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, verbose_name=_("supplier"), related_name="closures")
    name = models.CharField(_("name"), max_length=120)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), help_text=_("The last day, included."))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("supplier's closure"), _("suppliers' closures")
        ordering = ("supplier", "starts_on")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="supplier_closure_ends_after_start")
        ]

    def __str__(self) -> str:
        return f"{self.supplier.code}: {self.name}"


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
    class Discount(models.TextChoices):
        ALL = "all_units", _("For all units")
        INCREMENTAL = "incremental", _("For the units above the break")

    supplier = models.ForeignKey(Supplier, models.CASCADE, verbose_name=_("supplier"), related_name="items")
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="supplier_items")
    supplier_code = models.CharField(_("supplier's code"), max_length=64, blank=True)
    unit_cost = MoneyField(_("unit cost"), help_text=_("In the supplier's currency, before price breaks."))
    minimum_order_quantity = QuantityField(_("minimum order quantity"), default=1)
    pack_size = QuantityField(_("pack size"), default=1)
    pallet_size = QuantityField(
        _("pallet (units)"),
        null=True,
        blank=True,
        help_text=_("Empty: not sold by the pallet; else packs times a number."),
    )
    maximum_order_quantity = QuantityField(_("most an order"), null=True, blank=True, help_text=_("Empty: no limit."))
    discount = models.CharField(
        _("price breaks are"), max_length=12, choices=Discount.choices, default=Discount.ALL, db_default="all_units"
    )
    return_credit = ShareField(
        _("credit for returns"),
        null=True,
        blank=True,
        help_text=_("Share of the unit cost paid back for goods returned; empty: takes nothing back."),
    )
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
            models.CheckConstraint(
                condition=(Q(pallet_size=None) | Q(pallet_size__gt=0))
                & (Q(maximum_order_quantity=None) | Q(maximum_order_quantity__gte=F("minimum_order_quantity")))
                & (Q(return_credit=None) | Q(return_credit__gte=0, return_credit__lte=1)),
                name="supplier_item_limits_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} · {self.supplier.code}"


class PriceBreak(models.Model):
    """From this quantity on a unit costs this: all units of the order or those above the break, as the item says."""

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
