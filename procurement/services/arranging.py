"""A planner arranges what the plan proposes before accepting it: one proposal in parts, or several as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from procurement.models import Proposal, SupplierItem
from procurement.services.decisions import open_proposals, sold_items
from procurement.services.pricing import number_fault, quantity_fault, unit_cost_for

MOST_PARTS = 12
_ARRANGED = ("quantity", "unit_cost", "currency", "supplier", "need_by", "explanation", "decided_by", "decided_at")


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a proposal; on another day or from another supplier item of the SKU where one is given."""

    quantity: Decimal
    need_by: date | None = None
    supplier_item_id: int | None = None


@one_transaction
def split_proposal(proposal_id: int, parts: Sequence[Part], *, actor: Any, now: datetime) -> list[Proposal]:
    """Take a proposal apart; it becomes the first part, the others name it as what they were split off.

    The parts sum to what was proposed, and each is a quantity its supplier sells. All keep the explanation, with the
    share they are of it. The plan lets them stand while their sum is still what is needed. Locks the proposal. Raises
    NotFound, Conflict (decided already, no longer sold) and ValidationFailed naming every part that is wrong.
    """
    (proposal,) = open_proposals([proposal_id])
    items = _items_of(proposal, parts)
    _refuse_wrong_parts(proposal, parts, items, today=timezone.localdate(now))
    whole, day = proposal.quantity, proposal.need_by
    made = [proposal, *(_copy(proposal) for _part in parts[1:])]
    for piece, part, item in zip(made, parts, items, strict=True):
        _arrange(piece, item, part.quantity, part.need_by or day, actor=actor, now=now)
        piece.explanation = [*piece.explanation, *_terms(piece, whole, "proposed_quantity", "split_quantity")]
    Proposal.objects.bulk_update(made[:1], _ARRANGED)
    Proposal.objects.bulk_create(made[1:])
    return made


@one_transaction
def merge_proposals(ids: Sequence[int], *, actor: Any, now: datetime, need_by: date | None = None) -> list[Proposal]:
    """Proposals of one supplier and warehouse come on one day (the earliest of theirs unless told): one delivery.

    Those of the same SKU become one with the sum of their quantities, at the price of the sum; the others that went
    into it are superseded. Returns what is open afterwards. Locks the proposals. Raises NotFound, Conflict and
    ValidationFailed (several suppliers or warehouses, fewer than two, a sum the supplier does not sell).
    """
    proposals = open_proposals(ids)
    if len(proposals) < 2:
        raise ValidationFailed(_("Choose at least two proposals to merge."))
    if len({(p.supplier_id, p.warehouse_id) for p in proposals}) > 1:
        raise ValidationFailed(_("Only proposals of one supplier for one warehouse can be merged."))
    if need_by is not None and need_by < timezone.localdate(now):
        raise ValidationFailed(_("The day has passed."))
    day = need_by or min(p.need_by for p in proposals)
    items = sold_items(proposals)
    groups: dict[int, list[Proposal]] = {}
    for proposal in sorted(proposals, key=lambda p: (p.split_of_id is not None, p.pk)):
        groups.setdefault(proposal.sku_id, []).append(proposal)
    for first, *others in groups.values():
        total = sum((p.quantity for p in others), first.quantity)
        if others and (fault := quantity_fault(items[first.pk], total)):
            raise ValidationFailed(f"{first.sku.code}: {fault}.")
        before = first.quantity
        _arrange(first, items[first.pk], total, day, actor=actor, now=now)
        if others:
            first.explanation = [*first.explanation, *_terms(first, before, "part_quantity", "merged_quantity")]
    kept = [group[0] for group in groups.values()]
    gone = [p.pk for group in groups.values() for p in group[1:]]
    _supersede(gone, kept, actor=actor, now=now)
    Proposal.objects.bulk_update(kept, _ARRANGED)
    return kept


def _supersede(gone: list[int], kept: list[Proposal], *, actor: Any, now: datetime) -> None:
    Proposal.objects.filter(pk__in=gone).update(
        status=Proposal.Status.SUPERSEDED, decided_by=actor, decided_at=now, decision_note=_("Merged")
    )
    # A part whose original is superseded would stand beside a new proposal of the plan: it takes the original's place.
    for proposal in kept:
        if proposal.split_of_id in gone:
            Proposal.objects.filter(pk=proposal.pk).update(split_of=None)


def _items_of(proposal: Proposal, parts: Sequence[Part]) -> list[SupplierItem]:
    own = sold_items([proposal])[proposal.pk]
    wanted = {part.supplier_item_id for part in parts if part.supplier_item_id}
    rows = SupplierItem.objects.filter(
        pk__in=wanted, sku=proposal.sku_id, is_active=True, supplier__is_active=True
    ).select_related("supplier", "sku")
    found = {item.pk: item for item in rows.prefetch_related("price_breaks")}
    if missing := sorted(wanted - found.keys()):
        raise NotFound(
            _("Nobody sells %(sku)s as item %(ids)s.") % {"sku": proposal.sku.code, "ids": ", ".join(map(str, missing))}
        )
    return [found[part.supplier_item_id] if part.supplier_item_id else own for part in parts]


def _refuse_wrong_parts(
    proposal: Proposal, parts: Sequence[Part], items: Sequence[SupplierItem], *, today: date
) -> None:
    if not 2 <= len(parts) <= MOST_PARTS:
        raise ValidationFailed(_("A proposal is split into 2 to %(most)s parts.") % {"most": MOST_PARTS})
    faults: list[dict[str, Any]] = []
    for place, (part, item) in enumerate(zip(parts, items, strict=True), start=1):
        fault = number_fault(part.quantity) or quantity_fault(item, part.quantity)
        if not fault and part.need_by is not None and part.need_by < today:
            fault = _("is wanted on a day that has passed")
        if fault:
            faults.append({"part": place, "message": _("Part %(part)s") % {"part": place} + f": {fault}"})
    if faults:
        raise ValidationFailed("; ".join(fault["message"] for fault in faults) + ".", items=faults)
    total = sum((part.quantity for part in parts), Decimal(0))
    if total != proposal.quantity:
        raise ValidationFailed(
            _("The parts sum to %(total)s; %(quantity)s are proposed.")
            % {"total": plain(total), "quantity": plain(proposal.quantity)}
        )


def _copy(proposal: Proposal) -> Proposal:
    values = {f.attname: getattr(proposal, f.attname) for f in Proposal._meta.concrete_fields if not f.primary_key}
    return Proposal(**{**values, "split_of_id": proposal.split_of_id or proposal.pk})


def _arrange(
    proposal: Proposal, item: SupplierItem, quantity: Decimal, need_by: date, *, actor: Any, now: datetime
) -> None:
    proposal.supplier, proposal.currency = item.supplier, item.supplier.currency
    proposal.quantity, proposal.need_by = quantity, need_by
    proposal.unit_cost = unit_cost_for(item, quantity)
    proposal.decided_by, proposal.decided_at = actor, now


def _terms(proposal: Proposal, before: Decimal, was: str, becomes: str) -> list[dict[str, Any]]:
    """From what it was to what it is now, so that the explanation still adds up to the quantity."""
    from procurement.engine.explanation import Derivation, to_records

    derivation = Derivation()
    derivation.given(was, "Q", float(before), "units", "plan")
    derivation.given("arranged_difference", "ΔQ", float(proposal.quantity - before), "units", "planner")
    derivation.derive(becomes, "Q'", f"{was} + arranged_difference", "units")
    return to_records(derivation.terms)
