"""Counts as work for scanners and robots, and the count after a short pick."""

from decimal import Decimal

import pytest

from config.kernel.errors import Conflict, ValidationFailed
from tests.cast import NOW, World, make_user
from tests.warehouses.counting import count, line_of, sheet_of
from tests.warehouses.floor import claim, do, lies, released
from tests.warehouses.worth import worth_faults
from warehouses.models import CountSheet, Task
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.count_posting import approve_count
from warehouses.services.count_sheets import cancel_count
from warehouses.services.count_tasks import create_count_tasks
from warehouses.services.tasks import claim_task, complete_task

pytestmark = pytest.mark.django_db


def task_of(sheet: CountSheet, sku: str) -> Task:
    return Task.objects.get(subject_id=line_of(sheet, sku).pk, state__in=Task.WAITING)


def test_a_sheet_becomes_a_task_for_each_line_once(world: World) -> None:
    sheet = sheet_of()

    first, again = create_count_tasks(sheet.pk, now=NOW), create_count_tasks(sheet.pk, now=NOW)

    assert first == again
    assert [(t.kind, t.sku.code, t.from_location, t.reference, t.quantity) for t in first] == [
        ("count", "LAMP", world.shelf, sheet.number, None),
        ("count", "MUG", world.shelf, sheet.number, None),
    ]


def test_completing_the_tasks_counts_the_sheet_and_posts_it(world: World) -> None:
    sheet = sheet_of()
    create_count_tasks(sheet.pk, now=NOW)

    do(task_of(sheet, "LAMP"), 20, actor=world.integration)
    do(task_of(sheet, "MUG"), 99, actor=world.integration)

    sheet.refresh_from_db()
    assert sheet.status == "posted"
    assert lies(world.mug, world.shelf) == (99, 0)
    assert line_of(sheet, "MUG").counted_by == world.integration


def test_a_count_needs_a_number_and_the_same_again_is_one_count(world: World) -> None:
    sheet = sheet_of()
    create_count_tasks(sheet.pk, now=NOW)
    task = claim_task(task_of(sheet, "MUG").number, worker="robot-1", now=NOW)
    assert task.lease_token is not None

    with pytest.raises(ValidationFailed):
        complete_task(task.number, lease_token=task.lease_token, now=NOW)
    for _time in range(2):
        complete_task(task.number, lease_token=task.lease_token, quantity=Decimal(99), now=NOW)

    assert line_of(sheet, "MUG").counted_quantity == 99


def test_what_was_counted_by_hand_needs_no_scanner_any_more(world: World) -> None:
    sheet = sheet_of()
    tasks = create_count_tasks(sheet.pk, now=NOW)

    count(sheet, MUG=100)

    assert [task.sku for task in claim(10)] == [world.lamp]
    cancel_count(sheet.pk, now=NOW)
    assert {task.state for task in Task.objects.filter(pk__in=[t.pk for t in tasks])} == {"cancelled"}


def test_the_recount_is_a_task_for_another_person_and_no_counter_approves(world: World) -> None:
    sheet, second = sheet_of(), make_user("cora", "Warehouse clerk")
    create_count_tasks(sheet.pk, now=NOW)
    do(task_of(sheet, "LAMP"), 20, actor=world.clerk)
    do(task_of(sheet, "MUG"), 10, actor=world.clerk)
    [again] = create_count_tasks(sheet.pk, now=NOW)

    with pytest.raises(Conflict):
        do(again, 10, actor=world.clerk)
    task = Task.objects.get(pk=again.pk)
    assert task.lease_token is not None
    complete_task(task.number, lease_token=task.lease_token, quantity=Decimal(12), now=NOW, actor=second)

    sheet.refresh_from_db()
    assert sheet.status == "counted"
    approve_count(sheet.pk, now=NOW, actor=world.planner)
    assert lies(world.mug, world.shelf) == (12, 0)


def test_the_count_after_a_short_pick_makes_a_sheet_of_one_line(world: World) -> None:
    _order, [pick] = released("W-1", ("LAMP", 20))
    do(pick, 17)
    assert lies(world.lamp, world.shelf, status="blocked") == (3, 0)
    task = Task.objects.get(kind="count")

    do(task, 1, actor=world.clerk)

    sheet = CountSheet.objects.get()
    assert (sheet.status, sheet.origin, sheet.lines.count()) == ("posted", "drift", 1)
    assert lies(world.lamp, world.shelf, status="blocked") == (1, 0)
    task.refresh_from_db()
    assert task.subject_id == sheet.lines.get().pk
    assert (drifting_levels(), drifting_lines(), worth_faults()) == ([], [], [])


def test_the_count_after_a_short_pick_goes_onto_the_open_sheet_of_its_level(world: World) -> None:
    _order, [pick] = released("W-1", ("LAMP", 20))
    do(pick, 17)
    sheet = sheet_of()  # lists the blocked lamps and the mugs

    do(Task.objects.get(kind="count"), 0, actor=world.clerk)

    assert CountSheet.objects.get() == sheet
    assert line_of(sheet, "LAMP").counted_quantity == 0
    assert count(sheet, MUG=100).status == "posted"
    assert lies(world.lamp, world.shelf, status="blocked") == (0, 0)
