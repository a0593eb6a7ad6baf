"""What shops and recommenders tell of interest before it becomes orders."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel, Sku
from config.kernel.policy import ScopedManager


class SignalBatch(models.Model):
    """One delivery of signals, taken once: the same key with the same body is answered, never counted twice."""

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"))
    key = models.CharField(_("batch id"), max_length=120)
    digest = models.CharField(max_length=64, editable=False)
    lines = models.PositiveIntegerField(_("lines"))
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("sender"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("batch of signals"), _("batches of signals")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="signal_batch_once")]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.key}"


class DemandSignal(models.Model):
    """Signals of one SKU in one channel on one day (of the channel's time zone), added up over all batches."""

    sku = models.ForeignKey(Sku, models.CASCADE, verbose_name=_("SKU"), related_name="signals", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, verbose_name=_("channel"), db_index=False)
    day = models.DateField(_("day"))
    page_views = models.PositiveBigIntegerField(_("page views"), default=0)
    cart_adds = models.PositiveBigIntegerField(_("cart adds"), default=0)
    wishes = models.PositiveBigIntegerField(_("wishes"), default=0)
    impressions = models.PositiveBigIntegerField(_("recommendations shown"), default=0)

    NAMES = ("page_views", "cart_adds", "wishes", "impressions")

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("shop signal"), _("shop signals")
        ordering = ("-day", "-pk")
        constraints = [
            models.UniqueConstraint(fields=["sku", "channel", "day"], name="demand_signal_once"),
            models.CheckConstraint(
                condition=Q(page_views__gte=0, cart_adds__gte=0, wishes__gte=0, impressions__gte=0),
                name="demand_signal_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["day"], name="demand_signal_day")]

    def __str__(self) -> str:
        return f"{self.sku_id} {self.day}"
