"""Goods that go from one warehouse to another, and are in transit meanwhile."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Lot, Warehouse


class Transfer(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RESERVED = "reserved", _("Reserved")
        IN_TRANSIT = "in_transit", _("In transit")
        PARTIALLY_RECEIVED = "partially_received", _("Partially received")
        RECEIVED = "received", _("Received")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.DRAFT, Status.RESERVED, Status.IN_TRANSIT, Status.PARTIALLY_RECEIVED)
    MOVING = (Status.IN_TRANSIT, Status.PARTIALLY_RECEIVED)
    DONE = (Status.RECEIVED, Status.CANCELLED)

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.CharField(_("idempotency key"), max_length=255, unique=True)
    source = models.ForeignKey(
        Warehouse, models.PROTECT, verbose_name=pgettext_lazy("place", "from"), related_name="transfers_out"
    )
    destination = models.ForeignKey(
        Warehouse, models.PROTECT, verbose_name=pgettext_lazy("place", "to"), related_name="transfers_in"
    )
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.DRAFT)
    expected_on = models.DateField(_("expected on"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("transfer"), _("transfers")
        ordering = ("-pk",)
        constraints = [models.CheckConstraint(condition=~Q(source=F("destination")), name="transfer_between_two")]
        indexes = [
            models.Index(fields=["status"], name="transfer_open", condition=~Q(status__in=["received", "cancelled"]))
        ]
        permissions = [
            ("ship_transfer", "Can ship a transfer"),
            ("receive_transfer", "Can receive a transfer"),
            ("cancel_transfer", "Can cancel a transfer"),
        ]

    def __str__(self) -> str:
        return self.number


class TransferLine(models.Model):
    transfer = models.ForeignKey(
        Transfer, models.CASCADE, verbose_name=_("transfer"), related_name="lines", db_index=False
    )
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="transfer_lines")
    lot = models.ForeignKey(
        Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"), help_text=_("Empty: any lot.")
    )
    quantity = QuantityField(_("quantity"))
    reserved_quantity = QuantityField(_("reserved"), default=0)
    shipped_quantity = QuantityField(_("shipped"), default=0)
    received_quantity = QuantityField(_("received"), default=0)
    lost_quantity = QuantityField(_("lost under way"), default=0)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("transfer line"), _("transfer lines")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["transfer", "line_number"], name="transfer_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="transfer_line_positive"),
            models.CheckConstraint(
                condition=Q(reserved_quantity__gte=0, shipped_quantity__gte=0)
                & Q(quantity__gte=F("reserved_quantity") + F("shipped_quantity")),
                name="transfer_line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(received_quantity__gte=0, lost_quantity__gte=0)
                & Q(shipped_quantity__gte=F("received_quantity") + F("lost_quantity")),
                name="transfer_line_received_within",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id}/{self.line_number}"
