"""Policies put to the test on live stock: experiments with their looks and diary, and what policy changes brought."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Category, Sku
from config.kernel.fields import ShareField
from config.kernel.policy import ScopedManager
from procurement.models.planning import Policy
from warehouses.models import Warehouse


class Experiment(models.Model):
    """Champion and challenger side by side on SKUs drawn by lot within segments."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        COMPLETED = "completed", _("Completed")

    class Metric(models.TextChoices):
        COST = "cost", _("Cost a day (holding and lost margin)")
        STOCK_VALUE = "stock_value", _("Stock value")
        FILL_RATE = "fill_rate", _("Fill rate")

    class Verdict(models.TextChoices):
        NONE = "none", _("No verdict yet")
        CHALLENGER = "challenger", _("Challenger wins")
        CHAMPION = "champion", _("Champion stays")
        HARM = "harm", _("Stopped: stock-out harm")

    name = models.CharField(_("name"), max_length=120, unique=True)
    hypothesis = models.TextField(_("hypothesis"), blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, verbose_name=_("category"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, null=True, blank=True, verbose_name=_("warehouse"))
    changes = models.JSONField(
        _("challenger"), default=dict, help_text=_("Fields of the policy that the challenger has otherwise.")
    )
    metric = models.CharField(_("decides by"), max_length=12, choices=Metric.choices, default=Metric.COST)
    share = ShareField(_("share of SKUs that try the challenger"), default="0.5")
    seed = models.PositiveIntegerField(_("seed"), default=0)
    alpha = ShareField(_("risk of a false alarm"), default="0.05", help_text=_("Over all looks together."))
    pre_days = models.PositiveSmallIntegerField(_("days before, as covariate"), default=56)
    planned_days = models.PositiveSmallIntegerField(_("planned days"), default=56)
    burn_in_days = models.PositiveSmallIntegerField(
        _("days until it counts"), default=14, help_text=_("What was on order before came under the old policy.")
    )
    harm_limit = ShareField(
        _("stock-out harm"), default="0.02", help_text=_("Loss of fill rate above which the experiment stops.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict.choices, default=Verdict.NONE)
    starts_on = models.DateField(_("started on"), null=True, blank=True)
    ends_on = models.DateField(_("ended on"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("experiment"), _("experiments")
        ordering = ("-pk",)
        permissions = [("run_experiment", "Can start and stop experiments")]
        constraints = [
            models.CheckConstraint(condition=Q(share__gt=0, share__lt=1), name="experiment_share_open"),
            models.CheckConstraint(condition=Q(alpha__gt=0, alpha__lt=1), name="experiment_alpha_open"),
            models.CheckConstraint(condition=Q(planned_days__gte=1), name="experiment_at_least_a_day"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="experiment_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExperimentItem(models.Model):
    """A SKU in an experiment: its arm, its segment, and what it did before."""

    class Arm(models.TextChoices):
        CHAMPION = "champion", pgettext_lazy("arm", "Champion")
        CHALLENGER = "challenger", pgettext_lazy("arm", "Challenger")

    experiment = models.ForeignKey(Experiment, models.CASCADE, verbose_name=_("experiment"), related_name="items")
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="+")
    arm = models.CharField(_("arm"), max_length=10, choices=Arm.choices)
    stratum = models.CharField(_("segment"), max_length=40)
    covariate = models.FloatField(_("before"), default=0, help_text=_("The metric in the days before."))
    is_active = models.BooleanField(_("taking part"), default=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("experiment's SKU"), _("experiments' SKUs")
        ordering = ("experiment", "sku")
        constraints = [
            models.UniqueConstraint(fields=["experiment", "sku"], name="experiment_item_once"),
            models.UniqueConstraint(
                fields=["sku"], condition=Q(is_active=True), name="experiment_item_in_one_experiment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.sku_id} {self.arm}"


class ExperimentLook(models.Model):
    """What an experiment said on a day: the effect with an interval that holds however often one looks."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, verbose_name=_("experiment"), related_name="looks")
    day = models.DateField(_("day"))
    champion_items = models.PositiveIntegerField(_("champion SKUs"))
    challenger_items = models.PositiveIntegerField(_("challenger SKUs"))
    champion_mean = models.FloatField(_("champion"))
    challenger_mean = models.FloatField(_("challenger"))
    effect = models.FloatField(_("effect"), help_text=_("Challenger − champion, adjusted for the days before."))
    low = models.FloatField(_("at least"))
    high = models.FloatField(_("at most"))
    p_value = models.FloatField(_("always-valid p"))
    variance_reduction = models.FloatField(_("variance removed by the days before"))
    fill_effect = models.FloatField(_("effect on the fill rate"))
    fill_low = models.FloatField(_("fill rate at least"))
    fill_high = models.FloatField(_("fill rate at most"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("look"), _("looks")
        ordering = ("experiment", "-day")
        constraints = [models.UniqueConstraint(fields=["experiment", "day"], name="experiment_look_once_a_day")]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.day}"


class ExperimentEvent(models.Model):
    """The decision log: who or what did what, and on which figures. Only added to."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, verbose_name=_("experiment"), related_name="events")
    kind = models.CharField(_("what"), max_length=40)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))
    happened_at = models.DateTimeField(_("happened at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("experiment event"), _("experiment events")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.kind}"


class PolicyChange(models.Model):
    """A policy was changed; some weeks later, what it brought against the replay of what it was."""

    policy = models.ForeignKey(Policy, models.SET_NULL, null=True, blank=True, verbose_name=_("policy"))
    policy_name = models.CharField(_("policy's name"), max_length=120)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    item_count = models.PositiveIntegerField(_("SKUs and warehouses it holds for"), default=0)
    changed_by_id = models.BigIntegerField(_("changed by"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"))
    evaluated_at = models.DateTimeField(_("evaluated at"), null=True, blank=True)
    days = models.PositiveSmallIntegerField(_("days measured"), null=True, blank=True)
    effect = models.JSONField(
        _("effect"), null=True, blank=True, help_text=_("Realised against the counterfactual, each with its interval.")
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("policy change"), _("policy changes")
        ordering = ("-changed_at",)

    def __str__(self) -> str:
        return f"{self.policy_name} {self.changed_at:%Y-%m-%d}"


class ServiceCorrection(models.Model):
    """What measuring taught: the safety stock of a segment times this meets the service that was asked for."""

    warehouse = models.ForeignKey(Warehouse, models.CASCADE, verbose_name=_("warehouse"), related_name="+")
    segment = models.CharField(_("segment"), max_length=40, help_text=_("Value and demand class, such as A lumpy."))
    factor = models.FloatField(_("factor"), default=1.0)
    asked = models.FloatField(_("service asked for"))
    realised = models.FloatField(_("service realised"))
    item_count = models.PositiveIntegerField(_("SKUs"))
    days = models.PositiveSmallIntegerField(_("days measured"))
    learned_at = models.DateTimeField(_("learned at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("service correction"), _("service corrections")
        ordering = ("warehouse", "segment")
        constraints = [
            models.UniqueConstraint(fields=["warehouse", "segment"], name="service_correction_once"),
            models.CheckConstraint(condition=Q(factor__gte=0.25, factor__lte=4), name="service_correction_bounded"),
        ]

    def __str__(self) -> str:
        return f"{self.warehouse.code} · {self.segment}: × {self.factor:.2f}"
