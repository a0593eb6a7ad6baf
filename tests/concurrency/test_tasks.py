"""Workers that meet over tasks: nobody works the same one, whoever dies is replaced, each effect happens once."""

import random
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count

import pytest
from django.db import Error, transaction

from config.kernel.errors import Conflict, DomainError
from tests.cast import NOW, World, put_stock
from tests.concurrency.meet import failures, run_concurrently
from tests.warehouses.floor import make_bin, order_of
from warehouses.models import Location, SalesOrder, StockLevel, StockMovement, Task
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.backorders import reserve_backorders
from warehouses.services.cancelling import cancel_order
from warehouses.services.held_moves import level_key_of, lock_holders, move_with_holds
from warehouses.services.picking import release_for_picking, release_wave
from warehouses.services.putaway import create_move_task, create_putaway_tasks
from warehouses.services.task_handlers import HANDLERS, TaskHandler
from warehouses.services.tasks import claim_tasks, complete_task

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, TASKS = 32, 200


class Clock:
    """A second passes with every look; a lease of a minute runs out while the others go on working."""

    def __init__(self) -> None:
        self._ticks = count()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=next(self._ticks))


def tea_to_carry(world: World, tasks: int) -> Location:
    target = make_bin(world, "A-02", sequence=2)
    put_stock(world.tea, world.shelf, tasks)
    for _n in range(tasks):
        create_move_task(
            warehouse_code="MAIN",
            sku_code="TEA",
            from_location="A-01",
            to_location="A-02",
            quantity=Decimal(1),
            now=NOW,
        )
    return target


def work(seed: int, clock: Clock) -> tuple[int, int, int]:
    """Claim and complete until nothing is left; a third of the times die, or come back long after the lease ran out.
    (done, died, refused)"""
    luck = random.Random(seed)
    done = died = refused = 0
    zombies = []
    while Task.objects.filter(state__in=Task.WAITING).exists():
        for task in claim_tasks(f"w-{seed}", warehouse_code="MAIN", limit=2, lease_seconds=60, now=clock.now()):
            fate = luck.random()
            if fate < 0.2:
                died += 1
            elif fate < 0.35:
                zombies.append(task)
            else:
                done += _finished(task, clock)
    for task in zombies:  # awake again: the task was done by another meanwhile, or by nobody
        if _finished(task, clock):
            done += 1
        else:
            refused += 1
    return done, died, refused


def _finished(task: Task, clock: Clock) -> bool:
    assert task.lease_token is not None
    try:
        complete_task(task.number, lease_token=task.lease_token, now=clock.now())
    except Conflict as conflict:
        if conflict.code != "lease_lost":
            raise
        return False
    return True


def test_two_hundred_tasks_and_thirty_two_mortal_workers_each_effect_once(world: World) -> None:
    target, clock = tea_to_carry(world, TASKS), Clock()

    results = run_concurrently([partial(work, seed, clock) for seed in range(WORKERS)], timeout=180)

    assert failures(results) == []
    done, died, refused = (sum(column) for column in zip(*results, strict=True))
    assert done == TASKS
    assert died > 0
    assert refused > 0
    assert Task.objects.filter(state="done").count() == TASKS
    carried = StockMovement.objects.filter(location=target).values_list("reference", flat=True)
    assert sorted(carried) == sorted(Task.objects.values_list("number", flat=True))
    assert StockLevel.objects.get(sku=world.tea, location=target).on_hand == TASKS
    assert drifting_levels() == drifting_lines() == []


def test_without_token_and_lock_the_same_work_is_done_twice(world: World) -> None:
    """The negative control: read what is open, do it, write that it is done. It shows what the lease is for."""
    target = tea_to_carry(world, 20)
    put_stock(world.tea, world.shelf, 20)
    everybody_has_read = threading.Barrier(2)

    def naive(name: str) -> int:
        tasks = list(Task.objects.filter(state="open").select_related("to_location"))
        everybody_has_read.wait(60)
        for task in tasks:
            assert task.to_location is not None
            _carry(task, task.to_location, key=f"{name}:{task.number}")
            Task.objects.filter(pk=task.pk).update(state="done")
        return len(tasks)

    results = run_concurrently([partial(naive, "a"), partial(naive, "b")])

    assert results == [20, 20]
    assert StockLevel.objects.get(sku=world.tea, location=target).on_hand == 40  # of 20 asked for


