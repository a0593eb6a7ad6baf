"""How the house did, hour by hour."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.policy import ScopedManager


class KpiSnapshot(models.Model):
    """The figures of the dashboard at one hour, so that their course can be drawn."""

    taken_at = models.DateTimeField(_("taken at"), unique=True)
    figures = models.JSONField(_("figures"), default=dict)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("KPI snapshot"), _("KPI snapshots")
        ordering = ("-taken_at",)

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M}"
