"""What a channel asked for, what is reserved for it, and what left the house."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Warehouse
from warehouses.models.stock import StockLevel


class SalesOrder(models.Model):
    class Status(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        BACKORDERED = "backordered", _("Backordered")
        PARTIALLY_SHIPPED = "partially_shipped", _("Partially shipped")
        SHIPPED = "shipped", _("Shipped")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.RESERVED, Status.BACKORDERED, Status.PARTIALLY_SHIPPED)
    DONE = (Status.SHIPPED, Status.CANCELLED)

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"), related_name="orders")
    external_id = models.CharField(_("order number in the channel"), max_length=64)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices)
    is_history = models.BooleanField(
        _("history"), default=False, help_text=_("Imported: it counts as demand, but never touched our stock.")
    )
    customer_reference = models.CharField(_("customer"), max_length=64, blank=True)
    ship_to_country = models.CharField(_("ship to"), max_length=64, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    ordered_at = models.DateTimeField(_("ordered at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("sales order"), _("sales orders")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="sales_order_once")]
        indexes = [
            models.Index(fields=["ordered_at"], name="sales_order_when"),
            models.Index(fields=["status"], name="sales_order_open", condition=~Q(status__in=["shipped", "cancelled"])),
        ]
        permissions = [("cancel_salesorder", "Can cancel a sales order")]

    def __str__(self) -> str:
        return self.external_id


class SalesOrderLine(models.Model):
    # No index of their own: the unique constraint leads with the order, and a warehouse selects too many lines for one.
    order = models.ForeignKey(SalesOrder, models.CASCADE, verbose_name=_("order"), related_name="lines", db_index=False)
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="order_lines")
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="order_lines", db_index=False
    )
    quantity = QuantityField(_("ordered"))
    unit_price = MoneyField(_("unit price"))
    reserved_quantity = QuantityField(_("reserved"), default=0)
    shipped_quantity = QuantityField(_("shipped"), default=0)
    cancelled_quantity = QuantityField(_("cancelled"), default=0)
    returned_quantity = QuantityField(_("returned"), default=0)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("order line"), _("order lines")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["order", "line_number"], name="sales_order_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="sales_order_line_quantity_positive"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="sales_order_line_price_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved_quantity__gte=0, shipped_quantity__gte=0, cancelled_quantity__gte=0)
                & Q(quantity__gte=F("reserved_quantity") + F("shipped_quantity") + F("cancelled_quantity")),
                name="sales_order_line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(returned_quantity__gte=0, returned_quantity__lte=F("quantity") - F("cancelled_quantity")),
                name="sales_order_line_returned_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_number}"


class Reservation(models.Model):
    """Units of one level held for one order line; the sum over a level is that level's `reserved`."""

    line = models.ForeignKey(SalesOrderLine, models.CASCADE, verbose_name=_("order line"), related_name="reservations")
    level = models.ForeignKey(StockLevel, models.PROTECT, verbose_name=_("stock level"), related_name="reservations")
    quantity = QuantityField(_("quantity"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("reservation"), _("reservations")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["line", "level"], name="reservation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} ← {self.level_id}"


class Shipment(models.Model):
    """What left for one order at one moment; its lines are the ledger's sale movements with its number as reference."""

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.CharField(
        _("idempotency key"), max_length=255, unique=True, help_text=_("The same key again is the same shipment.")
    )
    order = models.ForeignKey(SalesOrder, models.PROTECT, verbose_name=_("order"), related_name="shipments")
    shipped_at = models.DateTimeField(_("shipped at"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("shipment"), _("shipments")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number
