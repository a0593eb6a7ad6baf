"""The level of stock and the ledger it sums up. Only `warehouses.services.stock.post_movements` writes here."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Location, Lot


class StockLevel(models.Model):
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="levels")
    location = models.ForeignKey(Location, models.PROTECT, verbose_name=_("location"), related_name="levels")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"), related_name="levels")
    on_hand = QuantityField(_("on hand"), default=0)
    reserved = QuantityField(_("reserved"), default=0)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock level"), _("stock levels")
        ordering = ("sku", "location")
        constraints = [
            models.UniqueConstraint(fields=["sku", "location", "lot"], name="stock_level_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="stock_level_on_hand_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")), name="stock_level_reserved_within_on_hand"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} @ {self.location}"


class StockMovement(models.Model):
    class Kind(models.TextChoices):
        OPENING = "opening", _("Opening stock")
        RECEIPT = "receipt", _("Receipt")
        SALE = "sale", _("Sale")
        RETURN = "return", _("Return")
        ADJUSTMENT = "adjustment", _("Adjustment")
        SCRAP = "scrap", _("Scrap")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="movements")
    location = models.ForeignKey(Location, models.PROTECT, verbose_name=_("location"), related_name="movements")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"), related_name="movements")
    quantity = QuantityField(_("quantity"), help_text=_("Signed: what comes in is positive."))
    unit_cost = MoneyField(_("unit cost"), null=True, blank=True)
    reference = models.CharField(_("reference"), max_length=80, blank=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=120, unique=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))
    happened_at = models.DateTimeField(_("happened at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock movement"), _("stock movements")
        ordering = ("-pk",)
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="stock_movement_not_zero")]
        indexes = [models.Index(fields=["sku", "location", "happened_at"], name="stock_movement_history")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+f} {self.sku.code}"
