"""A planner arranges proposals: one in parts, several as one; the plan lets them stand while the need is the same."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from procurement.models import Proposal
from procurement.services.arranging import Part, merge_proposals, split_proposal
from procurement.services.decisions import Decision, accept_proposals
from procurement.services.proposals import propose_reorders
from procurement.services.snapshots import recompute_proposal
from tests.cast import NOW, World, make_item
from tests.forecasting.looking_ahead import expect, make_run
from tests.procurement.buying import NEED_BY, make_proposal

pytestmark = pytest.mark.django_db


def split(world: World, proposal: Proposal, *quantities: int, **more: Any) -> list[Proposal]:
    parts = [Part(Decimal(quantity), **more) for quantity in quantities]
    return split_proposal(proposal.pk, parts, actor=world.planner, now=NOW)


def test_a_proposal_in_two_parts_keeps_its_sum_and_prices_each_part(world: World) -> None:
    proposal = make_proposal(world, world.mug, 150)

    first, second = split(world, proposal, 100, 50)

    assert (first.pk, second.split_of_id) == (proposal.pk, proposal.pk)
    assert [(p.quantity, p.unit_cost) for p in Proposal.objects.order_by("pk")] == [
        (Decimal(100), Decimal("3.5")),
        (Decimal(50), Decimal(4)),
    ]


def test_a_part_may_come_from_another_supplier_on_another_day(world: World) -> None:
    item = make_item(world.outsider, world.mug, unit_cost="5.00", is_preferred=False)
    proposal, later = make_proposal(world, world.mug, 150), NEED_BY + timedelta(7)

    parts = [Part(Decimal(100)), Part(Decimal(50), later, item.pk)]
    _first, second = split_proposal(proposal.pk, parts, actor=world.planner, now=NOW)

    assert (second.supplier, second.need_by, second.unit_cost) == (world.outsider, later, Decimal(5))


@pytest.mark.parametrize(
    ("quantities", "says"),
    [
        ((100,), "2 to 12"),
        ((100, 40), "sum to 140"),
        ((147, 3), "minimum"),
        ((88, 62), "pack size"),
        ((150, 0), "zero"),
    ],
)
def test_parts_that_cannot_be_bought_are_refused(world: World, quantities: tuple[int, ...], says: str) -> None:
    proposal = make_proposal(world, world.mug, 150)

    with pytest.raises(ValidationFailed, match=says):
        split(world, proposal, *quantities)

    assert Proposal.objects.get().quantity == 150


def test_what_is_decided_or_unknown_cannot_be_split(world: World) -> None:
    proposal = make_proposal(world, world.mug, 150)
    accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)

    with pytest.raises(Conflict):
        split(world, proposal, 100, 50)
    with pytest.raises(NotFound):
        split_proposal(0, [Part(Decimal(1)), Part(Decimal(1))], actor=world.planner, now=NOW)


def test_parts_merge_into_one_again_at_the_price_of_the_sum(world: World) -> None:
    first, second = split(world, make_proposal(world, world.mug, 150), 75, 75)

    (merged,) = merge_proposals([first.pk, second.pk], actor=world.planner, now=NOW)

    assert (merged.pk, merged.quantity, merged.unit_cost) == (first.pk, 150, Decimal("3.5"))
    assert Proposal.objects.get(pk=second.pk).status == "superseded"


def test_proposals_of_one_supplier_come_on_the_earliest_day(world: World) -> None:
    mugs = make_proposal(world, world.mug, 100)
    lamps = make_proposal(world, world.lamp, 5, need_by=NEED_BY - timedelta(3))

    merged = merge_proposals([mugs.pk, lamps.pk], actor=world.planner, now=NOW)

    assert {p.need_by for p in merged} == {NEED_BY - timedelta(3)}
    assert [
        order.lines.count()
        for order in accept_proposals([Decision(mugs.pk), Decision(lamps.pk)], actor=world.planner, now=NOW)
    ] == [2]


def test_proposals_of_several_suppliers_are_not_merged(world: World) -> None:
    ids = [make_proposal(world, world.mug, 100).pk, make_proposal(world, world.tea, 5).pk]

    with pytest.raises(ValidationFailed, match="one supplier"):
        merge_proposals(ids, actor=world.planner, now=NOW)


def test_the_plan_lets_parts_stand_until_the_need_changes(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 300])
    propose_reorders(run, now=NOW)
    proposal = Proposal.objects.get()
    split(world, proposal, 100, int(proposal.quantity) - 100)

    counts = propose_reorders(run, now=NOW)
    standing = Proposal.objects.filter(status="open").count()
    expect(
        second := make_run(),
        world.mug,
        world.main,
        20,
        protection_days=21,
        protection_mean=420,
        protection_quantiles=[420, 600],
    )
    propose_reorders(second, now=NOW)

    assert (counts.changed, standing) == (0, 2)
    assert Proposal.objects.get(status="open").quantity > proposal.quantity


def test_a_split_proposal_is_recalculated_to_the_same(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10, protection_days=21, protection_mean=210, protection_quantiles=[210, 300])
    propose_reorders(run, now=NOW)
    proposal = Proposal.objects.get()
    split(world, proposal, 100, int(proposal.quantity) - 100)

    for part in Proposal.objects.all():
        again = recompute_proposal(part)
        assert (again.is_same, again.how) == (True, "inputs"), again.differing
        assert part.explanation[-1]["value"] == float(part.quantity)


def test_the_api_splits_merges_and_explains(world: World, api: Any) -> None:
    proposal, client = make_proposal(world, world.mug, 150), api(world.planner)
    base, parts = "/api/v1/proposals/", [{"quantity": "100"}, {"quantity": "50"}]

    made = client.post(f"{base}{proposal.pk}/split/", {"parts": parts}, format="json").json()
    merged = client.post(f"{base}merge/", {"proposals": [p["id"] for p in made]}, format="json").json()
    told = client.get(f"{base}{proposal.pk}/explanation/").json()

    assert [p["quantity"] for p in made] == ["100", "50"]
    assert [p["quantity"] for p in merged] == ["150"]
    assert (told["is_same"], told["recalculated_from"]) == (True, "terms")
