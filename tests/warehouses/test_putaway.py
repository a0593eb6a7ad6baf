"""From receiving to the shelf: where to, why, how much fits, and what is reserved on the way goes along."""

from decimal import Decimal

import pytest

from config.kernel.errors import NotFound
from tests.cast import NOW, World, make_lot, put_stock
from tests.warehouses.floor import counters, do, lies, make_bin, order_of, released, status
from warehouses.models import Location, Reservation, StockMovement, Task
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.putaway import create_putaway_tasks, putaway_suggestions
from warehouses.services.stock import Move, post_movements
from warehouses.services.tasks import claim_task

pytestmark = pytest.mark.django_db


def suggested(world: World, sku, quantity: int, lot=None) -> tuple[list[tuple[str, int, str]], int]:
    plan = putaway_suggestions(
        sku_id=sku.pk, lot_id=lot and lot.pk, quantity=Decimal(quantity), warehouse_id=world.main.pk
    )
    return [(s.location.code, int(s.quantity), s.rule) for s in plan.suggestions], int(plan.overflow)


def receive(world: World, sku, quantity: int, reference: str, lot=None) -> None:
    move = Move(
        StockMovement.Kind.RECEIPT,
        sku.pk,
        world.receiving.pk,
        Decimal(quantity),
        f"{reference}:{sku.pk}",
        lot_id=lot and lot.pk,
        unit_cost=Decimal(2),
        reference=reference,
    )
    post_movements([move], happened_at=NOW)


class TestSuggestions:
    def test_the_bin_that_holds_it_then_the_nearest_empty_then_a_shared_one(self, world: World) -> None:
        make_bin(world, "E-2", sequence=2, capacity=10)
        make_bin(world, "E-1", sequence=1, capacity=5, kind="picking")
        Location.objects.filter(pk=world.shelf.pk).update(capacity_units=130)

        assert suggested(world, world.mug, 30) == (
            [("A-01", 10, "same_stock"), ("E-1", 5, "empty"), ("E-2", 10, "empty")],
            5,
        )
        assert suggested(world, world.tea, 20) == (
            [("E-1", 5, "empty"), ("E-2", 10, "empty"), ("A-01", 5, "shared")],
            0,
        )

    def test_the_reason_is_said_in_words(self, world: World) -> None:
        make_bin(world, "E-1", sequence=1, capacity=5)

        [suggestion] = putaway_suggestions(
            sku_id=world.tea.pk, lot_id=None, quantity=Decimal(2), warehouse_id=world.main.pk
        ).suggestions

        assert suggestion.reason == "The nearest empty bin with room. Room for 5."

    def test_lots_are_kept_apart(self, world: World) -> None:
        old, new = make_lot(world.tea, "OLD"), make_lot(world.tea, "NEW")
        first, _second = make_bin(world, "B-1", sequence=1), make_bin(world, "B-2", sequence=2)
        put_stock(world.tea, first, 3, lot=old)

        assert suggested(world, world.tea, 5, old) == ([("B-1", 5, "same_stock")], 0)
        assert suggested(world, world.tea, 5, new) == ([("B-2", 5, "empty")], 0)

    def test_closed_bins_zones_and_other_kinds_are_no_places(self, world: World) -> None:
        Location.objects.filter(pk=world.shelf.pk).update(is_active=False)
        zone = make_bin(world, "Z", sequence=1)
        Location.objects.filter(pk=zone.pk).update(level="zone")

        assert suggested(world, world.tea, 5) == ([], 5)


