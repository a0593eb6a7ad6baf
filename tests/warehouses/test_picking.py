"""Orders on the floor: released, picked into packing, short picks, called off, carried back."""

from decimal import Decimal

import pytest

from catalog.models import KitPart, Listing
from config.kernel.errors import Conflict, NotFound, ValidationFailed
from tests.cast import NOW, World, make_channel, make_lot, make_sku, put_stock
from tests.warehouses.floor import claim, counters, do, lies, make_bin, order_of, packing, released, status
from warehouses.models import Location, Reservation, SalesOrder, Task
from warehouses.selectors.stock import drifting_levels, drifting_lines, usable
from warehouses.services.backorders import reserve_backorders
from warehouses.services.pick_tasks import was_released
from warehouses.services.picking import on_order_cancelled, release_for_picking, release_orders, release_wave
from warehouses.services.sales import cancel_order, ship_order
from warehouses.services.tasks import cancel_pointless, cancel_task, claim_task, complete_task

pytestmark = pytest.mark.django_db


def called_off(order: SalesOrder) -> None:
    """Cancelled, with what that means on the floor; the hook in cancel_order may have run already."""
    cancel_order(order.pk, now=NOW)
    on_order_cancelled(SalesOrder.objects.get(pk=order.pk), now=NOW)


class TestReleasing:
    def test_each_reservation_becomes_a_pick_from_its_bin_to_packing(self, world: World) -> None:
        order, tasks = released("W-1", ("MUG", 30), ("LAMP", 2))

        assert order.status == "allocated"
        assert [(t.sku.code, int(t.quantity), t.from_location, t.to_location) for t in tasks] == [
            ("MUG", 30, world.shelf, packing(world)),
            ("LAMP", 2, world.shelf, packing(world)),
        ]
        assert {t.reference for t in tasks} == {"WEB/W-1"}
        assert {t.subject_id for t in tasks} == set(Reservation.objects.values_list("pk", flat=True))

    def test_again_makes_no_second_tasks(self, world: World) -> None:
        order, tasks = released("W-1", ("MUG", 30))

        assert release_for_picking(order.pk, now=NOW) == tasks
        do(tasks[0])
        assert release_for_picking(order.pk, now=NOW) == []
        assert Task.objects.count() == 1

    def test_of_a_partly_reserved_order_what_is_there_is_picked(self, world: World) -> None:
        order, tasks = released("W-1", ("LAMP", 25), ("TEA", 4))

        assert [int(t.quantity) for t in tasks] == [20]
        assert status(order) == "allocated"
        do(tasks[0])
        assert status(order) == "picked"

    def test_lots_and_bins_are_tasks_of_their_own_in_walking_order(self, world: World) -> None:
        far, near = make_bin(world, "F", sequence=50), make_bin(world, "N", sequence=5)
        lots = [make_lot(world.tea, "L1"), make_lot(world.tea, "L2")]
        put_stock(world.tea, far, 3, lot=lots[0])
        put_stock(world.tea, near, 3, lot=lots[1])

        released("W-1", ("TEA", 6))

        assert [(t.from_location.code, t.lot.code) for t in claim(5)] == [("N", "L2"), ("F", "L1")]

    def test_an_order_with_nothing_reserved_or_over_is_refused(self, world: World) -> None:
        waiting, over = order_of("W-1", ("TEA", 1)), order_of("W-2", ("MUG", 1))
        cancel_order(over.pk, now=NOW)

        with pytest.raises(Conflict) as refused:
            release_orders([waiting.pk, over.pk, 999999], now=NOW)

        assert [(item["order"], item["code"]) for item in refused.value.items] == [
            (waiting.pk, "nothing_reserved"),
            (over.pk, "wrong_state"),
            (999999, "not_found"),
        ]
        assert not Task.objects.exists()

    def test_only_what_lies_in_the_warehouse_named(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 5))

        with pytest.raises(Conflict):
            release_for_picking(order.pk, warehouse_code="NORTH", now=NOW)
        with pytest.raises(NotFound):
            release_for_picking(order.pk, warehouse_code="NOWHERE", now=NOW)
        assert len(release_for_picking(order.pk, warehouse_code="MAIN", now=NOW)) == 1

    def test_a_wave_takes_the_first_by_channel_and_age_and_none_twice(self, world: World) -> None:
        make_channel("VIP", priority=1, routes=(world.main,))
        orders = [order_of(f"W-{n}", ("MUG", 1)) for n in range(3)] + [order_of("V-1", ("MUG", 1), channel="VIP")]

        first = release_wave("MAIN", limit=2, now=NOW)
        second = release_wave("MAIN", limit=5, now=NOW)

        assert {t.reference for t in first} == {"VIP/V-1", "WEB/W-0"}
        assert [t.reference for t in second] == ["WEB/W-1", "WEB/W-2"]
        assert release_wave("MAIN", limit=5, now=NOW) == []
        assert {status(order) for order in orders} == {"allocated"}
        with pytest.raises(ValidationFailed):
            release_wave("MAIN", limit=0, now=NOW)


