"""What somebody must know."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.policy import ScopedManager


class Alert(models.Model):
    """One thing that is wrong now.

    Opened when its condition appears, resolved when it is gone, never opened twice at once.
    """

    class Kind(models.TextChoices):
        STOCKOUT_RISK = "stockout_risk", _("Stock-out within lead time")
        LATE_PURCHASE_ORDER = "late_purchase_order", _("Late purchase order")
        FAILED_JOB = "failed_job", _("Failed job")
        LEDGER_DRIFT = "ledger_drift", _("Ledger drift")
        WEBHOOK_ENDPOINT = "webhook_endpoint", _("Webhook in trouble")
        EXPIRED_STOCK = "expired_stock", _("Expired stock")
        FORECAST_DRIFT = "forecast_drift", _("Forecast has drifted")
        FORECAST_SURPRISED = "forecast_surprised", _("Demand surprises the forecast")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        WARNING = "warning", _("Warning")

    kind = models.CharField(_("kind"), max_length=24, choices=Kind.choices)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    subject = models.CharField(_("subject"), max_length=120, help_text=_("What it is about, the same while it lasts."))
    message = models.CharField(_("message"), max_length=500)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    link = models.CharField(_("link"), max_length=200, blank=True)
    opened_at = models.DateTimeField(_("opened at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("acknowledged by")
    )
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("alert"), _("alerts")
        ordering = ("-opened_at", "-pk")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(resolved_at=None), name="alert_open_once")
        ]

    def __str__(self) -> str:
        return self.message
