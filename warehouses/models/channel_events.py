"""What channels told about their orders, kept as it came: late, twice or out of order."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel
from config.kernel.policy import ScopedManager
from warehouses.models.sales import SalesOrder


class ChannelEvent(models.Model):
    class Kind(models.TextChoices):
        CREATED = "created", _("Ordered")
        CANCELLED = "cancelled", _("Cancelled")
        SHIPPED = "shipped", _("Shipped")
        DELIVERED = "delivered", _("Delivered")
        RETURNED = "returned", _("Returned")

    class State(models.TextChoices):
        APPLIED = "applied", _("Applied")
        WAITING = "waiting", _("Waiting for an earlier event")
        UNMATCHED = "unmatched", _("Could not be matched")

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"), related_name="events")
    event_id = models.CharField(_("event in the channel"), max_length=100)
    order_external_id = models.CharField(_("order number in the channel"), max_length=64)
    order = models.ForeignKey(
        SalesOrder, models.PROTECT, null=True, blank=True, verbose_name=_("order"), related_name="channel_events"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    payload = models.JSONField(_("contents"), default=dict)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("channel event"), _("channel events")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["channel", "event_id"], name="channel_event_once")]
        indexes = [
            models.Index(fields=["channel", "order_external_id"], name="channel_event_order"),
            models.Index(fields=["state"], name="channel_event_open", condition=~Q(state="applied")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.order_external_id}"
