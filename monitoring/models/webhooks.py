"""Who outside is told what happened: the addresses, and every message on its way to one."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Channel
from config.kernel.policy import ScopedManager


class WebhookEndpoint(models.Model):
    """An address that is told events. `position` is how far in the feed it has been served.

    A person pauses it (`is_active`), the house disables it (`disabled_at`); either way its place in the feed is kept,
    so that it goes on where it stopped.
    """

    class DisabledReason(models.TextChoices):
        GONE = "gone", _("It answered 410 Gone")
        FAILING = "failing", _("It failed for too long")

    name = models.CharField(_("name"), max_length=120, unique=True)
    url = models.CharField(_("address"), max_length=500, help_text=_("Where messages are posted, e.g. https://…"))
    channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("channel"),
        related_name="+",
        help_text=_("Only events of this channel; empty: of all channels and of none."),
    )
    kinds = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("kinds"),
        default=list,
        blank=True,
        help_text=_("Only events of these kinds; empty: all."),
    )
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(
        _("previous secret signs until"), null=True, blank=True, editable=False
    )
    is_active = models.BooleanField(_("active"), default=True, editable=False)
    position = models.BigIntegerField(_("position"), default=0, editable=False)
    consecutive_failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    rests_until = models.DateTimeField(_("not before"), null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True, editable=False)
    disabled_reason = models.CharField(
        _("reason"), max_length=10, choices=DisabledReason.choices, blank=True, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("webhook"), _("webhooks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_listening(self) -> bool:
        return self.is_active and self.disabled_at is None

    def signing_secrets(self, *, now: datetime) -> list[str]:
        """The secret, and after a rotation for a while the one before it."""
        is_rotating = self.previous_secret and self.previous_secret_until and self.previous_secret_until > now
        return [self.secret, self.previous_secret] if is_rotating else [self.secret]


class WebhookDelivery(models.Model):
    """One message to one endpoint, with the same id and body however often it is tried.

    A waiting one is superseded by a newer one of the same kind and key: only the newest state needs to be told.
    While `leased_until` lies ahead, a worker has it in hand; recording an outcome needs the lease it was given.
    """

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("message", "Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        SUPERSEDED = "superseded", _("Superseded")

    class Fault(models.TextChoices):
        """Why a try failed. Fixed words: nothing that the other side answered is ever kept or shown."""

        STATUS = "status", _("It answered with an error")
        REDIRECT = "redirect", _("It answered with a redirect, which is never followed")
        NO_ANSWER = "no_answer", _("It did not answer as HTTP does")
        TIMEOUT = "timeout", _("It took too long")
        CONNECTION = "connection", _("No connection")
        TLS = "tls", _("No trusted TLS connection")
        NOT_FOUND = "not_found", _("Its name has no address")
        FORBIDDEN = "forbidden", _("Its name leads to an address that is not public")
        BAD_URL = "bad_url", _("Its address may not be used")
        OURS = "ours", _("An error on our side; the log has it")

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, verbose_name=_("webhook"), related_name="deliveries")
    event_id = models.BigIntegerField(_("event"), null=True, blank=True)
    message_id = models.CharField(_("message id"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(_("key"), max_length=120, blank=True)
    body = models.JSONField(_("body"), default=dict, encoder=DjangoJSONEncoder)
    stands_for = models.PositiveIntegerField(
        _("stands for"), default=1, help_text=_("Events of the same kind and key that came at once.")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    lease = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    last_status = models.PositiveSmallIntegerField(_("last HTTP status"), null=True, blank=True)
    last_fault = models.CharField(_("last fault"), max_length=12, choices=Fault.choices, blank=True)
    last_attempt_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    last_milliseconds = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, verbose_name=_("superseded by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("webhook delivery"), _("webhook deliveries")
        ordering = ("-pk",)
        constraints = [models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_delivery_once")]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"], name="webhook_waiting", condition=Q(state="waiting")
            ),
            models.Index(
                fields=["endpoint", "leased_until"], name="webhook_in_hand", condition=Q(leased_until__isnull=False)
            ),
            models.Index(fields=["endpoint", "kind", "key", "id"], name="webhook_same_subject"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return self.message_id
