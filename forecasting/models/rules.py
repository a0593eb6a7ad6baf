"""The one row of rules of the company's forecasting, and how SKUs stand in for one another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Sku
from config.kernel.fields import ShareField
from config.kernel.policy import ScopedManager


class ForecastRules(models.Model):
    """Made by the migration; there is never a second one."""

    class Mode(models.TextChoices):
        EVERYDAY = "everyday", _("Everyday: quick, all series at once")
        FULL = "full", _("Full: a boosted model and, where they pay, costly methods")

    class Hierarchy(models.TextChoices):
        BOTTOM_UP = "bottom_up", _("Bottom-up: sums of SKU × warehouse")
        TOP_DOWN = "top_down", _("Top-down: the total, shared out")
        MIDDLE_OUT = "middle_out", _("Middle-out: categories lead")
        MINT = "mint", _("MinT: all levels weighed by their errors")

    mode = models.CharField(_("nightly mode"), max_length=12, choices=Mode.choices, default=Mode.EVERYDAY)
    hierarchy = models.CharField(_("coherence"), max_length=12, choices=Hierarchy.choices, default=Hierarchy.BOTTOM_UP)
    holiday_country = models.CharField(
        _("public holidays of"),
        max_length=12,
        default="GB",
        blank=True,
        help_text=_("ISO country code, with a region where needed, such as GB or US-CA; empty: none."),
    )
    pay_day = models.PositiveSmallIntegerField(
        _("pay-day"), default=25, help_text=_("Day of the month most customers are paid on; 0: unknown.")
    )
    uses_signals = models.BooleanField(
        _("may use shop signals"),
        default=True,
        help_text=_("Page views, cart adds and wishes join the forecast when a backtest says they help."),
    )
    drift_threshold = ShareField(
        _("drift is"),
        default="0.6",
        help_text=_("Share of the errors of eight weeks that point one way, above which the forecast has drifted."),
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast rules"), _("forecast rules")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="forecast_rules_once")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def current(cls) -> "ForecastRules":
        """The company's rules; the defaults where a database has none."""
        return cls.objects.first() or cls()


class ItemRelation(models.Model):
    """What a SKU without a history of its own may learn from: the one it replaces, or one like it."""

    class Kind(models.TextChoices):
        SUCCESSOR = "successor", _("Replaces")
        LIKE = "like", _("Is like")

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="relations")
    other = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("other SKU"), related_name="+")
    kind = models.CharField(_("relation"), max_length=12, choices=Kind.choices)
    share = ShareField(
        _("share"), default=1, help_text=_("Of the other SKU's demand that this one is expected to have, 0 to 9.")
    )
    starts_on = models.DateField(_("from"), null=True, blank=True, help_text=_("First day of the handover."))
    ramp_days = models.PositiveSmallIntegerField(
        _("handover (days)"), default=0, help_text=_("Days until the whole share has moved.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("author"), editable=False
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("relation of SKUs"), _("relations of SKUs")
        ordering = ("sku__code", "kind")
        constraints = [
            models.UniqueConstraint(fields=["sku", "other", "kind"], name="item_relation_once"),
            models.CheckConstraint(condition=~Q(sku=F("other")), name="item_relation_not_itself"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lt=10), name="item_relation_share"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} ← {self.other}"
