"""Stock that would do more good elsewhere is proposed, moved once, or left where it is."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict
from forecasting.models import ForecastRun
from procurement.engine.explanation import from_records, replay
from procurement.models import TransferProposal
from procurement.selectors_optimising import open_transfer_quantities
from procurement.services.rebalancing import accept_transfer_proposals, dismiss_transfer_proposals, propose_transfers
from tests.cast import NOW, put_stock
from tests.procurement.planning_world import sell_daily
from tests.procurement.test_planning import TEN_A_DAY, YESTERDAY, plan
from warehouses.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(world: Any) -> TransferProposal:
    """MAIN has 900 mugs and sells two a day; NORTH has 40 and sells ten."""
    put_stock(world.mug, world.shelf, 800)
    sell_daily(world.mug, world.web, world.main, quantities=[2] * 120, until=YESTERDAY)
    sell_daily(world.mug, world.market, world.north, quantities=TEN_A_DAY, until=YESTERDAY)
    plan()
    propose_transfers(ForecastRun.objects.latest("pk"), now=NOW)
    return TransferProposal.objects.get(sku=world.mug, status="open")


def test_a_surplus_is_proposed_for_the_warehouse_that_runs_short(world: Any, proposal: TransferProposal) -> None:
    assert (proposal.source, proposal.target) == (world.main, world.north)
    assert proposal.shortage_avoided > 100
    assert proposal.saving > 0
    assert open_transfer_quantities() == {
        (world.mug.pk, world.main.pk): -proposal.quantity,
        (world.mug.pk, world.north.pk): proposal.quantity,
    }


def test_the_explanation_replays_and_adds_up_to_the_saving(proposal: TransferProposal) -> None:
    terms = from_records(proposal.explanation)
    values = {term.code: term.value for term in terms}

    assert replay(terms) == terms
    assert values["saving"] == pytest.approx(float(proposal.saving), abs=1e-4)
    assert values["source_gain"] + values["target_gain"] - values["moving_cost"] == values["saving"]


def test_planning_again_changes_nothing(proposal: TransferProposal) -> None:
    counts = propose_transfers(ForecastRun.objects.latest("pk"), now=NOW)

    assert (counts.new, counts.withdrawn, counts.kept) == (0, 0, 1)
    assert TransferProposal.objects.get().pk == proposal.pk


def test_an_accepted_proposal_becomes_one_transfer_with_its_stock_held(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)

    proposal.refresh_from_db()
    assert (proposal.status, proposal.transfer_id) == ("accepted", transfer.pk)
    assert Transfer.objects.get().status == "reserved"
    assert transfer.lines.get().reserved_quantity == proposal.quantity
    with pytest.raises(Conflict):
        accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)


def test_another_quantity_may_be_accepted(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals(
        [proposal.pk], actor=world.planner, now=NOW, quantities={proposal.pk: Decimal(5)}
    )

    assert transfer.lines.get().quantity == 5


def test_what_is_dismissed_keeps_quiet(world: Any, proposal: TransferProposal) -> None:
    assert dismiss_transfer_proposals([proposal.pk], actor=world.planner, now=NOW, note="later") == 1

    counts = propose_transfers(ForecastRun.objects.latest("pk"), now=NOW)

    assert counts.new == 0
    assert not TransferProposal.objects.filter(status="open").exists()
