"""What a channel asked for, what is reserved for it, and what left the house."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Channel, Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Warehouse


class SalesOrder(models.Model):
    class Status(models.TextChoices):
        RECEIVED = "received", pgettext_lazy("sales order", "Received")
        RESERVED = "reserved", _("Reserved")
        BACKORDERED = "backordered", _("Backordered")
        ALLOCATED = "allocated", _("Being picked")
        PICKED = "picked", _("Picked")
        PARTIALLY_SHIPPED = "partially_shipped", _("Partially shipped")
        SHIPPED = "shipped", _("Shipped")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (
        Status.RECEIVED,
        Status.RESERVED,
        Status.BACKORDERED,
        Status.ALLOCATED,
        Status.PICKED,
        Status.PARTIALLY_SHIPPED,
    )
    DONE = (Status.SHIPPED, Status.DELIVERED, Status.CANCELLED)

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"), related_name="orders")
    external_id = models.CharField(_("order number in the channel"), max_length=64)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices)
    is_history = models.BooleanField(
        _("history"), default=False, help_text=_("Imported: it counts as demand, but never touched our stock.")
    )
    customer_reference = models.CharField(_("customer"), max_length=64, blank=True)
    ship_to_country = models.CharField(_("ship to"), max_length=64, blank=True)
    ship_to_latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5, null=True, blank=True)
    ship_to_longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5, null=True, blank=True)
    sourcing = models.JSONField(
        _("why these warehouses"),
        default=dict,
        db_default={},
        blank=True,
        help_text=_("What sourcing compared and chose."),
    )
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
            models.Index(
                fields=["status"],
                name="sales_order_open",
                condition=~Q(status__in=["shipped", "delivered", "cancelled"]),
            ),
        ]
        permissions = [
            ("cancel_salesorder", "Can cancel a sales order"),
            ("release_salesorder", "Can release a sales order for picking"),
            ("deliver_salesorder", "Can mark a sales order delivered"),
        ]

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
    kit_line = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("kit"),
        related_name="parts",
        help_text=_("Of a part: the line of the kit it belongs to. Only lines that are no kits hold stock."),
    )
    is_kit = models.BooleanField(_("is a kit"), default=False, db_default=False)
    units_per_kit = QuantityField(_("units in one kit"), null=True, blank=True)
    quantity = QuantityField(_("ordered"))
    unit_price = MoneyField(_("unit price"))
    reserved_quantity = QuantityField(_("reserved"), default=0)
    picked_quantity = QuantityField(
        _("picked"), default=0, db_default=0, help_text=_("Of the reserved units: those that lie in packing already.")
    )
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
                condition=Q(picked_quantity__gte=0, picked_quantity__lte=F("reserved_quantity")),
                name="sales_order_line_picked_within",
            ),
            models.CheckConstraint(
                condition=Q(returned_quantity__gte=0, returned_quantity__lte=F("quantity") - F("cancelled_quantity")),
                name="sales_order_line_returned_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_number}"


class Shipment(models.Model):
    """What left for one order at one moment; its lines are the ledger's sale movements with its number as reference."""

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.CharField(
        _("idempotency key"), max_length=255, unique=True, help_text=_("The same key again is the same shipment.")
    )
    order = models.ForeignKey(SalesOrder, models.PROTECT, verbose_name=_("order"), related_name="shipments")
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, null=True, blank=True, verbose_name=_("warehouse"), related_name="shipments"
    )
    carrier = models.CharField(_("carrier"), max_length=64, blank=True)
    tracking_code = models.CharField(_("tracking code"), max_length=100, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("shipment"), _("shipments")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number
