"""What a run said: of each SKU and warehouse, of each channel within, and of everything above."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Channel, Sku
from config.kernel.policy import ScopedManager
from forecasting.models.runs import ForecastRun
from forecasting.words import DEMAND_CLASSES, method_meaning, method_name
from warehouses.models import Warehouse


class RealField(models.FloatField):
    """Four bytes a number: seven digits are more than any quantile knows. (Means have eight: they add up exactly.)"""

    def db_type(self, connection: Any) -> str:
        return "real"


class Forecast(models.Model):
    """What a run expects of one SKU in one warehouse, all channels together.

    mean[t] and quantiles[q][t] are units on day as_of + 1 + t; the protection numbers are of the SUM over
    protection_days. error is of the backtest, forecast − actual. Overrides of planners are not in here.
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
    value_class = models.CharField(
        _("ABC"), max_length=1, blank=True, help_text=_("By share of the demand's value: A 80 %, B 15 %, C 5 %.")
    )
    variability_class = models.CharField(
        _("XYZ"), max_length=1, blank=True, help_text=_("By how far demand strays from its season: X least, Z most.")
    )
    value_at_stake = models.FloatField(
        _("value at stake"), default=0, help_text=_("Expected demand over the protection interval, at unit cost.")
    )
    scores = models.JSONField(_("backtest scores"), default=dict)
    mean = ArrayField(models.FloatField(), verbose_name=_("mean per day"))
    quantiles = ArrayField(ArrayField(RealField()), verbose_name=_("quantiles per day"))
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
        permissions = [("refit_forecast", "Can have forecasts learnt anew")]
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


class ChannelForecast(models.Model):
    """One channel's part of a Forecast. The means of all channels of a SKU and warehouse add up exactly to the
    forecast's. A share of 1 is the forecast itself: its arrays are left empty."""

    run = models.ForeignKey(ForecastRun, models.CASCADE, verbose_name=_("run"), related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="+")
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), db_index=False)
    share = models.FloatField(_("share"), help_text=_("Of the SKU's demand in the warehouse, 0 to 1."))
    mean = ArrayField(models.FloatField(), verbose_name=_("mean per day"))
    quantiles = ArrayField(ArrayField(RealField()), verbose_name=_("quantiles per day"))
    protection_mean = models.FloatField(_("expected demand over the protection interval"))
    protection_quantiles = ArrayField(models.FloatField(), verbose_name=_("quantiles over the protection interval"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast of a channel"), _("forecasts of channels")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["run", "sku", "warehouse", "channel"], name="channel_forecast_once")
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} @ {self.warehouse_id} / {self.channel_id}"


class AggregateForecast(models.Model):
    """What a run expects above SKU × warehouse: a category, a warehouse, a channel, everything.

    A level leaves empty what it sums over. Means per day add up exactly to those of the level above; quantiles are of
    the sum (from joint samples), never sums of quantiles.
    """

    class Level(models.TextChoices):
        TOTAL = "total", _("Everything")
        CATEGORY = "category", _("Category")
        WAREHOUSE = "warehouse", _("Warehouse")
        CATEGORY_WAREHOUSE = "category_warehouse", _("Category × warehouse")
        CHANNEL = "channel", _("Channel")

    run = models.ForeignKey(ForecastRun, models.CASCADE, verbose_name=_("run"), related_name="+", db_index=False)
    level = models.CharField(_("level"), max_length=20, choices=Level.choices)
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, verbose_name=_("channel"))
    series = models.PositiveIntegerField(_("series below"), default=0)
    mean = ArrayField(models.FloatField(), verbose_name=_("mean per day"))
    quantiles = ArrayField(ArrayField(RealField()), verbose_name=_("quantiles per day"))
    horizon_mean = models.FloatField(_("expected over the horizon"))
    horizon_quantiles = ArrayField(models.FloatField(), verbose_name=_("quantiles over the horizon"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast of a group"), _("forecasts of groups")
        ordering = ("-run", "level", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "level", "category", "warehouse", "channel"],
                name="aggregate_forecast_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.get_level_display()}"
