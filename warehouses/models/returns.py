"""What came back or was called off, and the sale it belongs to."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.sales import SalesOrderLine


class SalesReturn(models.Model):
    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"), related_name="returns")
    external_id = models.CharField(_("number in the channel"), max_length=64)
    customer_reference = models.CharField(_("customer"), max_length=64, blank=True)
    is_history = models.BooleanField(_("history"), default=False)
    returned_at = models.DateTimeField(_("returned at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("return"), _("returns")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="sales_return_once")]

    def __str__(self) -> str:
        return self.external_id


class SalesReturnLine(models.Model):
    class Kind(models.TextChoices):
        CANCELLATION = "cancellation", _("Cancelled soon after the order")
        RETURN = "return", _("Returned")
        UNMATCHED = "unmatched", _("No sale found for it")

    sales_return = models.ForeignKey(SalesReturn, models.CASCADE, verbose_name=_("return"), related_name="lines")
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="return_lines")
    order_line = models.ForeignKey(
        SalesOrderLine,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("order line"),
        related_name="return_lines",
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    quantity = QuantityField(_("quantity"))
    unit_price = MoneyField(_("unit price"))
    is_restocked = models.BooleanField(_("back to stock"), default=False)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("return line"), _("return lines")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["sales_return", "line_number"], name="sales_return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="sales_return_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.sales_return_id}/{self.line_number}"
