"""What might be: policies replayed on the past, and plans under other assumptions. Nothing here touches live data."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Sku
from config.kernel.fields import QuantityField
from config.kernel.models import Job
from config.kernel.policy import ScopedManager
from forecasting.models import ForecastRun
from procurement.models.planning import Policy
from procurement.models.suppliers import Supplier
from warehouses.models import Warehouse


class PolicyReplay(models.Model):
    """A policy on trial: today's and the challenger replayed on the same demand, and the trade-off between them."""

    name = models.CharField(_("name"), max_length=120)
    policy = models.ForeignKey(Policy, models.CASCADE, null=True, blank=True, verbose_name=_("policy"))
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    sku = models.ForeignKey(Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    changes = models.JSONField(
        _("changes"), default=dict, help_text=_("Fields of the policy that the challenger has otherwise.")
    )
    days = models.PositiveSmallIntegerField(_("days replayed"), default=180)
    scenarios = models.PositiveSmallIntegerField(_("scenarios"), default=20)
    seed = models.PositiveIntegerField(_("seed"), default=0)
    searches = models.BooleanField(
        _("search for better levels"),
        default=False,
        help_text=_("Also try levels found by search; kept if they win."),
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, verbose_name=_("job"), related_name="+")
    result = models.JSONField(_("result"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("policy replay"), _("policy replays")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name


class Scenario(models.Model):
    """A what-if: the plan's decision made again with other assumptions, beside the plan itself."""

    name = models.CharField(_("name"), max_length=120)
    note = models.TextField(_("note"), blank=True)
    run = models.ForeignKey(ForecastRun, models.PROTECT, null=True, blank=True, verbose_name=_("run"), related_name="+")
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    supplier = models.ForeignKey(Supplier, models.CASCADE, null=True, blank=True, verbose_name=_("supplier"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    assumptions = models.JSONField(
        _("assumptions"),
        default=dict,
        help_text=_("Such as demand_factor, lead_time_factor, lead_time_sd_factor, cost_factor, target, fill_rate."),
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, verbose_name=_("job"), related_name="+")
    result = models.JSONField(_("result"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("scenario"), _("scenarios")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name


class ScenarioLine(models.Model):
    """What one SKU and warehouse would get in a scenario."""

    scenario = models.ForeignKey(Scenario, models.CASCADE, verbose_name=_("scenario"), related_name="lines")
    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="+")
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), related_name="+")
    plan_quantity = QuantityField(_("in the plan"))
    quantity = QuantityField(_("in the scenario"))
    reorder_point = QuantityField(_("reorder point"))
    order_up_to_level = QuantityField(_("order-up-to level"))
    safety_stock = QuantityField(_("safety stock"))
    order_value = models.FloatField(_("order value"))
    expected_stock_value = models.FloatField(_("expected stock value"))
    expected_fill_rate = models.FloatField(_("expected fill rate"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("scenario line"), _("scenario lines")
        ordering = ("scenario", "sku", "warehouse")
        constraints = [
            models.UniqueConstraint(fields=["scenario", "sku", "warehouse"], name="scenario_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scenario_id}: {self.sku_id} · {self.warehouse_id}"