class TestPicking:
    def test_the_units_lie_in_packing_reserved_and_are_no_more_for_sale(self, world: World) -> None:
        order, tasks = released("W-1", ("MUG", 30), ("LAMP", 2))

        do(tasks[0])

        assert (lies(world.mug, world.shelf), lies(world.mug, packing(world))) == ((70, 0), (30, 30))
        assert counters(order) == [(30, 30, 30, 0), (2, 2, 0, 0)]
        assert status(order) == "allocated"
        do(tasks[1])
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_two_picks_of_one_line_end_in_one_reservation(self, world: World) -> None:
        other = make_bin(world, "A-02", sequence=2)
        put_stock(world.tea, world.shelf, 3)
        put_stock(world.tea, other, 3)
        order, tasks = released("W-1", ("TEA", 6))

        for task in tasks:
            do(task)

        row = Reservation.objects.get(line__order=order)
        assert (int(row.quantity), row.level.location) == (6, packing(world))
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_what_was_picked_ships_from_packing(self, world: World) -> None:
        order, tasks = released("W-1", ("MUG", 30))
        do(tasks[0])

        ship_order(order.pk, key="S", now=NOW)

        assert lies(world.mug, packing(world)) == (0, 0)
        assert status(order) == "shipped"
        assert drifting_levels() == drifting_lines() == []

    def test_units_reserved_in_the_same_bin_meanwhile_get_a_task_of_their_own(self, world: World) -> None:
        put_stock(world.tea, world.shelf, 3)
        order, [task] = released("W-1", ("TEA", 5))
        claimed = claim_task(task.number, worker="ann", now=NOW)
        put_stock(world.tea, world.shelf, 2)
        reserve_backorders(now=NOW)

        complete_task(task.number, lease_token=claimed.lease_token, now=NOW)

        [rest] = Task.objects.filter(state="open")
        assert (rest.quantity, counters(order)) == (2, [(5, 5, 3, 0)])
        assert status(order) == "allocated"
        do(rest)
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_what_a_partly_shipped_order_gets_is_picked_too_if_it_was_ever_released(self, world: World) -> None:
        put_stock(world.tea, world.shelf, 4)
        order, [task] = released("W-1", ("TEA", 6))
        put_stock(world.tea, world.shelf, 1)
        waiting = order_of("W-2", ("TEA", 5))
        do(task)
        for sent, units in ((order, 4), (waiting, 1)):
            ship_order(sent.pk, key=sent.external_id, quantities={1: Decimal(units)}, now=NOW)
        assert [status(order), status(waiting)] == ["partially_shipped", "partially_shipped"]

        put_stock(world.tea, world.shelf, 6)
        reserve_backorders(now=NOW)

        [rest] = Task.objects.filter(kind="pick", state="open")
        assert (rest.reference, rest.quantity) == ("WEB/W-1", 2)
        assert (counters(order), counters(waiting)) == ([(6, 2, 0, 4)], [(5, 4, 0, 1)])
        do(rest)
        assert status(order) == "partially_shipped"
        assert drifting_levels() == drifting_lines() == []

    def test_long_order_numbers_that_begin_alike_keep_their_tasks_apart(self, world: World) -> None:
        make_channel("C" * 32, routes=(world.main,))
        orders = [order_of("9" * 60 + end, ("MUG", 1), channel="C" * 32) for end in ("0001", "0002")]

        tasks = [release_for_picking(order.pk, now=NOW)[0] for order in orders]
        called_off(orders[0])

        assert [len(task.reference) for task in tasks] == [80, 80]
        assert [Task.objects.get(pk=task.pk).state for task in tasks] == ["cancelled", "open"]
        assert was_released(orders[1])
        assert tasks[0].reference != tasks[1].reference

    def test_a_kit_is_picked_by_its_parts(self, world: World) -> None:
        kit = make_sku("SET", is_kit=True)
        KitPart.objects.create(kit=kit, part=world.mug, quantity=2)
        KitPart.objects.create(kit=kit, part=world.lamp, quantity=1)
        Listing.objects.create(channel=world.web, sku=kit, unit_price=Decimal("60"))
        order, tasks = released("W-1", ("SET", 3))

        for task in tasks:
            do(task)

        assert [(t.sku.code, int(t.quantity)) for t in tasks] == [("MUG", 6), ("LAMP", 3)]
        assert counters(order) == [(3, 3, 3, 0), (6, 6, 6, 0), (3, 3, 3, 0)]
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_more_than_is_asked_is_refused(self, world: World) -> None:
        _order, tasks = released("W-1", ("MUG", 30))

        with pytest.raises(ValidationFailed):
            do(tasks[0], 31)

    def test_a_pick_whose_reservation_is_gone_is_refused_and_cancelled(self, world: World) -> None:
        order, [task] = released("W-1", ("MUG", 30))
        claimed = claim_task(task.number, worker="ann", now=NOW)
        ship_order(order.pk, key="S", now=NOW)  # past the floor

        assert cancel_pointless(task.number, now=NOW) in (True, False)  # False: shipping has cancelled it
        with pytest.raises(Conflict) as refused:
            complete_task(task.number, lease_token=claimed.lease_token, now=NOW)

        assert refused.value.code == "wrong_state"
        assert Task.objects.get(pk=task.pk).state == "cancelled"
        assert drifting_levels() == drifting_lines() == []

    def test_a_claim_does_not_hand_out_a_pick_that_lost_its_reason(self, world: World) -> None:
        order, [task] = released("W-1", ("MUG", 30))
        released("W-2", ("LAMP", 1))
        ship_order(order.pk, key="S", now=NOW)

        assert [t.reference for t in claim(1)] == ["WEB/W-2"]
        assert Task.objects.get(pk=task.pk).state == "cancelled"

    def test_a_cancelled_pick_leaves_the_order_reserved_and_it_may_be_released_again(self, world: World) -> None:
        order, [task] = released("W-1", ("MUG", 30))

        cancel_task(task.number, now=NOW)

        assert status(order) == "reserved"
        assert len(release_for_picking(order.pk, now=NOW)) == 1


