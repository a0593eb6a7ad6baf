"""A planner's word on the clearance proposals: what is accepted begins, by the way out it names."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import CalendarEvent
from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.outbox import Event, record_events
from config.kernel.transactions import one_transaction
from procurement.models import ClearanceProposal
from warehouses.services.transfers import TransferItem, create_transfer

ACCEPTED_EVENT = "clearance.accepted"
# How long a markdown is announced for, when nothing expires before.
MARKDOWN_DAYS = 28


@one_transaction
def accept_clearances(ids: Sequence[int], *, actor: Any, now: datetime) -> list[ClearanceProposal]:
    """Accept all of these or none. Locks them by primary key; then what each begins, in the same order.

    A markdown becomes a promotion in the calendar from tomorrow on (the forecast reads it), a transfer a draft
    transfer; returns and write-offs are told by the event `clearance.accepted`: goods leave only by the floor's hands.
    Raises NotFound for an unknown one, Conflict naming every one that is decided already.
    """
    rows = _open(ids)
    for row in rows:
        if row.way_out == ClearanceProposal.WayOut.MARKDOWN:
            _announce(row, timezone.localdate(now))
        elif row.way_out == ClearanceProposal.WayOut.TRANSFER:
            _transfer(row, actor, now)
        row.status, row.decided_by, row.decided_at = ClearanceProposal.Status.ACCEPTED, actor, now
    ClearanceProposal.objects.bulk_update(rows, ["status", "decided_by", "decided_at"])
    record_events([Event(ACCEPTED_EVENT, payload=_payload(row)) for row in rows])
    return rows


@one_transaction
def dismiss_clearances(ids: Sequence[int], *, actor: Any, now: datetime, note: str = "") -> int:
    """Dismiss all of these or none; returns how many. Errors as `accept_clearances`, and ValidationFailed (note)."""
    if len(note) > 300:
        raise ValidationFailed(_("The note is longer than 300 characters."))
    rows = _open(ids)
    return ClearanceProposal.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=ClearanceProposal.Status.DISMISSED, decided_by=actor, decided_at=now, decision_note=note
    )


def _open(ids: Sequence[int]) -> list[ClearanceProposal]:
    if not ids:
        raise ValidationFailed(_("No proposal was chosen."))
    if len(set(ids)) < len(ids):
        raise ValidationFailed(_("A proposal was named twice."))
    rows = ClearanceProposal.objects.filter(pk__in=ids).select_related("sku", "warehouse", "target", "supplier")
    found = list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
    if missing := sorted(set(ids) - {row.pk for row in found}):
        raise NotFound(
            _("There is no such proposal: %(ids)s.") % {"ids": ", ".join(map(str, missing))},
            items=[{"proposal": pk} for pk in missing],
        )
    decided = [row for row in found if row.status != ClearanceProposal.Status.OPEN]
    if decided:
        items = [{"proposal": row.pk, "status": row.status, "message": str(row)} for row in decided]
        named = "; ".join(str(row) for row in decided)
        raise Conflict(_("Decided already: %(named)s.") % {"named": named}, items=items, code="already_decided")
    return found


def _announce(row: ClearanceProposal, today: date) -> None:
    ends = today + timedelta(days=MARKDOWN_DAYS)
    CalendarEvent.objects.create(
        kind=CalendarEvent.Kind.PROMOTION,
        name=_("Clearance of %(sku)s") % {"sku": row.sku.code},
        starts_on=today + timedelta(days=1),
        ends_on=max(min(ends, row.expires_on or ends), today + timedelta(days=1)),
        sku=row.sku,
        discount=row.discount or Decimal(0),
    )


def _transfer(row: ClearanceProposal, actor: Any, now: datetime) -> None:
    assert row.target is not None  # noqa: S101 - a transfer is proposed to a warehouse
    create_transfer(
        [TransferItem(row.sku.code, row.quantity)],
        source_code=row.warehouse.code,
        destination_code=row.target.code,
        key=f"clearance:{row.pk}",
        now=now,
        actor=actor,
        note=_("Clearance"),
    )


def _payload(row: ClearanceProposal) -> dict[str, Any]:
    return {
        "sku": row.sku.code,
        "warehouse": row.warehouse.code,
        "cause": row.cause,
        "way_out": row.way_out,
        "quantity": str(row.quantity),
        "discount": None if row.discount is None else str(row.discount),
        "target": row.target.code if row.target else None,
        "supplier": row.supplier.code if row.supplier else None,
    }
