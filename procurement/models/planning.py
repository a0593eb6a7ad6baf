"""What we aim for (policies) and what the plan says to buy (proposals)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Category, Sku
from config.kernel.fields import MoneyField, QuantityField, ShareField, plain
from config.kernel.policy import ScopedManager
from forecasting.models import ForecastRun
from procurement.models.suppliers import Supplier
from warehouses.models import Warehouse


class Policy(models.Model):
    """The aim for a set of SKUs; the narrowest that fits applies: SKU + warehouse, SKU, category, all."""

    name = models.CharField(_("name"), max_length=120)
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    sku = models.ForeignKey(Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    service_level = ShareField(
        _("cycle service level"),
        default="0.95",
        help_text=_("Probability of no stock-out in a replenishment cycle, between 0.5 and 0.999."),
    )
    holding_cost_rate = ShareField(
        _("holding cost rate"), default="0.25", help_text=_("Share of the unit cost per year.")
    )
    review_days = models.PositiveSmallIntegerField(
        _("review period (days)"), null=True, blank=True, help_text=_("Empty: the supplier's.")
    )
    maximum_stock = QuantityField(_("maximum stock (units)"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("policy"), _("policies")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=["category", "sku", "warehouse"], name="policy_scope_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(category=None) | Q(sku=None), name="policy_category_or_sku"),
            models.CheckConstraint(
                condition=Q(service_level__gte=0.5, service_level__lte=0.999), name="policy_service_level_range"
            ),
            models.CheckConstraint(condition=Q(holding_cost_rate__gte=0), name="policy_holding_rate_not_negative"),
            models.CheckConstraint(
                condition=Q(review_days=None) | Q(review_days__gte=1), name="policy_review_at_least_a_day"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Proposal(models.Model):
    """What the plan says to buy of one SKU for one warehouse, with every number that went into it."""

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        ACCEPTED = "accepted", _("Accepted")
        DISMISSED = "dismissed", _("Dismissed")
        SUPERSEDED = "superseded", _("Superseded")

    run = models.ForeignKey(ForecastRun, models.PROTECT, verbose_name=_("run"), related_name="proposals")
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="proposals")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="proposals")
    supplier = models.ForeignKey(Supplier, models.PROTECT, verbose_name=_("supplier"), related_name="proposals")
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.OPEN, db_index=True)
    quantity = QuantityField(_("proposed quantity"))
    accepted_quantity = QuantityField(_("accepted quantity"), null=True, blank=True)
    unit_cost = MoneyField(_("unit cost"))
    currency = models.CharField(_("currency"), max_length=3)
    safety_stock = QuantityField(_("safety stock"))
    reorder_point = QuantityField(_("reorder point"))
    order_up_to_level = QuantityField(_("order-up-to level"))
    inventory_position = QuantityField(_("inventory position"))
    need_by = models.DateField(_("need by"))
    days_of_cover = models.FloatField(_("days of cover"), null=True, blank=True)
    explanation = models.JSONField(_("explanation"), default=list, help_text=_("Every number, term by term."))
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision_note = models.CharField(_("note"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("reorder proposal"), _("reorder proposals")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["sku", "warehouse"], condition=Q(status="open"), name="proposal_one_open"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="proposal_quantity_positive"),
            models.CheckConstraint(
                condition=Q(accepted_quantity=None) | Q(accepted_quantity__gt=0), name="proposal_accepted_positive"
            ),
        ]
        permissions = [
            ("decide_proposal", "Can accept and dismiss proposals"),
            ("run_plan", "Can start a planning run"),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} → {self.warehouse.code}: {plain(self.quantity)}"

    @property
    def value(self) -> object:
        return self.quantity * self.unit_cost
