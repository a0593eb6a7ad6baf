"""Postings that meet on real PostgreSQL: one key once, new levels made once, deadlocks tried again."""

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError, transaction

from config.kernel.errors import Conflict, InsufficientStock
from config.kernel.transactions import one_transaction
from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from warehouses.locks import locked_levels
from warehouses.models import StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db(transaction=True)


def post(*moves: tuple[object, object, int, str]) -> list[StockMovement]:
    rows = [Move("adjustment", sku.pk, place.pk, Decimal(n), key) for sku, place, n, key in moves]  # type: ignore[attr-defined]
    return post_movements(rows, happened_at=NOW)


def on_hand(sku, location) -> Decimal:
    return StockLevel.objects.get(sku=sku, location=location).on_hand


def test_one_key_posted_by_twenty_at_once_is_one_movement(world: World) -> None:
    results = run_concurrently([partial(post, (world.lamp, world.shelf, -1, "K"))] * 20)

    assert failures(results) == []
    assert len({row.pk for [row] in results}) == 1
    assert on_hand(world.lamp, world.shelf) == 19


def test_one_key_on_two_levels_at_once_is_one_movement_and_a_conflict(world: World) -> None:
    calls = [partial(post, (sku, world.shelf, 1, "K")) for sku in (world.lamp, world.mug) for _ in range(5)]

    results = run_concurrently(calls)

    assert {type(result) for result in failures(results)} == {Conflict}
    assert StockMovement.objects.filter(idempotency_key="K").count() == 1
    assert on_hand(world.lamp, world.shelf) + on_hand(world.mug, world.shelf) == 121
    assert drifting_levels() == []


def test_fifty_takers_of_twenty_lamps_leave_none_and_thirty_are_refused(world: World) -> None:
    results = run_concurrently([partial(post, (world.lamp, world.shelf, -1, f"K{n}")) for n in range(50)])

    assert [type(result) for result in failures(results)] == [InsufficientStock] * 30
    assert on_hand(world.lamp, world.shelf) == 0
    assert drifting_levels() == []


def test_a_new_level_made_by_many_at_once_is_one_level(world: World) -> None:
    places = (world.shelf, world.receiving, world.north_shelf)
    calls = [
        partial(post, *((world.tea, place, 1, f"{n}:{place.pk}") for place in (places if n % 2 else reversed(places))))
        for n in range(20)
    ]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert sorted(StockLevel.objects.filter(sku=world.tea).values_list("on_hand", flat=True)) == [20, 20, 20]


def test_postings_that_name_their_levels_in_opposite_order_do_not_deadlock(world: World) -> None:
    levels = [(world.lamp, world.shelf), (world.mug, world.shelf), (world.mug, world.north_shelf)]
    calls = [
        partial(post, *((sku, place, 1, f"{n}:{sku.pk}:{place.pk}") for sku, place in levels[:: 1 if n % 2 else -1]))
        for n in range(40)
    ]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert on_hand(world.lamp, world.shelf) == 60
    assert drifting_levels() == []


class TestDeadlock:
    """Two services that lock two levels crosswise, so that one of them must be the victim."""

    def crosswise(self, world: World) -> list[partial]:
        both_hold_one = threading.Barrier(2)

        def cross(first: int, second: int, tries: list[int]) -> str:
            tries.append(1)
            locked_levels(StockLevel.objects.filter(pk=first))
            if len(tries) == 1:
                both_hold_one.wait(30)
            locked_levels(StockLevel.objects.filter(pk=second))
            return "done"

        a, b = StockLevel.objects.order_by("pk").values_list("pk", flat=True)[:2]
        return [partial(cross, a, b, []), partial(cross, b, a, [])]

    def test_the_victim_is_tried_again(self, world: World) -> None:
        assert run_concurrently([one_transaction(call) for call in self.crosswise(world)]) == ["done", "done"]

    def test_without_it_the_caller_sees_the_deadlock(self, world: World) -> None:
        """The negative control."""

        results = run_concurrently([transaction.atomic(call) for call in self.crosswise(world)])

        [deadlock] = failures(results)
        assert isinstance(deadlock, OperationalError)
        assert "deadlock detected" in str(deadlock)

    def test_inside_another_transaction_nothing_is_tried_again(self, world: World) -> None:
        def nested(call: partial) -> str:
            with transaction.atomic():
                return one_transaction(call)()

        results = run_concurrently([partial(nested, call) for call in self.crosswise(world)])

        assert [type(result) for result in failures(results)] == [OperationalError]
