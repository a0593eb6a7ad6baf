"""What arrived for a purchase order; the stock itself is in the ledger, with the receipt's number as reference."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager
from procurement.models.orders import PurchaseOrder, PurchaseOrderLine
from procurement.models.suppliers import supplier_user


class Receipt(models.Model):
    number = models.CharField(_("number"), max_length=20, unique=True)
    order = models.ForeignKey(PurchaseOrder, models.PROTECT, verbose_name=_("purchase order"), related_name="receipts")
    delivery_note = models.CharField(_("delivery note"), max_length=80, blank=True)
    idempotency_key = models.CharField(
        _("idempotency key"),
        max_length=240,
        unique=True,
        null=True,
        blank=True,
        help_text=_("The same key never books a second receipt."),
    )
    received_at = models.DateTimeField(_("received at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("received by")
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("receipt"), _("receipts")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number

    @classmethod
    def supplier_rows(cls, user: Any) -> Q:
        return supplier_user("order__supplier", user) & Q(order__sent_at__isnull=False)


class ReceiptLine(models.Model):
    receipt = models.ForeignKey(Receipt, models.CASCADE, verbose_name=_("receipt"), related_name="lines")
    order_line = models.ForeignKey(
        PurchaseOrderLine, models.PROTECT, verbose_name=_("order line"), related_name="receipt_lines"
    )
    quantity = QuantityField(_("quantity"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("receipt line"), _("receipt lines")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["receipt", "order_line"], name="receipt_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="receipt_line_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id}: {self.quantity}"

    @classmethod
    def supplier_rows(cls, user: Any) -> Q:
        return supplier_user("receipt__order__supplier", user) & Q(receipt__order__sent_at__isnull=False)