def _carry(task: Task, to: Location, *, key: str) -> None:
    with transaction.atomic():
        holders = lock_holders(level_key_of(task), Decimal(1))
        move_with_holds(
            level_key_of(task), to, Decimal(1), holders=holders, idempotency_key=key, reference="", reason="", now=NOW
        )


def test_one_completion_sent_twenty_times_at_once_is_one_effect(world: World) -> None:
    target = tea_to_carry(world, 1)
    [task] = claim_tasks("robot", warehouse_code="MAIN", now=NOW)

    results = run_concurrently([partial(complete_task, task.number, lease_token=task.lease_token, now=NOW)] * 20)

    assert failures(results) == []
    assert StockLevel.objects.get(sku=world.tea, location=target).on_hand == 1


def test_thirty_two_claims_at_once_get_thirty_two_tasks(world: World) -> None:
    tea_to_carry(world, WORKERS)

    results = run_concurrently([partial(claim_tasks, "robot", warehouse_code="MAIN", now=NOW)] * WORKERS)

    assert failures(results) == []
    assert len({task.pk for tasks in results for task in tasks}) == WORKERS


def test_a_process_that_dies_in_the_effect_leaves_the_task_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, moves = tea_to_carry(world, 1), HANDLERS["move"]

    def dies(completion: object) -> Decimal | None:
        moves.complete(completion)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    [task] = claim_tasks("mortal", warehouse_code="MAIN", lease_seconds=60, now=NOW)
    monkeypatch.setitem(HANDLERS, "move", TaskHandler(dies, lock=moves.lock))
    with pytest.raises(RuntimeError):
        complete_task(task.number, lease_token=task.lease_token, now=NOW)  # type: ignore[arg-type]
    monkeypatch.setitem(HANDLERS, "move", moves)

    clock = Clock()
    for _n in range(60):
        clock.now()
    assert work(1000, clock)[0] == 1
    assert StockLevel.objects.get(sku=world.tea, location=target).on_hand == 1


def test_two_waves_at_once_release_each_order_once(world: World) -> None:
    for n in range(20):
        order_of(f"W-{n}", ("MUG", 1))

    results = run_concurrently([partial(release_wave, "MAIN", limit=20, now=NOW)] * 4)
    release_wave("MAIN", limit=20, now=NOW)

    assert failures(results) == []
    assert Task.objects.count() == 20


def test_putaway_tasks_asked_for_ten_times_at_once_are_made_once(world: World) -> None:
    put_stock(world.tea, world.receiving, 10)

    results = run_concurrently([partial(create_putaway_tasks, "MAIN", now=NOW)] * 10)

    assert failures(results) == []
    assert [int(task.quantity or 0) for task in Task.objects.all()] == [10]


def test_picking_putting_away_and_calling_off_at_once_adds_up(world: World) -> None:
    """Orders are picked while stock is put away under them and half of them are called off: only honest refusals."""
    put_stock(world.tea, world.receiving, 40)
    create_putaway_tasks("MAIN", now=NOW)
    orders = [order_of(f"W-{n}", ("TEA", 2), ("MUG", 3), ("LAMP", 1)) for n in range(12)]
    clock = Clock()

    def pick(seed: int) -> None:
        luck = random.Random(seed)
        for _n in range(30):
            for task in claim_tasks(f"w-{seed}", warehouse_code="MAIN", lease_seconds=60, now=clock.now()):
                units = Decimal(1) if luck.random() < 0.3 else None
                assert task.lease_token is not None
                with suppress(DomainError):
                    complete_task(task.number, lease_token=task.lease_token, quantity=units, now=clock.now())

    calls = (
        [partial(release_for_picking, order.pk, now=NOW) for order in orders]
        + [partial(cancel_order, order.pk, now=NOW) for order in orders[::2]]
        + [partial(pick, seed) for seed in range(8)]
    )
    results = run_concurrently(calls, timeout=120)
    reserve_backorders(now=NOW)

    assert [result for result in failures(results) if not isinstance(result, DomainError)] == []
    assert not any(isinstance(result, Error) for result in results)
    assert SalesOrder.objects.filter(status="cancelled").count() == 6
    assert drifting_levels() == drifting_lines() == []
