"""What happens to a proposal that a planner accepts or dismisses."""

from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from procurement.models import Proposal, PurchaseOrder
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals
from procurement.services.orders import approve_order
from tests.cast import NOW, World
from tests.procurement.buying import NEED_BY, draft_order, event_kinds, make_proposal


def test_one_suppliers_proposals_become_lines_of_one_draft(world: World) -> None:
    mugs, lamps = make_proposal(world, world.mug, 40), make_proposal(world, world.lamp, 6)

    [order] = accept_proposals([Decision(mugs.pk), Decision(lamps.pk)], actor=world.planner, now=NOW)

    assert (order.status, order.supplier, order.warehouse) == ("draft", world.northwind, world.main)
    assert (order.currency, order.created_by) == ("GBP", world.planner)
    lines = [(x.line_number, x.sku.code, x.quantity, x.unit_cost, x.need_by, x.proposal_id) for x in order.lines.all()]
    assert lines == [
        (1, "MUG", 40, Decimal("4.00"), NEED_BY, mugs.pk),
        (2, "LAMP", 6, Decimal("20.00"), NEED_BY, lamps.pk),
    ]
    assert event_kinds(order) == ["created", "lines_added"]
    mugs.refresh_from_db()
    assert (mugs.status, mugs.accepted_quantity, mugs.decided_by, mugs.decided_at) == (
        "accepted",
        40,
        world.planner,
        NOW,
    )


def test_suppliers_and_warehouses_get_an_order_each(world: World) -> None:
    proposals = [
        make_proposal(world, world.mug, 40),
        make_proposal(world, world.mug, 20, warehouse=world.north),
        make_proposal(world, world.tea, 12),
    ]

    orders = accept_proposals([Decision(p.pk) for p in proposals], actor=world.planner, now=NOW)

    assert {(o.supplier.code, o.warehouse.code, o.lines.get().quantity) for o in orders} == {
        ("NORTHWIND", "MAIN", 40),
        ("NORTHWIND", "NORTH", 20),
        ("OUTSIDER", "MAIN", 12),
    }


def test_the_open_draft_is_used_and_the_price_is_that_of_the_sum(world: World) -> None:
    draft = draft_order(world, mugs=60)
    proposal = make_proposal(world, world.mug, 40)

    [order] = accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)

    line = order.lines.get()
    assert order == draft
    assert (line.quantity, line.original_quantity, line.unit_cost) == (100, 100, Decimal("3.50"))
    assert line.proposal == proposal


def test_an_approved_order_gets_no_more_lines(world: World) -> None:
    approved = draft_order(world, mugs=60)
    approve_order(approved.pk, actor=world.planner, now=NOW)
    proposal = make_proposal(world, world.mug, 40)

    [order] = accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)

    assert order != approved
    assert approved.lines.get().quantity == 60


def test_a_planner_may_change_the_quantity(world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)

    [order] = accept_proposals([Decision(proposal.pk, Decimal(150))], actor=world.planner, now=NOW)

    assert (order.lines.get().quantity, order.lines.get().unit_cost) == (150, Decimal("3.50"))
    proposal.refresh_from_db()
    assert (proposal.quantity, proposal.accepted_quantity) == (40, 150)


@pytest.mark.parametrize(
    ("quantity", "why"),
    [
        ("42", "MUG: 42 is not a multiple of the pack size of 5."),
        ("5", "MUG: 5 is below the minimum order quantity of 10."),
        ("0", "MUG: must be greater than zero."),
        ("-10", "MUG: must be greater than zero."),
        ("NaN", "MUG: must be greater than zero."),
        ("10.0001", "MUG: has more than 11 digits before or 3 after the point."),
    ],
)
def test_a_changed_quantity_the_supplier_does_not_sell_is_refused(world: World, quantity: str, why: str) -> None:
    mugs, lamps = make_proposal(world, world.mug, 40), make_proposal(world, world.lamp, 6)

    with pytest.raises(ValidationFailed) as refused:
        accept_proposals([Decision(lamps.pk), Decision(mugs.pk, Decimal(quantity))], actor=world.planner, now=NOW)

    assert str(refused.value) == why
    assert [item["proposal"] for item in refused.value.items] == [mugs.pk]
    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    assert not PurchaseOrder.objects.exists()


def test_a_decided_proposal_is_refused_and_the_others_stay_open(world: World) -> None:
    mugs, lamps = make_proposal(world, world.mug, 40), make_proposal(world, world.lamp, 6)
    dismiss_proposals([mugs.pk], actor=world.planner, now=NOW)

    with pytest.raises(Conflict) as refused:
        accept_proposals([Decision(mugs.pk), Decision(lamps.pk)], actor=world.planner, now=NOW)

    assert str(refused.value) == "Decided already: MUG → MAIN (dismissed)."
    lamps.refresh_from_db()
    assert lamps.status == "open"
    assert not PurchaseOrder.objects.exists()


def test_an_unknown_proposal_a_double_one_and_none_at_all_are_refused(world: World) -> None:
    mugs = make_proposal(world, world.mug, 40)

    with pytest.raises(NotFound, match="There is no such proposal: 999999"):
        accept_proposals([Decision(mugs.pk), Decision(999999)], actor=world.planner, now=NOW)
    with pytest.raises(ValidationFailed, match="named twice"):
        accept_proposals([Decision(mugs.pk), Decision(mugs.pk)], actor=world.planner, now=NOW)
    with pytest.raises(ValidationFailed, match="No proposal was chosen"):
        accept_proposals([], actor=world.planner, now=NOW)

    mugs.refresh_from_db()
    assert mugs.status == "open"


def test_what_the_supplier_no_longer_sells_is_refused(world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)
    world.northwind.items.filter(sku=world.mug).update(is_active=False)

    with pytest.raises(Conflict, match=r"No longer sold by the supplier: MUG \(Northwind\). Plan again."):
        accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)


def test_an_inactive_supplier_gets_no_order(world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)
    world.northwind.is_active = False
    world.northwind.save()

    with pytest.raises(Conflict, match="Supplier Northwind is not active"):
        accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW)


def test_dismissing_says_who_and_why_and_makes_no_order(world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)

    count = dismiss_proposals([proposal.pk], actor=world.planner, now=NOW, note="End of the season")

    proposal.refresh_from_db()
    assert (count, proposal.status, proposal.decided_by) == (1, "dismissed", world.planner)
    assert proposal.decision_note == "End of the season"
    assert not PurchaseOrder.objects.exists()


def test_accepting_two_hundred_proposals_takes_a_fixed_number_of_statements(
    world: World, django_assert_max_num_queries: object
) -> None:
    from tests.cast import make_item, make_sku

    proposals = []
    for n in range(200):
        sku = make_sku(f"S{n:03d}")
        make_item(world.northwind, sku)
        proposals.append(make_proposal(world, sku, 10))

    with django_assert_max_num_queries(20):  # type: ignore[operator]
        [order] = accept_proposals([Decision(p.pk) for p in proposals], actor=world.planner, now=NOW)

    assert order.lines.count() == 200
