"""Two people act on one proposal or order in the same moment: the database lets exactly one of them win.

Threads meet at a barrier, each with its own connection to the real PostgreSQL.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from config.kernel.errors import Conflict, DomainError, ValidationFailed
from procurement.models import LineResponse, Proposal, PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.services.confirmations import LineAnswer, decide_response, respond_to_order
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals
from procurement.services.orders import approve_order, cancel_order, send_order
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World, make_item, make_sku
from tests.procurement.buying import confirmed_order, draft_order, make_proposal, sent_order
from warehouses.models import StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels

pytestmark = pytest.mark.django_db(transaction=True)


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all of `acts` at the same moment, each in a thread; what each returned or the exception it raised."""
    barrier, results = Barrier(len(acts), timeout=30), [None] * len(acts)

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait()
            results[place] = acts[place]()
        except Exception as exc:
            results[place] = exc
        finally:
            connection.close()

    threads = [Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread still waits for a lock"
    unexpected = [r for r in results if isinstance(r, Exception) and not isinstance(r, DomainError)]
    assert unexpected == []
    return results


def failures(results: Sequence[Any]) -> list[type]:
    return [type(result) for result in results if isinstance(result, DomainError)]


def test_of_ten_planners_who_accept_one_proposal_one_does(transactional_db: None, world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)

    results = together(
        [lambda: accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW) for _ in range(10)]
    )

    assert failures(results) == [Conflict] * 9
    assert PurchaseOrder.objects.count() == 1
    assert PurchaseOrderLine.objects.get().quantity == 40


def test_overlapping_bulk_decisions_in_opposite_order_neither_deadlock_nor_double(
    transactional_db: None, world: World
) -> None:
    proposals = []
    for n in range(12):
        sku = make_sku(f"S{n}")
        make_item((world.northwind, world.outsider)[n % 2], sku)
        proposals.append(make_proposal(world, sku, 10))
    forwards = [Decision(p.pk) for p in proposals[:8]]
    backwards = [Decision(p.pk) for p in reversed(proposals[4:])]

    results = together(
        [
            lambda: accept_proposals(forwards, actor=world.planner, now=NOW),
            lambda: accept_proposals(backwards, actor=world.planner, now=NOW),
        ]
    )

    assert failures(results) == [Conflict]
    assert Proposal.objects.filter(status="accepted").count() == 8
    assert PurchaseOrderLine.objects.count() == 8
    assert PurchaseOrder.objects.count() == 2


def test_accepting_and_dismissing_at_once_does_one_of_the_two(transactional_db: None, world: World) -> None:
    proposal = make_proposal(world, world.mug, 40)

    results = together(
        [
            lambda: accept_proposals([Decision(proposal.pk)], actor=world.planner, now=NOW),
            lambda: dismiss_proposals([proposal.pk], actor=world.planner, now=NOW),
        ]
    )

    proposal.refresh_from_db()
    assert failures(results) == [Conflict]
    assert PurchaseOrderLine.objects.count() == (1 if proposal.status == "accepted" else 0)


