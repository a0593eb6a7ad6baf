"""A planner accepts a proposal while a plan is at work: what was accepted is never proposed a second time."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from procurement.models import Proposal
from procurement.services import planned_inputs
from procurement.services.decisions import Decision, accept_proposals
from procurement.services.planning import queue_plan, run_plan
from tests.procurement.planning_world import sell_daily

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_an_acceptance_in_the_middle_of_a_plan_waits_for_it(
    transactional_db: None, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell_daily(world.mug, world.web, world.main, quantities=[10] * 120, until=date(2026, 3, 1))
    run_plan(queue_plan().pk, clock=lambda: NOW)
    proposal = Proposal.objects.get(sku=world.mug, warehouse=world.main)
    accepted = threading.Event()

    def accept() -> None:
        try:
            accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)
            accepted.set()
        finally:
            connection.close()

    planner = threading.Thread(target=accept)
    real, seen = planned_inputs.draft_quantities, []

    def drafts_with_a_rival() -> Any:
        found = real()
        planner.start()
        seen.append(accepted.wait(1))
        return found

    monkeypatch.setattr(planned_inputs, "draft_quantities", drafts_with_a_rival)
    run_plan(queue_plan().pk, clock=lambda: NOW)
    planner.join(20)

    assert seen == [False]
    assert accepted.is_set()
    assert list(Proposal.objects.filter(sku=world.mug).values_list("status", flat=True)) == ["accepted"]
