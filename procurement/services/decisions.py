"""A planner's word on the plan's proposals (step 10 of the story): accepted ones become lines of draft orders."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from procurement.locks import locked_proposals
from procurement.models import Proposal, PurchaseOrder, SupplierItem
from procurement.services.drafts import Wanted, add_lines, open_draft
from procurement.services.pricing import items_of, quantity_fault


@dataclass(frozen=True, slots=True)
class Decision:
    """Accept this proposal; with another quantity where one is given."""

    proposal_id: int
    quantity: Decimal | None = None


@one_transaction
def accept_proposals(decisions: Sequence[Decision], *, actor: Any, now: datetime) -> list[PurchaseOrder]:
    """Accept all of `decisions` or none; returns the drafts they went to, one for each supplier and warehouse.

    Locks the proposals by primary key, then the drafts. Raises NotFound for an unknown proposal, Conflict naming every
    one that is decided already or no longer sold, ValidationFailed naming every changed quantity that the supplier
    does not sell (minimum order quantity, pack size).
    """
    proposals = open_proposals([decision.proposal_id for decision in decisions])
    items = sold_items(proposals)
    quantities = _quantities(decisions, proposals, items)
    groups: dict[tuple[int, int], list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        groups[proposal.supplier_id, proposal.warehouse_id].append(proposal)
    orders = []
    for _key, group in sorted(groups.items()):
        draft = open_draft(group[0].supplier, warehouse_id=group[0].warehouse_id, actor=actor, now=now)
        wanted = [Wanted(items[p.pk], quantities[p.pk], p.need_by, p) for p in group]
        add_lines(draft, wanted, actor=actor, now=now)
        orders.append(draft)
    for proposal in proposals:
        proposal.status, proposal.accepted_quantity = Proposal.Status.ACCEPTED, quantities[proposal.pk]
        proposal.decided_by, proposal.decided_at = actor, now
    Proposal.objects.bulk_update(proposals, ["status", "accepted_quantity", "decided_by", "decided_at"], batch_size=500)
    return orders


@one_transaction
def dismiss_proposals(ids: Iterable[int], *, actor: Any, now: datetime, note: str = "") -> int:
    """Dismiss all of these proposals or none; returns how many. Raises NotFound and Conflict as `accept_proposals`."""
    if len(note) > 300:
        raise ValidationFailed(_("The note is longer than 300 characters."))
    proposals = open_proposals(list(ids))
    return Proposal.objects.filter(pk__in=[p.pk for p in proposals]).update(
        status=Proposal.Status.DISMISSED, decided_by=actor, decided_at=now, decision_note=note
    )


def open_proposals(ids: Sequence[int]) -> list[Proposal]:
    """These, locked, if all are open. Raises ValidationFailed, NotFound and Conflict naming each that is not."""
    if not ids:
        raise ValidationFailed(_("No proposal was chosen."))
    if len(set(ids)) < len(ids):
        raise ValidationFailed(_("A proposal was named twice."))
    proposals = locked_proposals(ids)
    missing = sorted(set(ids) - {p.pk for p in proposals})
    if missing:
        raise NotFound(
            _("There is no such proposal: %(ids)s.") % {"ids": ", ".join(map(str, missing))},
            items=[{"proposal": pk} for pk in missing],
        )
    decided = [p for p in proposals if p.status != Proposal.Status.OPEN]
    if decided:
        items: list[dict[str, Any]] = [
            {
                "proposal": p.pk,
                "sku": p.sku.code,
                "warehouse": p.warehouse.code,
                "status": p.status,
                "message": f"{p.sku.code} → {p.warehouse.code} ({str(p.get_status_display()).lower()})",
            }
            for p in decided
        ]
        named = "; ".join(item["message"] for item in items)
        raise Conflict(_("Decided already: %(named)s.") % {"named": named}, items=items, code="already_decided")
    return proposals


def sold_items(proposals: Sequence[Proposal]) -> dict[int, SupplierItem]:
    """Proposal id → what its supplier sells of the SKU today. Raises Conflict naming what is sold no longer."""
    by_supplier: dict[int, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_supplier[proposal.supplier_id].append(proposal)
    found: dict[int, SupplierItem] = {}
    for supplier_id, group in by_supplier.items():
        sold = items_of(supplier_id, [p.sku_id for p in group])
        found |= {p.pk: sold[p.sku_id] for p in group if p.sku_id in sold}
    gone = [p for p in proposals if p.pk not in found]
    if gone:
        items = [{"proposal": p.pk, "sku": p.sku.code, "supplier": p.supplier.code} for p in gone]
        named = "; ".join(f"{p.sku.code} ({p.supplier.name})" for p in gone)
        raise Conflict(_("No longer sold by the supplier: %(named)s. Plan again.") % {"named": named}, items=items)
    return found


def _quantities(
    decisions: Sequence[Decision], proposals: Sequence[Proposal], items: Mapping[int, SupplierItem]
) -> dict[int, Decimal]:
    changed = {d.proposal_id: d.quantity for d in decisions}
    quantities: dict[int, Decimal] = {}
    faults: list[dict[str, Any]] = []
    for proposal in proposals:
        given = changed[proposal.pk]
        quantity = proposal.quantity if given is None else Decimal(given)
        quantities[proposal.pk] = quantity
        fault = quantity_fault(items[proposal.pk], quantity) if quantity != proposal.quantity else ""
        if fault:
            faults.append(
                {
                    "proposal": proposal.pk,
                    "sku": proposal.sku.code,
                    "quantity": plain(quantity),
                    "message": f"{proposal.sku.code}: {fault}",
                }
            )
    if faults:
        raise ValidationFailed("; ".join(fault["message"] for fault in faults) + ".", items=faults)
    return quantities
