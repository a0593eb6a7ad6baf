"""Orders whose lines hang together: what money may be spent, and how the lines of one supplier were settled."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Category
from config.kernel.fields import MoneyField
from config.kernel.policy import ScopedManager
from forecasting.models import ForecastRun
from procurement.models.suppliers import Supplier
from warehouses.models import Warehouse


class BuyingBudget(models.Model):
    """What may be ordered in a span of days, of a category, a supplier, for a warehouse, or of all."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), help_text=_("The last day, included."))
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    supplier = models.ForeignKey(Supplier, models.CASCADE, null=True, blank=True, verbose_name=_("supplier"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("buying budget"), _("buying budgets")
        ordering = ("-starts_on", "name")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="buying_budget_ends_after_start"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="buying_budget_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class JointOrder(models.Model):
    """How the lines of one supplier and warehouse (or of one budget) were settled together in a plan."""

    class Status(models.TextChoices):
        OPTIMAL = "optimal", _("Optimal")
        FEASIBLE = "feasible", _("Within the time given")
        INFEASIBLE = "infeasible", _("Nothing fits")

    run = models.ForeignKey(ForecastRun, models.CASCADE, verbose_name=_("run"), related_name="joint_orders")
    supplier = models.ForeignKey(Supplier, models.CASCADE, null=True, blank=True, verbose_name=_("supplier"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    budget = models.ForeignKey(BuyingBudget, models.SET_NULL, null=True, blank=True, verbose_name=_("budget"))
    status = models.CharField(_("result"), max_length=12, choices=Status.choices)
    currency = models.CharField(_("currency"), max_length=3)
    line_count = models.PositiveIntegerField(_("lines"))
    cost = models.FloatField(_("expected cost"), null=True)
    bound = models.FloatField(_("cannot be below"), null=True)
    gap = models.FloatField(_("gap"), null=True, help_text=_("Share by which the best order might be cheaper."))
    seconds = models.FloatField(_("seconds"))
    binding = models.JSONField(_("binding constraints"), default=list, blank=True)
    relaxations = models.JSONField(_("what to relax"), default=list, blank=True)
    lines = models.JSONField(_("quantities"), default=list, blank=True, help_text=_("Before and after, line by line."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("joint order"), _("joint orders")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.supplier or self.budget} · {self.run_id}"
