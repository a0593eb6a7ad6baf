"""Tasks: handed out in walking order with a lease, taken back when it runs out, completed once."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from tests.cast import NOW, World, put_stock
from tests.warehouses.floor import claim, do, lies, make_bin
from warehouses.models import StockMovement, Task
from warehouses.selectors.stock import drifting_levels
from warehouses.services.putaway import create_move_task
from warehouses.services.task_handlers import HANDLERS, TaskHandler
from warehouses.services.tasks import (
    cancel_task,
    claim_task,
    claim_tasks,
    complete_task,
    release_task,
    renew_lease,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def move(world: World, quantity: int = 5, *, to: str = "A-02", **more: Any) -> Task:
    return create_move_task(
        **{
            "warehouse_code": "MAIN",
            "sku_code": "MUG",
            "from_location": "A-01",
            "to_location": to,
            "quantity": Decimal(quantity),
            "now": NOW,
            **more,
        }
    )


@pytest.fixture
def shelf_2(world: World) -> Any:
    return make_bin(world, "A-02", sequence=20)


class TestClaiming:
    def test_priority_comes_first_then_the_walk_then_the_oldest(self, world: World, shelf_2: Any) -> None:
        near, far = make_bin(world, "N", sequence=1), make_bin(world, "F", sequence=90)
        put_stock(world.tea, near, 10)
        put_stock(world.tea, far, 10)
        urgent = move(world, sku_code="TEA", from_location="F", priority=10)
        at_far = move(world, sku_code="TEA", from_location="F", quantity=1)
        first_near = move(world, sku_code="TEA", from_location="N", quantity=1)
        second_near = move(world, sku_code="TEA", from_location="N", quantity=2)

        claimed = claim(10)

        assert claimed == [urgent, first_near, second_near, at_far]
        assert {task.state for task in claimed} == {"claimed"}
        assert {task.lease_expires_at for task in claimed} == {NOW + timedelta(seconds=600)}
        assert len({task.lease_token for task in claimed}) == 4

    def test_a_walk_begins_where_the_worker_stands(self, world: World, shelf_2: Any) -> None:
        places = [make_bin(world, f"B-{n}", sequence=n) for n in (10, 30, 50)]
        for place in places:
            put_stock(world.tea, place, 10)
        tasks = {p.code: move(world, sku_code="TEA", from_location=p.code, quantity=1) for p in places}

        claimed = claim(3, near_location="B-30")

        assert claimed == [tasks["B-30"], tasks["B-50"], tasks["B-10"]]

    def test_what_is_claimed_is_nobody_elses_until_its_lease_runs_out(self, world: World, shelf_2: Any) -> None:
        task = move(world)
        [mine] = claim(lease_seconds=60)

        assert claim(now=NOW + timedelta(seconds=59)) == []
        [theirs] = claim(now=NOW + timedelta(seconds=60))

        assert theirs == task
        assert theirs.lease_token != mine.lease_token
        assert theirs.attempts == 2

    def test_only_the_kinds_asked_for_of_that_warehouse(self, world: World, shelf_2: Any) -> None:
        move(world)

        assert claim(kinds=["pick", "count"]) == []
        assert claim_tasks("robot", warehouse_code="NORTH", limit=5, now=NOW) == []
        assert len(claim(5, kinds=["move"])) == 1

    def test_every_fault_of_a_claim_is_named_at_once(self, world: World) -> None:
        with pytest.raises(ValidationFailed) as refused:
            claim_tasks(" ", warehouse_code="NOWHERE", kinds=["dance"], limit=0, lease_seconds=0, now=NOW)

        assert [item["field"] for item in refused.value.items] == [
            "worker",
            "lease_seconds",
            "warehouse",
            "kinds",
            "limit",
        ]

    def test_one_chosen_task_is_refused_while_somebody_works_on_it(self, world: World, shelf_2: Any) -> None:
        task = move(world)
        claim_task(task.number, worker="ann", now=NOW)

        with pytest.raises(Conflict) as refused:
            claim_task(task.number, worker="ben", now=NOW)

        assert (refused.value.code, str(refused.value)) == ("claimed", "ann works on it, until 09:10:00 UTC.")
        assert claim_task(task.number, worker="ben", now=LATER).worker == "ben"


class TestLeases:
    def test_a_lease_is_renewed_from_now_on(self, world: World, shelf_2: Any) -> None:
        move(world)
        [task] = claim(lease_seconds=60)

        renewed = renew_lease(task.number, lease_token=task.lease_token, lease_seconds=120, now=NOW)

        assert renewed.lease_expires_at == NOW + timedelta(seconds=120)

    def test_a_wrong_token_can_do_nothing(self, world: World, shelf_2: Any) -> None:
        move(world)
        [task] = claim()
        wrong = uuid.uuid4()

        for call in (
            lambda: renew_lease(task.number, lease_token=wrong, now=NOW),
            lambda: release_task(task.number, lease_token=wrong, now=NOW),
            lambda: complete_task(task.number, lease_token=wrong, now=NOW),
        ):
            with pytest.raises(Conflict) as refused:
                call()
            assert refused.value.code == "lease_lost"
        assert lies(world.mug, world.shelf) == (100, 0)

    def test_a_token_is_worth_nothing_once_another_has_claimed(self, world: World, shelf_2: Any) -> None:
        move(world)
        [lost] = claim(lease_seconds=60)
        [held] = claim(now=LATER)

        with pytest.raises(Conflict) as refused:
            complete_task(lost.number, lease_token=lost.lease_token, now=LATER)
        done = complete_task(held.number, lease_token=held.lease_token, now=LATER)

        assert refused.value.code == "lease_lost"
        assert done.state == "done"
        assert lies(world.mug, shelf_2) == (5, 0)

    def test_late_but_claimed_by_nobody_else_the_work_counts(self, world: World, shelf_2: Any) -> None:
        move(world)
        [task] = claim(lease_seconds=60)

        assert complete_task(task.number, lease_token=task.lease_token, now=LATER).state == "done"

    def test_a_released_task_is_open_for_the_next_and_its_token_dead(self, world: World, shelf_2: Any) -> None:
        move(world)
        [task] = claim()

        given_back = release_task(task.number, lease_token=task.lease_token, note="aisle blocked", now=NOW)

        assert (given_back.state, given_back.worker, given_back.note) == ("open", "", "aisle blocked")
        with pytest.raises(Conflict):
            complete_task(task.number, lease_token=task.lease_token, now=NOW)
        assert len(claim()) == 1


class TestCompleting:
    def test_the_units_move_and_the_ledger_names_the_task(self, world: World, shelf_2: Any) -> None:
        task = do(move(world))

        assert (task.state, task.done_quantity, task.done_at) == ("done", 5, NOW)
        assert (lies(world.mug, world.shelf), lies(world.mug, shelf_2)) == ((95, 0), (5, 0))
        rows = StockMovement.objects.filter(reference=task.number).order_by("pk")
        assert [(row.kind, int(row.quantity), row.value) for row in rows] == [("move", -5, 0), ("move", 5, 0)]
        assert drifting_levels() == []

    def test_twice_is_once_and_answers_the_same(self, world: World, shelf_2: Any) -> None:
        move(world)
        [task] = claim()
        first = complete_task(task.number, lease_token=task.lease_token, now=NOW)

        again = complete_task(task.number, lease_token=task.lease_token, now=LATER)

        assert (again, again.done_at) == (first, NOW)
        assert lies(world.mug, shelf_2) == (5, 0)
        with pytest.raises(Conflict) as refused:
            complete_task(task.number, lease_token=task.lease_token, quantity=Decimal(2), now=NOW)
        assert refused.value.code == "already_done"

    def test_what_was_left_behind_becomes_a_task_of_its_own(self, world: World, shelf_2: Any) -> None:
        task = do(move(world), 3)

        rest = Task.objects.get(state="open")
        assert (rest.quantity, rest.from_location, rest.to_location) == (2, world.shelf, shelf_2)
        assert rest.note == f"The rest of {task.number}."

    @pytest.mark.parametrize("quantity", ["0", "-1", "6", "1.0001", "NaN"])
    def test_a_quantity_that_makes_no_sense_changes_nothing(self, world: World, shelf_2: Any, quantity: str) -> None:
        task = move(world)

        with pytest.raises(ValidationFailed):
            do(task, quantity)

        task.refresh_from_db()
        assert task.state == "claimed"
        assert lies(world.mug, world.shelf) == (100, 0)

    def test_it_may_be_put_elsewhere(self, world: World, shelf_2: Any) -> None:
        other = make_bin(world, "A-03", sequence=30)

        task = do(move(world), to_location="A-03")

        assert (task.to_location, lies(world.mug, other), lies(world.mug, shelf_2)) == (other, (5, 0), None)

    def test_a_full_bin_is_refused_and_the_task_stays(self, world: World) -> None:
        make_bin(world, "A-02", sequence=20, capacity=4)
        task = move(world)

        with pytest.raises(ValidationFailed) as refused:
            do(task)

        assert refused.value.items[0]["code"] == "capacity_exceeded"
        assert Task.objects.get(pk=task.pk).state == "claimed"

    def test_a_task_nobody_made_is_not_found(self, world: World) -> None:
        with pytest.raises(NotFound):
            complete_task("TK-999999", lease_token=uuid.uuid4(), now=NOW)

    def test_a_kind_without_a_handler_is_refused(
        self, world: World, monkeypatch: pytest.MonkeyPatch, shelf_2: Any
    ) -> None:
        monkeypatch.delitem(HANDLERS, "move")
        task = move(world)

        with pytest.raises(Conflict) as refused:
            do(task)

        assert refused.value.code == "no_handler"

    def test_the_effect_and_its_being_done_are_one(
        self, world: World, monkeypatch: pytest.MonkeyPatch, shelf_2: Any
    ) -> None:
        moves = HANDLERS["move"]

        def dies(completion: Any) -> Any:
            moves.complete(completion)
            raise RuntimeError("the process died")

        monkeypatch.setitem(HANDLERS, "move", TaskHandler(dies, lock=moves.lock))
        task = move(world)
        with pytest.raises(RuntimeError):
            do(task)

        assert lies(world.mug, world.shelf) == (100, 0)
        assert Task.objects.get(pk=task.pk).state == "claimed"


class TestMakingAndCancelling:
    def test_every_fault_of_a_move_is_named_at_once(self, world: World) -> None:
        with pytest.raises(ValidationFailed) as refused:
            move(world, 0, to="A-01", lot_code="L", status="lost", priority=-1)

        assert [item["field"] for item in refused.value.items] == [
            "lot",
            "to_location",
            "quantity",
            "status",
            "priority",
        ]

    def test_more_than_lies_there_is_short_by_the_rest(self, world: World, shelf_2: Any) -> None:
        with pytest.raises(InsufficientStock) as refused:
            move(world, 101)

        assert refused.value.items[0]["short_by"] == "1"

    def test_a_cancelled_task_cannot_be_completed_nor_a_done_one_cancelled(self, world: World, shelf_2: Any) -> None:
        task, other = move(world), move(world)
        claimed = claim_task(task.number, worker="ann", now=NOW)
        cancel_task(task.number, note="not needed", now=NOW)
        do(other)

        with pytest.raises(Conflict) as refused:
            complete_task(task.number, lease_token=claimed.lease_token, now=NOW)
        assert refused.value.code == "wrong_state"
        with pytest.raises(Conflict):
            cancel_task(other.number, now=NOW)
        assert cancel_task(task.number, now=LATER).done_at == NOW
