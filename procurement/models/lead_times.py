"""How long suppliers really take, learned from what they delivered."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Sku
from config.kernel.policy import ScopedManager
from procurement.models.suppliers import Supplier


class LeadTimeProfile(models.Model):
    """Days from order to receipt of a supplier, or of one item of it: a gamma distribution, drawn towards the
    supplier's (and that towards all suppliers') while deliveries are few."""

    supplier = models.ForeignKey(
        Supplier, models.CASCADE, verbose_name=_("supplier"), related_name="lead_time_profiles"
    )
    sku = models.ForeignKey(
        Sku, models.CASCADE, null=True, blank=True, verbose_name=_("SKU"), related_name="+", help_text=_("Empty: all.")
    )
    deliveries = models.PositiveIntegerField(_("deliveries"))
    open_orders = models.PositiveIntegerField(_("still under way"), default=0)
    mean_days = models.FloatField(_("mean (days)"))
    sd_days = models.FloatField(_("standard deviation (days)"))
    own_weight = models.FloatField(_("weight of its own deliveries"), help_text=_("0 to 1; the rest is borrowed."))
    p50_days = models.FloatField(_("median (days)"))
    p95_days = models.FloatField(_("95 of 100 within (days)"))
    late_days = models.FloatField(_("late against the promise (days)"), null=True, blank=True)
    on_time_share = models.FloatField(_("on time"), null=True, blank=True)
    learned_at = models.DateTimeField(_("learned at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("lead time profile"), _("lead time profiles")
        ordering = ("supplier", "sku")
        constraints = [
            models.UniqueConstraint(fields=["supplier", "sku"], name="lead_time_profile_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(mean_days__gte=0, sd_days__gte=0), name="lead_time_profile_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier.code} · {self.sku.code if self.sku else '*'}: {self.mean_days:.1f}"
