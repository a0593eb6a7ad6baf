"""The proposals that stand: what a new plan keeps, refreshes, replaces or withdraws, and what it keeps quiet about."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from procurement.models import Proposal
from procurement.services.aims import Pair, PlannedItem

# What a plan may say anew of a proposal that asks for the same.
_REFRESHED = (
    "run_id",
    "need_by",
    "safety_stock",
    "reorder_point",
    "order_up_to_level",
    "inventory_position",
    "days_of_cover",
    "explanation",
    "warnings",
)


def reconcile(open_now: Sequence[Proposal], wanted: Mapping[Pair, Proposal]) -> tuple[int, int, int]:
    """Bring the open proposals, locked by the caller, in line with the wanted; returns (new, withdrawn, refreshed)."""
    standing = {(p.sku_id, p.warehouse_id): p for p in open_now}
    replaced, fresh, refreshed = [], [], []
    for pair, proposal in wanted.items():
        old = standing.pop(pair, None)
        if old is None:
            fresh.append(proposal)
        elif not _asks_the_same(old, proposal):
            replaced.append(old.pk)
            fresh.append(proposal)
        elif _take_over(old, proposal):
            refreshed.append(old)
    gone = [proposal.pk for proposal in standing.values()]
    Proposal.objects.filter(pk__in=replaced + gone).update(status=Proposal.Status.SUPERSEDED)
    Proposal.objects.bulk_update(refreshed, _REFRESHED, batch_size=200)
    Proposal.objects.bulk_create(fresh, batch_size=500)
    return len(fresh), len(gone), len(refreshed)


def quiet_pairs(items: Mapping[Pair, PlannedItem], *, now: datetime) -> set[Pair]:
    """What a planner dismissed less than a review period ago: it is not proposed again before the next review."""
    longest = max((planned.review_days for planned in items.values()), default=0)
    dismissed = Proposal.objects.filter(
        status=Proposal.Status.DISMISSED, decided_at__gt=now - timedelta(days=longest)
    ).values_list("sku_id", "warehouse_id", "decided_at")
    return {
        (sku, warehouse)
        for sku, warehouse, decided_at in dismissed
        if decided_at
        and (planned := items.get((sku, warehouse)))
        and decided_at > now - timedelta(days=planned.review_days)
    }


def locked_open_proposals() -> list[Proposal]:
    """The open proposals, locked in primary-key order: whoever accepts one meanwhile waits for this transaction."""
    return list(Proposal.objects.select_for_update().filter(status=Proposal.Status.OPEN).order_by("pk"))


def _asks_the_same(old: Proposal, new: Proposal) -> bool:
    return (old.supplier_id, old.quantity, old.unit_cost) == (new.supplier_id, new.quantity, new.unit_cost)


def _take_over(old: Proposal, new: Proposal) -> bool:
    """Copy what the new plan says into the standing proposal; False when it says nothing new."""
    if all(getattr(old, name) == getattr(new, name) for name in _REFRESHED):
        return False
    for name in _REFRESHED:
        setattr(old, name, getattr(new, name))
    return True
