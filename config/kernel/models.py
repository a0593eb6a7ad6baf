"""Rows that serve every app: long-running jobs, remembered answers to idempotent writes, and events to be told."""

import uuid

import pgtrigger
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from config.kernel.people_audit import AuditedUser, AuditedUserRole, UserAudit, UserRoleAudit
from config.kernel.policy import ScopedManager

__all__ = [
    "AuditedUser",
    "AuditedUserRole",
    "IdempotencyKey",
    "Job",
    "OutboxEvent",
    "UserAudit",
    "UserRoleAudit",
]


class Job(models.Model):
    """A long piece of work with its progress. The truth about a task is here; the broker is only the wake-up call."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (State.QUEUED, State.RUNNING)
    KIND_NAMES = {
        "plan": _("Plan"),
        "import_sales": _("Sales import"),
        "policy_replay": _("Policy replay"),
        "scenario": _("Scenario"),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    run_key = models.CharField(
        _("run key"),
        max_length=120,
        unique=True,
        null=True,
        blank=True,
        help_text=_("Name and time slot; a second job with the same key is never made."),
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    step = models.CharField(_("step"), max_length=200, blank=True)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        ordering = ("-created_at",)
        permissions = [("cancel_job", "Can cancel a job"), ("resume_job", "Can resume a failed job")]
        indexes = [models.Index(fields=["kind", "-created_at"], name="job_kind_recent")]

    def __str__(self) -> str:
        return f"{self.kind_name} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def kind_name(self) -> str:
        """The kind in the reader's language; one without a name as it is."""
        return str(self.KIND_NAMES.get(self.kind, self.kind))


class IdempotencyKey(models.Model):
    """The remembered answer to a write: scope is (caller, route, key); kept in the same transaction as the effect."""

    caller = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    location = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("idempotency key"), _("idempotency keys")
        constraints = [
            models.UniqueConstraint(fields=["caller", "route", "key"], name="idempotency_key_once"),
            models.CheckConstraint(condition=~Q(key=""), name="idempotency_key_not_empty"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class OutboxEvent(models.Model):
    """Something that happened, recorded in the transaction that made it happen, to be told to whoever listens.

    `position` is the place in the feed. It is given after the commit (see config.kernel.outbox), so a reader who has
    seen position n never misses an event with a smaller one. Besides it nothing is ever changed.
    """

    KIND_NAMES = {
        "availability.changed": _("Availability changed"),
        "clearance.accepted": _("A way out of excess stock was accepted"),
        "forecast.surprised": _("Demand surprises the forecast"),
        "purchase_order.move_asked": _("A supplier is asked for other days"),
        "webhook.test": _("Test event"),
    }

    kind = models.CharField(_("kind"), max_length=60)
    # A plain number: the kernel knows no channels. None concerns no channel in particular.
    channel_id = models.BigIntegerField(_("channel"), null=True, blank=True)
    key = models.CharField(
        _("key"),
        max_length=120,
        blank=True,
        db_default="",
        help_text=_("What it is about, e.g. listing:12: of several events of one kind and key only the newest counts."),
    )
    payload = models.JSONField(_("payload"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    position = models.BigIntegerField(_("position"), null=True, blank=True, editable=False)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["position"], name="outbox_position_once"),
            models.CheckConstraint(condition=~Q(kind=""), name="outbox_kind_not_empty"),
        ]
        indexes = [
            models.Index(fields=["id"], name="outbox_unplaced", condition=Q(position=None)),
            models.Index(fields=["created_at"], name="outbox_age"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="append_only",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["position"]),
            ),
            # Once placed, an event stays where its readers have seen it.
            pgtrigger.Protect(
                name="placed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__position__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind_name} {self.key}".strip()

    @property
    def kind_name(self) -> str:
        return str(self.KIND_NAMES.get(self.kind, self.kind))
