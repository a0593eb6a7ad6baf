"""What changed, read from the audit trail: each event beside the row as the event before it left it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Field, ForeignKey, QuerySet
from django.utils.translation import gettext as _

from config.kernel.audit import Kind
from config.kernel.fields import MoneyField, QuantityField, plain
from monitoring.models import AuditEvent
from monitoring.models.audit import EVENT_MODELS


@dataclass(frozen=True, slots=True)
class Change:
    """One field, in words; None: there was nothing, or nothing is left."""

    field: str
    name: str
    before: str | None
    after: str | None


def history_of(label: str, row_id: int, *, actor: Any) -> QuerySet[AuditEvent]:
    """What happened to a row ("catalog.sku"), newest first."""
    rows: Any = AuditEvent.objects.for_actor(actor)  # type: ignore[attr-defined]
    return rows.filter(table=label, row_id=row_id).select_related("actor").order_by("-pk")  # type: ignore[no-any-return]


def changes_of(events: Sequence[AuditEvent]) -> dict[int, list[Change]]:
    """event → what it changed, of all events in one query, and one for each kind of row they point to."""
    before = _rows_before(events)
    raw = {event.pk: list(_differences(event, before.get(event.pk))) for event in events}
    names = _names_of_what_is_pointed_to(entry for entries in raw.values() for entry in entries)
    return {
        pk: [
            Change(field.name, _(str(field.verbose_name)), _said(field, old, names), _said(field, new, names))
            for field, old, new in entries
        ]
        for pk, entries in raw.items()
    }


_Difference = tuple[Field, Any, Any]

_BEFORE = """
SELECT event.id, (
    SELECT earlier.data FROM audit_event earlier
    WHERE earlier."table" = event."table" AND earlier.row_id = event.row_id AND earlier.id < event.id
    ORDER BY earlier.id DESC LIMIT 1
)
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS event (id, "table", row_id)
"""


def _rows_before(events: Sequence[AuditEvent]) -> dict[int, dict[str, Any]]:
    wanted = [event for event in events if event.kind == Kind.UPDATE]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [[e.pk for e in wanted], [e.table for e in wanted], [e.row_id for e in wanted]])
        read: Any = AuditEvent._meta.get_field("data").from_db_value
        return {pk: read(row, None, connection) for pk, row in cursor if row}


def _differences(event: AuditEvent, before: dict[str, Any] | None) -> Iterable[_Difference]:
    """A change without an event before it (those were pruned) shows nothing but what it left."""
    if event.kind in (Kind.SNAPSHOT, Kind.PASSWORD) or event.table not in EVENT_MODELS:
        return
    for field in EVENT_MODELS[event.table]._meta.concrete_fields:
        if field.name.startswith("pgh_") or field.name == "id":
            continue
        now = event.data.get(field.column)
        if event.kind == Kind.UPDATE:
            old = before.get(field.column) if before is not None else None
            if before is None or old != now:
                yield field, old, now
        elif now not in (None, ""):
            yield (field, None, now) if event.kind == Kind.INSERT else (field, now, None)


_Names = dict[tuple[Any, int], str]


def _names_of_what_is_pointed_to(entries: Iterable[_Difference]) -> _Names:
    wanted: dict[Any, set[int]] = {}
    for field, old, new in entries:
        if isinstance(field, ForeignKey):
            wanted.setdefault(field.related_model, set()).update(key for key in (old, new) if key is not None)
    names: _Names = {}
    for model, keys in wanted.items():
        rows = model._base_manager.filter(pk__in=keys)
        for row in rows.only(*_naming(model)) if _naming(model) else rows:
            name = next((str(getattr(row, n)) for n in _naming(model)), "") or str(row)
            names[model, row.pk] = _(name) if model is Group else name
    return names


def _naming(model: Any) -> list[str]:
    fields = {field.name for field in model._meta.concrete_fields}
    return [name for name in ("code", "username", "name") if name in fields][:1]


def _said(field: Field, value: Any, names: _Names) -> str | None:
    """A stored value as a person reads it: names instead of numbers, choices by their names, plain decimals."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, ForeignKey):
        return names.get((field.related_model, value), f"#{value}")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))  # type: ignore[attr-defined]
    if isinstance(field, (MoneyField, QuantityField)):
        return plain(Decimal(str(value)))
    return str(value)
