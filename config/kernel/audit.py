"""The audit trail: every change of master data leaves an event that is never changed (docs/decisions/0015).

The database itself writes the events, by triggers for whole statements, so that no road goes past them: save, update,
bulk_create, raw SQL, COPY, psql. Each app says in its `models/audit.py` which of its models are audited.
"""

from collections.abc import Iterable
from typing import Any

import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Cast, NullIf
from django.utils.translation import gettext_lazy as _
from pghistory.models import Event

from config.kernel.acting import ACTOR

TRUNCATE_ALLOWED = "entrepot.truncate_allowed"
"""Set by the tests' own database alone; see warehouses.models.stock."""
SEQUENCE = "kernel_audit_event"
"""Numbers the events of all tables: who goes down by number reads the whole house's changes, newest first."""


class Kind(models.TextChoices):
    SNAPSHOT = "snapshot", _("There when the trail began")
    INSERT = "insert", _("Added")
    UPDATE = "update", _("Changed")
    DELETE = "delete", _("Deleted")
    PASSWORD = "password", _("Password changed")


def _setting(name: str) -> models.Func:
    return models.Func(models.Value(name), models.Value(True), function="current_setting")


class AuditEvent(Event):
    """What every event knows besides the row: the database fills it in, whoever wrote and by whatever road."""

    pgh_id = models.BigIntegerField(
        primary_key=True, db_default=models.Func(models.Value(SEQUENCE), function="nextval"), editable=False
    )
    pgh_actor_id = models.BigIntegerField(
        null=True, db_default=Cast(NullIf(_setting(ACTOR), models.Value("")), models.BigIntegerField())
    )
    pgh_db_user = models.CharField(
        max_length=63, db_default=models.Func(function="current_user", template="%(function)s")
    )
    # Of libpq: psql says "psql", a manage.py command its name and who ran it (manage.py sets PGAPPNAME).
    pgh_program = models.CharField(max_length=63, db_default=_setting("application_name"))

    class Meta:
        abstract = True


def audited(
    model: type[models.Model],
    *,
    name: str = "",
    app_label: str | None = None,
    exclude: Iterable[str] = (),
    more: Iterable[pghistory.RowEvent] = (),
) -> Any:
    """The event model of `model`: one row for every insert, update and delete, made by triggers.

    A change of nothing but `exclude` leaves no event, and no event holds those fields. `more` are further trackers.
    """
    name = name or model.__name__
    short = name.lower()
    return pghistory.create_event_model(
        model,
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        *more,
        model_name=f"{name}Audit",
        app_label=app_label,
        base_model=AuditEvent,
        exclude=list(exclude),
        obj_field=pghistory.ObjForeignKey(related_name="+", db_index=False),
        context_field=None,  # type: ignore[arg-type]
        append_only=True,
        abstract=False,
        level=pghistory.Statement,
        meta={
            "verbose_name": model._meta.verbose_name,
            "verbose_name_plural": model._meta.verbose_name_plural,
            "default_permissions": (),
            "indexes": [
                models.Index(fields=["pgh_obj", "pgh_id"], name=f"{short}_audit_row"),
                models.Index(
                    fields=["pgh_actor_id", "pgh_id"],
                    name=f"{short}_audit_who",
                    condition=models.Q(pgh_actor_id__isnull=False),
                ),
                models.Index(fields=["pgh_created_at"], name=f"{short}_audit_day"),
            ],
            "triggers": [_never_emptied()],
        },
    )


def _never_emptied() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="append_only_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=f"""
            IF coalesce(current_setting('{TRUNCATE_ALLOWED}', true), '') <> 'on' THEN
                RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        """,
    )
