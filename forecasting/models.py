"""The demand that was, the runs that looked ahead, and what each of them said."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.fields import QuantityField
from config.kernel.models import Job
from config.kernel.policy import ScopedManager
from forecasting.words import DEMAND_CLASSES, method_meaning, method_name
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


class ForecastRun(models.Model):
    """One night's look ahead: what it covered, from which data, and how it went."""

    job = models.OneToOneField(Job, models.PROTECT, verbose_name=_("job"), related_name="forecast_run")
    as_of = models.DateField(_("as of"), help_text=_("The last day of demand it read."))
    horizon_days = models.PositiveSmallIntegerField(_("horizon (days)"))
    quantile_levels = ArrayField(models.FloatField(), verbose_name=_("quantile levels"))
    input_fingerprint = models.CharField(_("input fingerprint"), max_length=64, db_index=True)
    is_complete = models.BooleanField(_("complete"), default=False)
    series_count = models.PositiveIntegerField(_("series"), default=0)
    summary = models.JSONField(_("summary"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast run"), _("forecast runs")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.pk} · {self.as_of}"


class Forecast(models.Model):
    """What a run expects of one SKU in one warehouse, all channels together.

    mean[t] and quantiles[q][t] are units on day as_of + 1 + t; the protection numbers are of the SUM over
    protection_days. error is of the backtest, forecast − actual.
    """

    run = models.ForeignKey(
        ForecastRun, models.CASCADE, verbose_name=_("run"), related_name="forecasts", db_index=False
    )
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="forecasts")
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), db_index=False)
    method = models.CharField(_("method"), max_length=40, db_index=True)
    reason = models.TextField(_("why this method"))
    fallback = models.CharField(_("fallback"), max_length=200, blank=True)
    demand_class = models.CharField(_("demand class"), max_length=16, blank=True)
    scores = models.JSONField(_("backtest scores"), default=dict)
    mean = ArrayField(models.FloatField(), verbose_name=_("mean per day"))
    quantiles = ArrayField(ArrayField(models.FloatField()), verbose_name=_("quantiles per day"))
    protection_days = models.PositiveSmallIntegerField(_("protection interval (days)"))
    protection_mean = models.FloatField(_("expected demand over the protection interval"))
    protection_sd = models.FloatField(_("standard deviation over the protection interval"))
    protection_quantiles = ArrayField(models.FloatField(), verbose_name=_("quantiles over the protection interval"))
    wape = models.FloatField(_("WAPE"), null=True, blank=True, help_text=_("Σ|error| / Σ demand in the backtest."))
    bias = models.FloatField(_("bias"), null=True, blank=True, help_text=_("Σ error / Σ demand in the backtest."))

    DEMAND_CLASSES = DEMAND_CLASSES

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast"), _("forecasts")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["run", "sku", "warehouse"], name="forecast_once")]

    def __str__(self) -> str:
        return f"{self.sku.code} @ {self.warehouse.code}: {self.method_name}"

    @property
    def method_name(self) -> str:
        return str(method_name(self.method))

    @property
    def method_meaning(self) -> str:
        return str(method_meaning(self.method))

    @property
    def demand_class_name(self) -> str:
        return str(DEMAND_CLASSES.get(self.demand_class, self.demand_class))
