"""The demand that was, and what was found to be no ordinary demand."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models import Warehouse


class DemandHistory(models.Model):
    """Demand of one SKU in one channel and warehouse on one day (of the channel's time zone); no row means zero.

    quantity = ordered − cancelled − returned, all counted on the day of the original order.
    """

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="demand", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), db_index=False)
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), db_index=False)
    day = models.DateField(_("day"))
    quantity = QuantityField(_("demand"))
    ordered = QuantityField(_("ordered"))
    cancelled = QuantityField(_("cancelled"), default=0)
    returned = QuantityField(_("returned"), default=0)
    orders = models.PositiveIntegerField(_("order lines"), default=0)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("daily demand"), _("daily demand")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["sku", "warehouse", "channel", "day"], name="demand_history_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="demand_history_not_negative"),
        ]
        indexes = [models.Index(fields=["day"], name="demand_history_day")]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.day} {self.quantity}"


class HistoryCorrection(models.Model):
    """A day whose demand the forecasts read otherwise than it was sold, and what a planner said of that.

    Found by rule (a bulk order, an outlier) or entered by hand. AUTO: the rule stands. KEPT: it was real demand, used
    as sold. APPLIED: a planner confirmed or set the corrected quantity.
    """

    class Kind(models.TextChoices):
        BULK = "bulk", _("One-off bulk order")
        OUTLIER = "outlier", _("Outlier")
        MANUAL = "manual", _("Entered by hand")

    class Decision(models.TextChoices):
        AUTO = "auto", _("Capped by rule")
        KEPT = "kept", _("Kept as real demand")
        APPLIED = "applied", _("Confirmed")

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="+", db_index=False)
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), db_index=False)
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    observed = QuantityField(_("sold"))
    corrected = QuantityField(_("read as"))
    decision = models.CharField(_("decision"), max_length=12, choices=Decision.choices, default=Decision.AUTO)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    found_at = models.DateTimeField(_("found at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("correction of demand"), _("corrections of demand")
        ordering = ("-day", "-pk")
        permissions = [("decide_historycorrection", "Can decide on a correction of demand")]
        constraints = [
            models.UniqueConstraint(fields=["sku", "warehouse", "day"], name="history_correction_once"),
            models.CheckConstraint(
                condition=Q(observed__gte=0, corrected__gte=0), name="history_correction_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["-day"], name="history_correction_day")]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.day} {self.observed} → {self.corrected}"