def test_different_proposals_accepted_at_once_share_one_draft(transactional_db: None, world: World) -> None:
    proposals = []
    for n in range(8):
        sku = make_sku(f"S{n}")
        make_item(world.northwind, sku)
        proposals.append(make_proposal(world, sku, 10))

    results = together(
        [
            lambda pk=p.pk: accept_proposals([Decision(pk)], actor=world.planner, now=NOW)  # type: ignore[misc]
            for p in proposals
        ]
    )

    assert failures(results) == []
    order = PurchaseOrder.objects.get()
    assert sorted(order.lines.values_list("line_number", flat=True)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert order.events.filter(kind="created").count() == 1


def test_without_the_lock_two_planners_would_both_find_the_proposal_open(transactional_db: None, world: World) -> None:
    """The negative control: the same check without `locked_proposals` lets every thread through."""
    proposal = make_proposal(world, world.mug, 40)
    looked = Barrier(2, timeout=30)

    def look_then_write() -> bool:
        with transaction.atomic():
            is_open = Proposal.objects.get(pk=proposal.pk).status == "open"
            looked.wait()
            Proposal.objects.filter(pk=proposal.pk).update(status="accepted")
            return is_open

    assert together([look_then_write, look_then_write]) == [True, True]


def test_fifty_approvals_at_once_approve_once(transactional_db: None, world: World) -> None:
    order = draft_order(world)

    results = together([lambda: approve_order(order.pk, actor=world.planner, now=NOW) for _ in range(50)])

    assert failures(results) == [Conflict] * 49
    assert order.events.filter(kind="approved").count() == 1


def test_an_order_sent_and_cancelled_at_once_is_told_to_the_supplier_as_it_ended(
    transactional_db: None, world: World, mailoutbox: Any
) -> None:
    order = approve_order(draft_order(world).pk, actor=world.planner, now=NOW)

    together(
        [
            lambda: send_order(order.pk, actor=world.planner, now=NOW),
            lambda: cancel_order(order.pk, actor=world.planner, now=NOW),
        ]
    )

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.events.filter(kind="cancelled").count() == 1
    assert order.events.filter(kind="sent").count() == (1 if order.sent_at else 0)


def test_one_line_answered_twice_at_once_is_answered_once(transactional_db: None, world: World) -> None:
    order = sent_order(world, lamps=6)
    mugs = order.lines.get(line_number=1)

    results = together(
        [
            lambda: respond_to_order(order.pk, [LineAnswer(mugs.pk, "accept")], actor=world.northwind_user, now=NOW),
            lambda: respond_to_order(order.pk, [LineAnswer(mugs.pk, "reject")], actor=world.northwind_user, now=NOW),
        ]
    )

    assert failures(results) == [Conflict]
    assert LineResponse.objects.count() == 1


def test_a_change_decided_twice_at_once_is_decided_once(transactional_db: None, world: World) -> None:
    order = sent_order(world)
    line = order.lines.get()
    respond_to_order(
        order.pk, [LineAnswer(line.pk, "change", quantity=Decimal(80))], actor=world.northwind_user, now=NOW
    )
    response = line.responses.get()

    results = together(
        [
            lambda: decide_response(response.pk, accept=True, actor=world.planner, now=NOW),
            lambda: decide_response(response.pk, accept=False, actor=world.planner, now=NOW),
        ]
    )

    response.refresh_from_db()
    line.refresh_from_db()
    assert failures(results) == [Conflict]
    assert line.quantity == (80 if response.decision == "accepted" else 100)


def test_two_clerks_who_book_the_same_delivery_cannot_exceed_the_tolerance(
    transactional_db: None, world: World
) -> None:
    world.northwind.over_receipt_tolerance = Decimal("0.05")
    world.northwind.save()
    order = confirmed_order(world)
    rows = [ReceivedLine(order.lines.get().pk, Decimal(60))]

    results = together(
        [
            lambda key=f"clerk-{n}": receive_goods(order.pk, rows, key=key, actor=world.clerk, now=NOW)  # type: ignore[misc]
            for n in range(6)
        ]
    )

    assert failures(results) == [ValidationFailed] * 5
    assert order.lines.get().received_quantity == 60
    assert StockLevel.objects.get(sku=world.mug, location=world.receiving).on_hand == 60
    assert drifting_levels() == []


def test_one_key_sent_fifty_times_at_once_books_one_receipt(transactional_db: None, world: World) -> None:
    order = confirmed_order(world)
    rows = [ReceivedLine(order.lines.get().pk, Decimal(100))]

    results = together(
        [lambda: receive_goods(order.pk, rows, key="dock-1", actor=world.clerk, now=NOW) for _ in range(50)]
    )

    assert failures(results) == []
    assert sum(is_new for _receipt, is_new in results) == 1
    assert len({receipt.pk for receipt, _is_new in results}) == 1
    assert Receipt.objects.count() == 1
    assert StockMovement.objects.filter(kind="receipt").count() == 1
    assert order.lines.get().received_quantity == 100


def test_one_key_for_two_orders_at_once_books_only_one(transactional_db: None, world: World) -> None:
    mugs, teas = confirmed_order(world), sent_order(world, supplier=world.outsider, mugs=5)
    acts = [
        lambda o=o: receive_goods(  # type: ignore[misc]
            o.pk, [ReceivedLine(o.lines.get().pk, Decimal(5))], key="dock-1", actor=world.clerk, now=NOW
        )
        for o in (mugs, teas)
    ]

    results = together(acts)

    assert failures(results) == [Conflict]
    assert Receipt.objects.count() == StockMovement.objects.filter(kind="receipt").count() == 1
