"""Tasks in the admin: the table, the page with its buttons, and My work on a clerk's phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import World, make_lot, put_stock
from tests.kernel.test_export_admin import enter, rows_of
from tests.procurement.test_buying_admin import said
from tests.warehouses.floor import lies, make_bin, order_of, packing, released
from tests.warehouses.test_shipping_admin import press
from warehouses.models import Task
from warehouses.services.picking import release_for_picking
from warehouses.services.tasks import claim_tasks

pytestmark = pytest.mark.django_db
MY_WORK = "/admin/warehouses/task/my-work/"
HERE = f"{MY_WORK}?warehouse=MAIN"


def form_of(task: Task, **more: Any) -> dict[str, Any]:
    task.refresh_from_db()
    return {"task": task.number, "lease_token": str(task.lease_token), **more}


class TestTheTable:
    def test_it_shows_who_works_on_what_and_is_exported(self, world: World) -> None:
        _order, [task] = released("W-1", ("MUG", 30))
        claim_tasks("robot-7", warehouse_code="MAIN", now=timezone.now())
        clerk = enter(world.clerk)

        shown = clerk.get("/admin/warehouses/task/?state__exact=claimed&kind__exact=pick").content.decode()
        exported = rows_of(clerk.get("/admin/warehouses/task/export/"))

        assert task.number in shown
        assert "robot-7" in shown
        assert exported[1][:2] == [task.number, "pick"]

    def test_goods_in_receiving_get_their_tasks_by_a_button_once(self, world: World) -> None:
        put_stock(world.tea, world.receiving, 8)
        clerk = enter(world.clerk)

        first = clerk.post("/admin/warehouses/task/putaway/", {"warehouse": "MAIN"})
        again = clerk.post("/admin/warehouses/task/putaway/", {"warehouse": "MAIN"})

        assert said(first) == ["1 task was made."]
        assert said(again)[-1] == "Nothing in receiving waits for a task."
        assert enter(world.viewer).post("/admin/warehouses/task/putaway/", {"warehouse": "MAIN"}).status_code == 403

    def test_a_wave_is_released_by_a_button(self, world: World) -> None:
        for n in range(3):
            order_of(f"W-{n}", ("MUG", 1))
        clerk, wave = enter(world.clerk), "/admin/warehouses/task/wave/"

        answers = [clerk.post(wave, {"warehouse": "MAIN", "limit": limit}) for limit in ("2", "x", "5", "5")]

        assert [said(answer)[-1] for answer in answers] == [
            "2 pick tasks were made.",
            "From 1 to 500.",
            "1 pick task was made.",
            "No order waits to be picked there.",
        ]
        assert enter(world.viewer).post(wave, {"warehouse": "MAIN", "limit": "5"}).status_code == 403

    def test_a_viewer_sees_no_buttons(self, world: World) -> None:
        _order, [task] = released("W-1", ("MUG", 30))

        listed = enter(world.viewer).get("/admin/warehouses/task/").content.decode()
        shown = enter(world.viewer).get(f"/admin/warehouses/task/{task.pk}/change/").content.decode()

        assert "Create putaway tasks" not in listed
        assert "/do/" not in shown
        assert enter(world.viewer).get(MY_WORK).status_code == 403


class TestTheTasksPage:
    def test_it_is_claimed_completed_and_only_its_claimer_has_the_form(self, world: World) -> None:
        _order, [task] = released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)

        claimed = press(clerk, task, "claim")
        mine = clerk.get(f"/admin/warehouses/task/{task.pk}/change/").content.decode()
        theirs = enter(world.planner).get(f"/admin/warehouses/task/{task.pk}/change/").content.decode()
        done = press(clerk, task, "complete", **form_of(task, quantity="30"))

        assert said(claimed) == [f"{task.number} is yours."]
        assert 'name="lease_token"' in mine
        assert 'name="lease_token"' not in theirs
        assert said(done)[-1] == f"{task.number} is done."
        assert lies(world.mug, packing(world)) == (30, 30)

    def test_it_is_given_back_and_cancelled(self, world: World) -> None:
        _order, [task] = released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)
        press(clerk, task, "claim")

        back = press(clerk, task, "release", **form_of(task))
        off = press(clerk, task, "cancel")

        assert (said(back)[-1], said(off)[-1]) == (f"{task.number} was given back.", f"{task.number} was cancelled.")

    def test_a_form_from_before_the_lease_was_lost_moves_nothing(self, world: World) -> None:
        _order, [task] = released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)
        press(clerk, task, "claim")
        old = form_of(task)
        claim_tasks("robot-7", warehouse_code="MAIN", now=timezone.now() + timedelta(hours=1))

        answer = press(clerk, task, "complete", **old)

        assert said(answer)[-1] == f"Your lease of {task.number} is lost: the task went to another."
        assert lies(world.mug, world.shelf) == (100, 30)


class TestMyWork:
    def test_the_warehouse_is_chosen_then_the_next_task_is_shown_large(self, world: World) -> None:
        released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)

        choice = clerk.get(MY_WORK).content.decode()
        before = clerk.get(HERE).content.decode()
        clerk.post(HERE, {"do": "next"})
        shown = clerk.get(HERE).content.decode()

        assert "Where do you work?" in choice
        assert "<b>1</b> task waits" in before
        for part in ("<b>A-01</b>", "<b>MUG</b>", "<b>30</b>", "<b>PACKING</b>"):
            assert part in shown

    def test_done_leads_to_the_next(self, world: World) -> None:
        released("W-1", ("MUG", 30), ("LAMP", 2))
        clerk = enter(world.clerk)
        clerk.post(HERE, {"do": "next"})
        first = Task.objects.get(state="claimed")

        answer = clerk.post(HERE, form_of(first, do="done", quantity="30", scanned="L:MAIN/A-01"))

        assert said(answer)[-1] == f"{first.number} is done."
        assert Task.objects.get(pk=first.pk).state == "done"
        assert Task.objects.get(state="claimed").sku == world.lamp

    def test_a_wrong_scan_is_refused_and_nothing_moves(self, world: World) -> None:
        released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)
        clerk.post(HERE, {"do": "next"})
        task = Task.objects.get()

        answer = clerk.post(HERE, form_of(task, do="done", quantity="30", scanned="LAMP"))

        assert said(answer)[-1] == "“LAMP” is neither the bin nor the goods of this task."
        assert lies(world.mug, world.shelf) == (100, 30)

    def test_a_task_may_be_given_back(self, world: World) -> None:
        released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)
        clerk.post(HERE, {"do": "next"})

        clerk.post(HERE, form_of(Task.objects.get(), do="back"))

        assert Task.objects.get().state == "open"

    def test_only_the_kinds_chosen(self, world: World) -> None:
        released("W-1", ("MUG", 30))
        clerk = enter(world.clerk)

        clerk.post(f"{HERE}&kind=putaway", {"do": "next"})
        assert Task.objects.get().state == "open"
        clerk.post(f"{HERE}&kind=putaway&kind=pick", {"do": "next"})
        assert Task.objects.get().state == "claimed"

    @pytest.mark.parametrize(
        ("code", "matches"),
        [
            ("A-01", "from"),
            ("L:MAIN/A-01", "from"),
            ("PACKING", "to"),
            ("TEA", "sku"),
            ("4006381333931", "sku"),
            ("T:TEA/L1", "sku"),
            ("(01)04006381333931(10)L1", "sku"),
            ("T:TEA/L2", ""),
            ("(01)04006381333931(10)L2", ""),
            ("L:NORTH/A-01", ""),
            ("MUG", ""),
            ("nonsense", ""),
            ("", ""),
        ],
    )
    def test_a_scan_confirms_the_bin_or_the_goods(self, world: World, code: str, matches: str) -> None:
        type(world.tea).objects.filter(pk=world.tea.pk).update(barcode="4006381333931")
        bin_, lot = world.shelf, make_lot(world.tea, "L1")
        make_lot(world.tea, "L2")
        put_stock(world.tea, bin_, 3, lot=lot)
        release_for_picking(order_of("W-1", ("TEA", 3)).pk, now=timezone.now())
        clerk = enter(world.clerk)
        clerk.post(HERE, {"do": "next"})

        answer = clerk.get(f"{MY_WORK}check/", {"task": Task.objects.get().number, "code": code})

        assert answer.json()["matches"] == matches
        assert bool(answer.json()["message"]) is not bool(matches)

    def test_a_task_of_another_confirms_nothing(self, world: World) -> None:
        make_bin(world, "A-02", sequence=1)
        _order, [task] = released("W-1", ("MUG", 30))

        answer = enter(world.clerk).get(f"{MY_WORK}check/", {"task": task.number, "code": "MUG"})

        assert answer.json() == {"matches": "", "message": "This task is not yours any more."}