class TestMakingTasks:
    def test_what_lies_free_in_receiving_gets_tasks_once(self, world: World) -> None:
        make_bin(world, "E-1", sequence=1, capacity=5)
        receive(world, world.tea, 8, "GR-1")

        made = create_putaway_tasks("MAIN", reference="GR-1", now=NOW)
        again = create_putaway_tasks("MAIN", reference="GR-1", now=NOW)
        all_of_it = create_putaway_tasks("MAIN", now=NOW)

        assert [(t.kind, t.to_location.code, int(t.quantity), t.reference) for t in made.tasks] == [
            ("putaway", "E-1", 5, "GR-1"),
            ("putaway", "A-01", 3, "GR-1"),
        ]
        assert again.tasks == all_of_it.tasks == []

    def test_a_receipt_s_tasks_are_of_what_it_brought_also_when_they_are_done(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        receive(world, world.tea, 5, "GR-2")

        [task] = create_putaway_tasks("MAIN", reference="GR-2", now=NOW).tasks
        do(task)

        assert int(task.quantity) == 5
        assert create_putaway_tasks("MAIN", reference="GR-2", now=NOW).tasks == []
        assert [int(t.quantity) for t in create_putaway_tasks("MAIN", now=NOW).tasks] == [10]

    def test_what_is_reserved_stays_for_the_pickers(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        order_of("W-1", ("TEA", 4))

        assert [int(t.quantity) for t in create_putaway_tasks("MAIN", now=NOW).tasks] == [6]

    def test_what_finds_no_room_is_said(self, world: World) -> None:
        Location.objects.filter(pk=world.shelf.pk).update(capacity_units=121)
        receive(world, world.tea, 3, "GR-1")

        outcome = create_putaway_tasks("MAIN", now=NOW)

        assert [int(t.quantity) for t in outcome.tasks] == [1]
        assert [item["message"] for item in outcome.without_room] == ["No bin has room for 2 of TEA."]

    def test_tasks_of_one_run_share_the_room(self, world: World) -> None:
        make_bin(world, "E-1", sequence=1, capacity=5)
        lots = [make_lot(world.tea, "L1"), make_lot(world.tea, "L2")]
        for lot in lots:
            receive(world, world.tea, 4, f"GR-{lot.code}", lot)

        tasks = create_putaway_tasks("MAIN", now=NOW).tasks

        assert [(t.lot.code, t.to_location.code, int(t.quantity)) for t in tasks] == [
            ("L1", "E-1", 4),
            ("L2", "A-01", 4),
        ]

    def test_an_unknown_warehouse_is_not_found(self, world: World) -> None:
        with pytest.raises(NotFound):
            create_putaway_tasks("NOWHERE", now=NOW)


class TestPuttingAway:
    def test_units_reserved_meanwhile_go_along_with_their_reservation(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        [task] = create_putaway_tasks("MAIN", now=NOW).tasks
        order = order_of("W-1", ("TEA", 7))

        do(task)

        assert (lies(world.tea, world.receiving), lies(world.tea, world.shelf)) == ((0, 0), (10, 7))
        row = Reservation.objects.get(line__order=order)
        assert (row.level.location, int(row.quantity)) == (world.shelf, 7)
        assert counters(order) == [(7, 7, 0, 0)]
        assert drifting_levels() == drifting_lines() == []

    def test_free_units_go_first(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        [task] = create_putaway_tasks("MAIN", now=NOW).tasks
        order_of("W-1", ("TEA", 7))

        do(task, 4)

        assert (lies(world.tea, world.receiving), lies(world.tea, world.shelf)) == ((6, 6), (4, 1))
        assert sorted(int(q) for q in Reservation.objects.values_list("quantity", flat=True)) == [1, 6]
        assert int(Task.objects.get(state="open").quantity) == 6
        assert drifting_levels() == drifting_lines() == []

    def test_an_order_s_open_pick_follows_its_units(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        [task] = create_putaway_tasks("MAIN", now=NOW).tasks
        order, [pick] = released("W-1", ("TEA", 7))

        do(task)

        [following] = Task.objects.filter(kind="pick", state="open")
        assert (following.from_location, int(following.quantity)) == (world.shelf, 7)
        assert Task.objects.get(pk=pick.pk).state == "cancelled"
        do(following)
        assert status(order) == "picked"
        assert drifting_levels() == drifting_lines() == []

    def test_what_somebody_is_picking_stays_and_the_rest_is_refused(self, world: World) -> None:
        receive(world, world.tea, 10, "GR-1")
        [task] = create_putaway_tasks("MAIN", now=NOW).tasks
        _order, [pick] = released("W-1", ("TEA", 7))
        claim_task(pick.number, worker="ann", now=NOW)

        with pytest.raises(Exception, match="short by 7"):
            do(task)
        do(task, 3, now=NOW.replace(hour=12))

        assert (lies(world.tea, world.receiving), lies(world.tea, world.shelf)) == ((7, 7), (3, 0))
        assert drifting_levels() == drifting_lines() == []