class TestShortPicks:
    def test_the_missing_units_are_set_aside_counted_and_reserved_elsewhere(self, world: World) -> None:
        other = make_bin(world, "A-02", sequence=2)
        put_stock(world.tea, world.shelf, 5)
        order, [task] = released("W-1", ("TEA", 5))
        put_stock(world.tea, other, 4)

        done = do(task, 3)

        assert (done.done_quantity, done.note) == (3, "short pick: 3 / 5")
        assert lies(world.tea, world.shelf) == (0, 0)
        assert lies(world.tea, world.shelf, status="blocked") == (2, 0)
        assert lies(world.tea, packing(world)) == (3, 3)
        assert lies(world.tea, other) == (4, 2)
        assert counters(order) == [(5, 5, 3, 0)]
        count, again = Task.objects.get(kind="count"), Task.objects.get(kind="pick", state="open")
        assert (count.from_location, count.status, count.quantity, count.priority) == (world.shelf, "blocked", None, 50)
        assert count.note == f"short pick in {task.number}: 2 missing, set aside as blocked."
        assert (again.from_location, int(again.quantity)) == (other, 2)
        assert status(order) == "allocated"
        do(again)
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_with_nothing_elsewhere_the_line_waits_and_the_phantom_is_promised_to_nobody(self, world: World) -> None:
        put_stock(world.tea, world.shelf, 5)
        order, [task] = released("W-1", ("TEA", 5))

        do(task, 0)

        assert counters(order) == [(5, 0, 0, 0)]
        assert status(order) == "backordered"
        assert lies(world.tea, world.shelf, status="blocked") == (5, 0)
        assert not world.tea.levels.filter(usable(), on_hand__gt=0).exists()
        assert drifting_levels() == drifting_lines() == []


class TestCalledOff:
    def test_open_picks_are_cancelled_and_what_lies_in_packing_is_carried_back(self, world: World) -> None:
        order, tasks = released("W-1", ("MUG", 30), ("LAMP", 2))
        do(tasks[0])

        called_off(order)

        assert Task.objects.get(pk=tasks[1].pk).state == "cancelled"
        back = Task.objects.get(kind="move")
        assert (back.from_location, back.to_location, int(back.quantity)) == (packing(world), world.shelf, 30)
        assert (back.reference, back.note) == ("WEB/W-1", "Its order was cancelled.")
        assert lies(world.mug, packing(world)) == (30, 0)
        do(back)
        assert lies(world.mug, world.shelf) == (100, 0)
        assert drifting_levels() == drifting_lines() == []

    def test_what_comes_back_serves_who_waits(self, world: World) -> None:
        order, tasks = released("W-1", ("LAMP", 20))
        do(tasks[0])
        waiting = order_of("W-2", ("LAMP", 5))
        called_off(order)
        assert counters(waiting) == [(5, 0, 0, 0)]

        do(Task.objects.get(kind="move"))

        assert counters(waiting) == [(5, 5, 0, 0)]
        assert status(waiting) == "reserved"

    def test_an_order_that_was_never_released_leaves_the_floor_alone(self, world: World) -> None:
        order = order_of("W-1", ("MUG", 30))

        called_off(order)

        assert not Task.objects.exists()

    def test_the_picked_units_of_others_stay_where_they_are(self, world: World) -> None:
        _other, [its_own] = released("W-2", ("MUG", 10))
        do(its_own)
        order, [task] = released("W-1", ("MUG", 30))
        do(task)

        called_off(order)

        back = Task.objects.get(kind="move")
        assert back.quantity == Decimal(30)
        assert lies(world.mug, packing(world)) == (40, 10)

    def test_with_no_room_on_the_shelves_the_worker_says_where_it_went(self, world: World) -> None:
        order, [task] = released("W-1", ("MUG", 30))
        do(task)
        Location.objects.filter(pk=world.shelf.pk).update(capacity_units=90)
        called_off(order)
        other = make_bin(world, "RET-2", sequence=9, kind="returns")
        back = Task.objects.get(kind="move")

        with pytest.raises(Conflict) as refused:
            do(back)
        do(back, now=NOW.replace(hour=12), to_location="RET-2")

        assert (back.to_location, refused.value.code) == (None, "no_place")
        assert lies(world.mug, other) == (30, 0)
