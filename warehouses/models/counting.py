"""Count sheets: what is to be counted, what was counted, and what became of the difference."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Location, Lot, Warehouse
from warehouses.models.stock import StockStatus


class CountSheet(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", _("To be counted")
        RECOUNT = "recount", _("To be counted again")
        COUNTED = "counted", _("Waiting for approval")
        POSTED = "posted", _("Posted")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN_STATES = (Status.OPEN, Status.RECOUNT, Status.COUNTED)

    class Origin(models.TextChoices):
        SCHEDULE = "schedule", _("Scheduled")
        PERSON = "person", pgettext_lazy("count", "Asked for")
        DRIFT = "drift", _("After a shortage")

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.CharField(_("idempotency key"), max_length=255, unique=True)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="count_sheets")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin.choices, default=Origin.PERSON)
    is_blind = models.BooleanField(_("blind"), default=True, help_text=_("Who counts does not see what is expected."))
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    posted_at = models.DateTimeField(_("posted at"), null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("made by"), related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("approved by"), related_name="+"
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("count sheet"), _("count sheets")
        ordering = ("-pk",)
        permissions = [
            ("count_countsheet", "Can enter counts"),
            ("approve_countsheet", "Can approve counts"),
        ]

    def __str__(self) -> str:
        return self.number


class CountLine(models.Model):
    """One level to count. `on_hand_at_count` is what the books said at the moment the count was entered."""

    sheet = models.ForeignKey(
        CountSheet, models.CASCADE, verbose_name=_("count sheet"), related_name="lines", db_index=False
    )
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="count_lines")
    location = models.ForeignKey(Location, models.PROTECT, verbose_name=_("location"), related_name="count_lines")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"))
    status = models.CharField(
        _("stock status"), max_length=10, choices=StockStatus.choices, default=StockStatus.AVAILABLE
    )
    abc_class = models.CharField(_("ABC class"), max_length=1, blank=True)
    first_count = QuantityField(_("first count"), null=True, blank=True)
    counted_quantity = QuantityField(_("counted"), null=True, blank=True)
    on_hand_at_count = QuantityField(_("on hand when counted"), null=True, blank=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("counted by"), related_name="+"
    )
    needs_recount = models.BooleanField(_("count again"), default=False)
    variance_value = MoneyField(_("worth of the variance"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("count line"), _("count lines")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["sheet", "line_number"], name="count_line_once"),
            models.UniqueConstraint(
                fields=["sheet", "sku", "location", "lot", "status"], name="count_line_level_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(counted_quantity=None) | Q(counted_quantity__gte=0), name="count_line_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id}/{self.line_number}"
