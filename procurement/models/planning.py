"""What we aim for (policies) and what the plan says to buy (proposals)."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Category, Sku
from config.kernel.fields import MoneyField, QuantityField, ShareField, plain
from config.kernel.policy import ScopedManager
from forecasting.models import ForecastRun
from procurement.models.joint import JointOrder
from procurement.models.suppliers import Supplier
from warehouses.models import Warehouse


class Policy(models.Model):
    """The aim for a set of SKUs; the narrowest that fits applies: SKU + warehouse, SKU, category, all."""

    class Target(models.TextChoices):
        CYCLE = "cycle_service_level", _("Cycle service level")
        FILL = "fill_rate", _("Fill rate")
        COST = "cost", _("Least cost")

    class Unmet(models.TextChoices):
        LOST = "lost", _("Lost")
        BACKORDERED = "backordered", _("Backordered")

    class Model(models.TextChoices):
        AUTOMATIC = "automatic", _("Chosen for each item")
        ORDER_UP_TO = "order_up_to", _("(R, S): order up to the level at every review")
        MIN_MAX = "min_max", _("(R, s, S): order up to the level once below the reorder point")
        FIXED_LOT = "fixed_lot", _("(R, s, nQ): whole lots once below the reorder point")

    name = models.CharField(_("name"), max_length=120)
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    sku = models.ForeignKey(Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"))
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, null=True, blank=True, verbose_name=_("warehouse"))
    target = models.CharField(
        _("aims at"), max_length=20, choices=Target.choices, default=Target.CYCLE, db_default="cycle_service_level"
    )
    service_level = ShareField(
        _("cycle service level"),
        default="0.95",
        help_text=_("Probability of no stock-out in a replenishment cycle, between 0.5 and 0.999."),
    )
    fill_rate = ShareField(
        _("fill rate"),
        default="0.98",
        db_default=Decimal("0.98"),
        help_text=_("Share of demand served from stock, between 0.5 and 0.999; counts where the policy aims at it."),
    )
    shares_target = models.BooleanField(
        _("shared by its items"),
        default=False,
        db_default=False,
        help_text=_(
            "One fill rate for all items of the policy together: what costs least to serve is served most. "
            "A quarter less stock at the same fill rate by value in replay."
        ),
    )
    stockout_cost_share = ShareField(
        _("cost of a unit short"),
        null=True,
        blank=True,
        help_text=_(
            "Share of the list price lost with a unit short, such as the margin; the aim of least cost needs it."
        ),
    )
    unmet_demand = models.CharField(
        _("unmet demand is"), max_length=12, choices=Unmet.choices, default=Unmet.LOST, db_default="lost"
    )
    model = models.CharField(
        _("model"), max_length=20, choices=Model.choices, default=Model.AUTOMATIC, db_default="automatic"
    )
    holding_cost_rate = ShareField(
        _("holding cost rate"), default="0.25", help_text=_("Share of the unit cost per year.")
    )
    review_days = models.PositiveSmallIntegerField(
        _("review period (days)"), null=True, blank=True, help_text=_("Empty: the supplier's.")
    )
    maximum_stock = QuantityField(_("maximum stock (units)"), null=True, blank=True)
    maximum_cover_days = models.PositiveSmallIntegerField(
        _("longest cover (days)"), default=365, db_default=365, help_text=_("An order is never meant to last longer.")
    )
    frozen_days = models.PositiveSmallIntegerField(
        _("frozen horizon (days)"),
        default=7,
        db_default=7,
        help_text=_("Orders due within so many days are left alone: no message asks to move them."),
    )
    dampening_days = models.PositiveSmallIntegerField(
        _("dampening (days)"),
        default=3,
        db_default=3,
        help_text=_("A date that would move by fewer days is not worth a message."),
    )

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
            models.CheckConstraint(
                condition=Q(fill_rate__gte=0.5, fill_rate__lte=0.999), name="policy_fill_rate_range"
            ),
            models.CheckConstraint(
                condition=~Q(target="cost") | Q(stockout_cost_share__gt=0), name="policy_cost_needs_stockout_cost"
            ),
            models.CheckConstraint(
                condition=Q(stockout_cost_share=None) | Q(stockout_cost_share__gte=0),
                name="policy_stockout_cost_not_negative",
            ),
            models.CheckConstraint(condition=Q(maximum_cover_days__gte=1), name="policy_cover_at_least_a_day"),
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
    stockout_on = models.DateField(
        _("runs out on"), null=True, blank=True, help_text=_("Expected day without stock if nothing more is ordered.")
    )
    expected_shortage = models.FloatField(
        _("expected shortage"),
        default=0,
        db_default=0,
        help_text=_("Units short until the next order arrives, without this one."),
    )
    joint_order = models.ForeignKey(
        JointOrder, models.SET_NULL, null=True, blank=True, verbose_name=_("joint order"), related_name="proposals"
    )
    split_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, verbose_name=_("split off"), related_name="parts"
    )
    snapshot = models.JSONField(
        _("inputs"),
        null=True,
        blank=True,
        help_text=_("What the engine was given: the same in, the same out."),
    )
    edition = models.CharField(_("engine edition"), max_length=20, blank=True, db_default="")
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
            models.UniqueConstraint(
                fields=["sku", "warehouse"], condition=Q(status="open", split_of=None), name="proposal_one_open"
            ),
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
