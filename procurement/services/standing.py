"""The proposals that stand: what a new plan keeps, refreshes, replaces or withdraws, and what it keeps quiet about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from procurement.models import Proposal
from procurement.services.aims import Pair, PlannedItem

DAMPENING = Decimal("0.05")
"""A quantity that differs by no more is not asked for anew: what a planner has seen and perhaps told stays."""

# What a plan may say anew of a proposal that asks for the same.
_DATES = ("need_by", "stockout_on")
_REFRESHED = (
    "run_id",
    *_DATES,
    "safety_stock",
    "reorder_point",
    "order_up_to_level",
    "inventory_position",
    "days_of_cover",
    "expected_shortage",
    "joint_order_id",
    "snapshot",
    "edition",
    "explanation",
    "warnings",
)
# Joint orders are settled and written anew by every plan, also where nothing is new.
_REWRITTEN = {"joint_order_id"}


def reconcile(open_now: Sequence[Proposal], wanted: Mapping[Pair, Proposal]) -> tuple[int, int, int]:
    """Bring the open proposals, locked by the caller, in line with the wanted; returns (new, withdrawn, refreshed).

    Parts that a planner split off one proposal stand or fall together, by the sum of their quantities.
    """
    standing: dict[Pair, list[Proposal]] = defaultdict(list)
    for old in open_now:
        standing[old.sku_id, old.warehouse_id].append(old)
    replaced, fresh, touched, refreshed = [], [], [], 0
    for pair, proposal in wanted.items():
        group = standing.pop(pair, [])
        if group and _is_near(group, proposal):
            changes = [(old, _bring_up_to_date(old, proposal)) for old in group]
            touched += [old for old, changed in changes if changed]
            refreshed += sum(bool(changed - _REWRITTEN) for _old, changed in changes)
            continue
        replaced += [old.pk for old in group]
        fresh.append(proposal)
    gone = [proposal.pk for group in standing.values() for proposal in group]
    Proposal.objects.filter(pk__in=replaced + gone).update(status=Proposal.Status.SUPERSEDED)
    Proposal.objects.bulk_update(touched, _REFRESHED, batch_size=200)
    Proposal.objects.bulk_create(fresh, batch_size=500)
    return len(fresh), len(gone), refreshed


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


def is_arranged(proposal: Proposal) -> bool:
    """Whether a planner has split or merged it: its parts and dates are theirs until the need itself changes."""
    return proposal.decided_at is not None


def _is_near(group: Sequence[Proposal], new: Proposal) -> bool:
    """Whether these ask for what the new one asks for, give or take DAMPENING."""
    total = sum(old.quantity for old in group)
    if abs(total - new.quantity) > DAMPENING * total:
        return False
    if any(map(is_arranged, group)):
        return any(old.supplier_id == new.supplier_id for old in group)
    return (group[0].supplier_id, group[0].unit_cost) == (new.supplier_id, new.unit_cost)


def _bring_up_to_date(old: Proposal, new: Proposal) -> set[str]:
    """Copy what the new plan says into the standing proposal; returns the fields in which that is new.

    One that asks for a slightly other quantity keeps its numbers, which add up to its own, and takes the dates alone;
    one that a planner has arranged keeps its day too. The joint order is always that of the new plan, which may have
    deleted the old one.
    """
    names: tuple[str, ...] = _REFRESHED if old.quantity == new.quantity and not is_arranged(old) else _DATES
    if is_arranged(old):
        names = ("stockout_on",)
    names = tuple({*names, *_REWRITTEN})
    changed = {name for name in names if getattr(old, name) != getattr(new, name)}
    for name in changed:
        setattr(old, name, getattr(new, name))
    return changed
