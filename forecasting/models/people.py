"""What planners add to a forecast, and how every step of it fared once the demand was known."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Category, Channel, Sku
from config.kernel.models import Job
from config.kernel.policy import ScopedManager
from warehouses.models import Warehouse


class ForecastOverride(models.Model):
    """A planner's word on some days of some SKUs: who, why, and until when it holds.

    SET: that many units over the whole span; CHANGE: units a day more or less; FACTOR: times the forecast. It names a
    SKU or a category; an empty warehouse or channel means all of them, a SET then shared out like the forecast.
    """

    class Kind(models.TextChoices):
        FACTOR = "factor", pgettext_lazy("override", "Times")
        CHANGE = "change", _("Plus or minus a day")
        SET = "set", _("Instead, over the whole span")

    sku = models.ForeignKey(Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"), related_name="overrides")
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, verbose_name=_("channel"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.FACTOR)
    value = models.DecimalField(pgettext_lazy("override", "value"), max_digits=14, decimal_places=4)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), help_text=_("The last day, included."))
    reason = models.CharField(_("reason"), max_length=300)
    expires_on = models.DateField(
        _("expires on"), help_text=_("From this day on plans no longer use it, whatever its span.")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"), related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("withdrawn by"),
        related_name="+",
        editable=False,
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True, editable=False)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("override"), _("overrides")
        ordering = ("-pk",)
        permissions = [("withdraw_forecastoverride", "Can withdraw an override")]
        constraints = [
            models.CheckConstraint(
                condition=Q(sku__isnull=False, category__isnull=True) | Q(sku__isnull=True, category__isnull=False),
                name="forecast_override_sku_or_category",
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="forecast_override_ends_after_start"),
            models.CheckConstraint(condition=Q(kind="change") | Q(value__gte=0), name="forecast_override_not_negative"),
        ]
        indexes = [models.Index(fields=["starts_on", "ends_on"], name="forecast_override_days")]

    def __str__(self) -> str:
        return f"{self.sku or self.category}: {self.get_kind_display()} {self.value:g}"


class ForecastAccuracy(models.Model):
    """How one SKU in one warehouse was forecast for one week, `lag_weeks` before it began. Errors = forecast − actual.

    Units of the week. naive: the last week known then, repeated; model: the run's mean; final: after the overrides in
    force then. pinball: mean over the run's levels of the pinball loss of the model's week quantiles where known.
    """

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="+", db_index=False)
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), db_index=False)
    week = models.DateField(_("week of"), help_text=_("Its Monday."))
    lag_weeks = models.PositiveSmallIntegerField(_("lag (weeks)"), help_text=_("Weeks ahead the forecast was made."))
    method = models.CharField(_("method"), max_length=40)
    demand_class = models.CharField(_("demand class"), max_length=16, blank=True)
    value_class = models.CharField(_("ABC"), max_length=1, blank=True)
    actual = models.FloatField(_("demand"))
    naive = models.FloatField(_("naive"))
    model = models.FloatField(_("model"))
    final = models.FloatField(_("with overrides"))
    unit_cost = models.FloatField(_("unit cost"), default=0)
    was_in_stock = models.FloatField(_("in stock"), default=1, help_text=_("Share of the week, 0 to 1."))
    override = models.ForeignKey(
        ForecastOverride, models.SET_NULL, null=True, blank=True, verbose_name=_("override"), related_name="+"
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("accuracy of a forecast"), _("accuracy of forecasts")
        ordering = ("-week", "lag_weeks", "pk")
        constraints = [
            models.UniqueConstraint(fields=["week", "lag_weeks", "sku", "warehouse"], name="forecast_accuracy_once")
        ]
        indexes = [models.Index(fields=["sku", "warehouse", "week"], name="forecast_accuracy_sku")]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.week} −{self.lag_weeks}"


class ForecastDrift(models.Model):
    """A forecast that has erred to one side, or far, for weeks: who looks after it, and when it was learnt anew."""

    class Kind(models.TextChoices):
        BIAS = "bias", _("Errs to one side")
        ERROR = "error", _("Errs more than in its backtest")
        COVERAGE = "coverage", _("Demand leaves its quantiles too often")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REFITTED = "refitted", _("Learnt anew")
        CLOSED = "closed", _("Over")

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="+")
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    measure = models.FloatField(_("measure"), help_text=_("Tracking signal, error ratio or share outside, by kind."))
    limit = models.FloatField(_("limit"))
    found_on = models.DateField(_("found on"))
    closed_on = models.DateField(_("over since"), null=True, blank=True)
    refit = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, verbose_name=_("refit"), related_name="+")

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("drift of a forecast"), _("drifts of forecasts")
        ordering = ("-found_on", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "warehouse", "kind"], condition=~Q(state="closed"), name="forecast_drift_once_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.get_kind_display()}"
