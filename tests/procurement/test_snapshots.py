"""What a proposal was made of: kept with it, and the same again when it is calculated again."""

from typing import Any

import pytest

from procurement.models import Policy, Proposal
from procurement.services.proposals import propose_reorders
from procurement.services.snapshots import recompute_proposal
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import expect, make_run

pytestmark = pytest.mark.django_db


def proposed(world: World, **policy: Any) -> Proposal:
    if policy:
        Policy.objects.create(name="all", **policy)
    run = make_run()
    expect(
        run, world.mug, world.main, 10.3, protection_days=21, protection_mean=216.3, protection_quantiles=[216.3, 301]
    )
    propose_reorders(run, now=NOW)
    return Proposal.objects.get(sku=world.mug)


@pytest.mark.parametrize(
    "policy",
    [{}, {"target": "fill_rate"}, {"target": "cost", "stockout_cost_share": "0.4"}, {"unmet_demand": "backordered"}],
    ids=["cycle", "fill", "cost", "backordered"],
)
def test_the_stored_inputs_bring_the_stored_numbers_again(world: World, policy: Any) -> None:
    proposal = proposed(world, **policy)

    again = recompute_proposal(proposal)

    assert (again.is_same, again.how, again.differing) == (True, "inputs", ())
    assert proposal.edition == str(proposal.snapshot["edition"])


def test_another_input_brings_another_number(world: World) -> None:
    proposal = proposed(world)
    proposal.snapshot["input"]["on_hand"] = 90.0

    again = recompute_proposal(proposal)

    assert not again.is_same
    assert "on_hand" in again.differing


def test_a_number_that_was_tampered_with_is_named(world: World) -> None:
    proposal = proposed(world)
    term = next(term for term in proposal.explanation if term["code"] == "inventory_position")
    term["value"] += 1

    assert recompute_proposal(proposal).differing == ("inventory_position",)


def test_a_snapshot_of_another_edition_is_replayed_from_its_terms(world: World) -> None:
    proposal = proposed(world)
    proposal.snapshot["edition"] = 0

    again = recompute_proposal(proposal)

    assert (again.is_same, again.how) == (True, "terms")


def test_a_proposal_says_when_stock_runs_out_and_what_would_be_short(world: World) -> None:
    proposal = proposed(world)

    assert proposal.stockout_on.isoformat() == "2026-03-11"  # 100 mugs, 10.3 a day from the 2nd on
    assert proposal.expected_shortage == pytest.approx(116.3, rel=0.15)
