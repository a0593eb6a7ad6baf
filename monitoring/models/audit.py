"""Every change of master data in the house, read as one table: a view over the event tables of config.kernel.audit."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import audit as catalog_audit
from config.kernel.audit import AuditEvent as Base
from config.kernel.audit import Kind
from config.kernel.models import UserAudit, UserRoleAudit
from config.kernel.policy import ScopedQuerySet
from procurement.models import audit as procurement_audit
from warehouses.models import audit as warehouses_audit

EVENT_MODELS: dict[str, Any] = {
    event.pgh_tracked_model._meta.label_lower: event  # type: ignore[attr-defined]
    for room in (catalog_audit, warehouses_audit, procurement_audit)
    for event in vars(room).values()
    if isinstance(event, type) and issubclass(event, Base)
} | {"auth.user": UserAudit, "auth.user_groups": UserRoleAudit}
"""What is audited → where its events are. Of roles the row is the person."""
PEOPLE = ("auth.user", "auth.user_groups", "procurement.suppliermembership")


def table_name(label: str) -> str:
    named = {"auth.user": User._meta.verbose_name, "auth.user_groups": _("role of a person")}
    return str(named.get(label) or EVENT_MODELS[label].pgh_tracked_model._meta.verbose_name)


class AuditQuerySet(ScopedQuerySet):
    """Changes of people and their rights are for those who may change them."""

    def for_actor(self, actor: Any) -> "AuditQuerySet":
        rows: Any = super().for_actor(actor)
        return rows if getattr(actor, "is_superuser", False) else rows.exclude(table__in=PEOPLE)  # type: ignore[no-any-return]


class AuditEvent(models.Model):
    id = models.BigIntegerField(_("number"), primary_key=True)
    table = models.CharField(_("table"), max_length=60)
    row_id = models.BigIntegerField(_("row"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    happened_at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, verbose_name=_("who"), related_name="+"
    )
    database_user = models.CharField(_("database user"), max_length=63)
    program = models.CharField(_("program"), max_length=63)
    data = models.JSONField(_("row afterwards"))

    objects = models.Manager.from_queryset(AuditQuerySet)()

    class Meta:
        managed = False
        db_table = "audit_event"
        verbose_name, verbose_name_plural = _("audit event"), _("audit trail")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{table_name(self.table)} {self.name}"

    @property
    def name(self) -> str:
        """What the row calls itself, else its number."""
        told = (self.data.get(field) for field in ("code", "username", "external_id", "name"))
        return str(next((word for word in told if word), f"#{self.row_id}"))
