"""A proposal is split and accepted at the same moment: whichever comes second is refused, nothing is ordered twice."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict
from procurement.models import Proposal, PurchaseOrderLine
from procurement.services import arranging, decisions
from procurement.services.arranging import Part, split_proposal
from procurement.services.decisions import Decision, accept_proposals
from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from tests.procurement.buying import make_proposal


def meet(world: World, proposal: Proposal) -> list[Any]:
    parts = [Part(Decimal(100)), Part(Decimal(50))]
    return run_concurrently(
        [
            lambda: split_proposal(proposal.pk, parts, actor=world.planner, now=NOW),
            lambda: split_proposal(proposal.pk, parts, actor=world.planner, now=NOW),
            lambda: accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW),
        ]
    )


def units(proposal: Proposal) -> Decimal:
    rows = Proposal.objects.filter(sku=proposal.sku_id)
    ordered = sum(PurchaseOrderLine.objects.values_list("quantity", flat=True), Decimal(0))
    return ordered + sum(rows.filter(status="open").values_list("quantity", flat=True), Decimal(0))


@pytest.mark.django_db(transaction=True)
def test_units_ordered_and_still_proposed_sum_to_what_was_proposed(transactional_db: None, world: World) -> None:
    for _round in range(5):
        proposal = make_proposal(world, world.mug, 150)

        results = meet(world, proposal)

        assert len(failures(results)) >= 1
        assert units(proposal) == 150
        PurchaseOrderLine.objects.all().delete()
        Proposal.objects.filter(split_of__isnull=False).delete()
        Proposal.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_proposal_is_split_and_accepted(
    transactional_db: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the lock prevents does happen without it."""
    import threading

    proposal, both_read = make_proposal(world, world.mug, 150), threading.Barrier(3)

    def unlocked(ids: Any) -> list[Proposal]:
        rows = list(Proposal.objects.filter(pk__in=ids).select_related("sku", "supplier", "warehouse"))
        both_read.wait(20)
        return rows

    monkeypatch.setattr(decisions, "locked_proposals", unlocked)
    assert arranging.open_proposals is decisions.open_proposals

    results = meet(world, proposal)

    assert not [one for one in results if isinstance(one, Conflict)]
    assert units(proposal) > 150
