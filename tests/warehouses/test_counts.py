"""Cycle counts: what is asked for, counted, counted again, approved, and what the stock is afterwards."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict, InsufficientStock, NotFound, PermissionRefused, ValidationFailed
from tests.cast import NOW, World, make_lot, make_user, put_stock
from tests.warehouses.counting import count, let_pass, line_of, sheet_of
from tests.warehouses.floor import lies, order_of, released
from tests.warehouses.worth import worth_faults
from warehouses.models import CountLine, CountSheet, Location, Reservation, SalesOrder, StockMovement, Task
from warehouses.selectors.stock import drifting_levels, drifting_lines
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_posting import approve_count, recount
from warehouses.services.count_sheets import CountChoice, FoundStock, add_found_line, cancel_count, make_count_sheet
from warehouses.services.counts import CountedStock, record_counts
from warehouses.services.sales import ship_order

pytestmark = pytest.mark.django_db


def found(sku: str, location: str, **more: Any) -> FoundStock:
    return FoundStock(sku, location, **more)


class TestMaking:
    def test_a_sheet_has_a_number_and_a_line_for_each_level_in_walking_order(self, world: World) -> None:
        sheet = sheet_of()

        assert sheet.number.startswith("CT-")
        assert (sheet.status, sheet.origin, sheet.is_blind) == ("open", "person", True)
        rows = sheet.lines.order_by("line_number").values_list("line_number", "sku__code", "location__code")
        assert list(rows) == [(1, "LAMP", "A-01"), (2, "MUG", "A-01")]

    def test_the_same_key_again_is_the_same_sheet_and_of_another_warehouse_refused(self, world: World) -> None:
        first = sheet_of()

        again, is_new = make_count_sheet("MAIN", CountChoice(), key="C", now=NOW)

        assert (again, is_new) == (first, False)
        with pytest.raises(Conflict):
            make_count_sheet("NORTH", CountChoice(), key="C", now=NOW)
        assert CountSheet.objects.count() == 1

    def test_the_same_key_for_another_choice_or_note_is_refused(self, world: World) -> None:
        said: dict[str, Any] = {"actor": world.planner, "note": "Spring."}
        first = sheet_of(sku_codes=("MUG", "LAMP"), **said)

        assert sheet_of(sku_codes=("LAMP", "MUG"), **said) == first
        for other in (
            {**said, "sku_codes": ("MUG",)},
            said,
            {**said, "sku_codes": ("MUG", "LAMP"), "note": ""},
            {**said, "sku_codes": ("MUG", "LAMP"), "is_blind": False},
        ):
            with pytest.raises(Conflict) as refused:
                sheet_of(**other)
            assert refused.value.code == "idempotency_key_reused"

    def test_a_zone_means_everything_that_lies_within_it(self, world: World) -> None:
        zone = Location.objects.create(warehouse=world.main, code="Z", level="zone")
        aisle = Location.objects.create(warehouse=world.main, code="Z-1", level="aisle", parent=zone)
        shelf = Location.objects.create(warehouse=world.main, code="Z-1-1", parent=aisle)
        put_stock(world.tea, shelf, 7)

        sheet = sheet_of(location_codes=("Z",))

        assert [line.sku for line in sheet.lines.all()] == [world.tea]

    def test_a_level_stands_on_one_open_sheet_only(self, world: World) -> None:
        first = sheet_of(sku_codes=("MUG",))

        second = sheet_of(key="D")

        assert [line.sku for line in second.lines.all()] == [world.lamp]
        with pytest.raises(Conflict) as error:
            sheet_of(key="E")
        assert {item["sheet"] for item in error.value.items} == {first.number, second.number}

    def test_every_fault_is_named_at_once(self, world: World) -> None:
        with pytest.raises(ValidationFailed) as error:
            sheet_of(location_codes=("NOWHERE",), sku_codes=("X", "Y", "MUG"), due_classes=("D",), note="n" * 201)

        assert [item["field"] for item in error.value.items] == ["note", "locations", "skus", "skus", "due_classes"]
        with pytest.raises(ValidationFailed):
            sheet_of("NONE")
        with pytest.raises(ValidationFailed):
            sheet_of(sku_codes=("TEA",))
        assert not CountSheet.objects.exists()


class TestCounting:
    def test_small_variances_post_themselves_when_the_last_line_is_counted(self, world: World) -> None:
        sheet = sheet_of()

        sheet = count(sheet, MUG=98, by=world.clerk)
        assert sheet.status == "open"
        sheet = count(sheet, LAMP=21, by=world.clerk)

        assert (sheet.status, sheet.posted_at) == ("posted", NOW)
        moves = StockMovement.objects.filter(reference=sheet.number).order_by("sku__code")
        assert [(m.kind, m.quantity, m.actor) for m in moves] == [
            ("count", Decimal(1), world.clerk),
            ("count", Decimal(-2), world.clerk),
        ]
        assert (lies(world.mug, world.shelf), lies(world.lamp, world.shelf)) == ((98, 0), (21, 0))
        assert worth_faults() == []

    def test_stock_that_moves_between_count_and_posting_leaves_the_right_level(self, world: World) -> None:
        sheet = sheet_of()
        count(sheet, MUG=97)  # three are missing of 100
        order = order_of("W-1", ("MUG", 30))
        ship_order(order.pk, key="S", now=NOW)
        put_stock(world.mug, world.shelf, 5)

        count(sheet, LAMP=20)

        assert lies(world.mug, world.shelf) == (72, 0)  # 97 − 30 + 5
        assert drifting_levels() == []

    def test_the_negative_control_sets_the_level_to_what_was_counted_and_is_wrong(self, world: World) -> None:
        counted, order = Decimal(97), order_of("W-1", ("MUG", 30))
        ship_order(order.pk, key="S", now=NOW)

        record_counts([CountedStock(1, "MUG", "MAIN", counted)], now=NOW)  # the count was made before they left

        assert lies(world.mug, world.shelf) == (97, 0)  # 30 more than lie there

    def test_what_agrees_posts_no_movement(self, world: World) -> None:
        sheet = count(sheet_of(), MUG=100, LAMP=20)

        assert sheet.status == "posted"
        assert not StockMovement.objects.filter(reference=sheet.number).exists()

    def test_the_same_numbers_again_change_nothing_also_when_it_is_posted(self, world: World) -> None:
        sheet = sheet_of()
        count(sheet, MUG=98)
        order = order_of("W-1", ("MUG", 30))
        ship_order(order.pk, key="S", now=NOW)

        count(sheet, MUG=98, now=NOW + timedelta(hours=1))
        count(sheet, LAMP=20)
        again = count(sheet, MUG=98, LAMP=20)

        assert again.status == "posted"
        assert line_of(sheet, "MUG").on_hand_at_count == 100
        assert lies(world.mug, world.shelf) == (68, 0)
        with pytest.raises(Conflict) as error:
            count(sheet, MUG=97)
        assert error.value.code == "wrong_state"

    def test_every_fault_of_the_numbers_is_named_and_nothing_is_written(self, world: World) -> None:
        sheet = sheet_of()

        with pytest.raises(ValidationFailed) as error:
            enter_counts(sheet.pk, {1: Decimal(-1), 2: Decimal("1.0005"), 3: Decimal("NaN"), 9: Decimal(1)}, now=NOW)

        assert [item["line"] for item in error.value.items] == [1, 2, 3, 9]
        assert not CountLine.objects.exclude(counted_quantity=None).exists()
        with pytest.raises(ValidationFailed):
            enter_counts(sheet.pk, {}, now=NOW)
        with pytest.raises(NotFound):
            enter_counts(0, {1: Decimal(1)}, now=NOW)

    def test_found_stock_gets_a_line_of_its_own(self, world: World) -> None:
        sheet, lot = sheet_of(), make_lot(world.tea, "B7")
        line = add_found_line(sheet.pk, found("TEA", "A-01", lot_code="B7"), now=NOW)

        assert add_found_line(sheet.pk, found("TEA", "A-01", lot_code="B7"), now=NOW) == line
        sheet = count(sheet, MUG=100, LAMP=20, TEA=3)

        assert (line.line_number, sheet.status) == (3, "posted")
        assert lies(world.tea, world.shelf, lot=lot) == (3, 0)
        assert worth_faults() == []

    def test_found_stock_that_cannot_be_is_refused_with_every_reason(self, world: World) -> None:
        sheet = sheet_of()

        with pytest.raises(ValidationFailed) as error:
            add_found_line(sheet.pk, found("NONE", "NONE", status="gone"), now=NOW)

        assert [item["field"] for item in error.value.items] == ["sku", "location", "status"]
        sheet_of("NORTH", key="N")
        with pytest.raises(ValidationFailed):
            add_found_line(sheet.pk, found("MUG", "A-01", lot_code="X"), now=NOW)

    def test_stock_that_is_found_serves_an_order_that_waits(self, world: World) -> None:
        order = order_of("W-1", ("LAMP", 25))

        count(sheet_of(), MUG=100, LAMP=24)

        assert order.lines.get().reserved_quantity == 24

    def test_a_shortage_makes_the_newest_order_wait_and_the_rest_stays_reserved(self, world: World) -> None:
        let_pass(world, 1000)
        old, new = order_of("W-1", ("LAMP", 10)), order_of("W-2", ("LAMP", 10))
        SalesOrder.objects.filter(pk=old.pk).update(ordered_at=NOW - timedelta(days=1))

        sheet = count(sheet_of(), MUG=100, LAMP=14)

        assert sheet.status == "posted"
        assert lies(world.lamp, world.shelf) == (14, 14)
        assert [order.lines.get().reserved_quantity for order in (old, new)] == [10, 4]
        assert drifting_levels() == []
        assert drifting_lines() == []

    def test_an_order_that_gives_way_is_served_from_another_bin(self, world: World) -> None:
        let_pass(world, 1000)
        order = order_of("W-1", ("LAMP", 20))
        other = Location.objects.create(warehouse=world.main, code="B-01")
        put_stock(world.lamp, other, 50)

        count(sheet_of(location_codes=("A-01",)), MUG=100, LAMP=0)

        assert order.lines.get().reserved_quantity == 20
        assert [row.level.location for row in Reservation.objects.all()] == [other]

    def test_picks_of_an_order_that_gave_way_go_to_the_other_bin(self, world: World) -> None:
        let_pass(world, 1000)
        _order, [pick] = released("W-1", ("LAMP", 20))
        other = Location.objects.create(warehouse=world.main, code="B-01")
        put_stock(world.lamp, other, 50)

        count(sheet_of(location_codes=("A-01",)), MUG=100, LAMP=0)

        pick.refresh_from_db()
        waiting = Task.objects.get(kind="pick", state="open")
        assert (pick.state, waiting.from_location, waiting.quantity) == ("cancelled", other, 20)

    def test_a_closed_bin_with_more_in_it_than_expected_waits_for_a_person(self, world: World) -> None:
        sheet = sheet_of()
        Location.objects.filter(pk=world.shelf.pk).update(is_active=False)

        sheet = count(sheet, MUG=101, LAMP=20)

        assert sheet.status == "counted"
        with pytest.raises(ValidationFailed) as error:
            approve_count(sheet.pk, now=NOW, actor=world.planner)
        assert error.value.items[0]["line"] == line_of(sheet, "MUG").line_number
        assert lies(world.mug, world.shelf) == (100, 0)

    def test_cancelling_books_nothing_and_frees_the_levels_for_another_sheet(self, world: World) -> None:
        sheet = sheet_of()
        count(sheet, MUG=1)

        assert cancel_count(sheet.pk, now=NOW).status == "cancelled"

        assert lies(world.mug, world.shelf) == (100, 0)
        assert sheet_of(key="D").lines.count() == 2
        for call in (cancel_count, approve_count, recount):
            with pytest.raises(Conflict):
                call(sheet.pk, now=NOW)

    def test_a_file_of_counts_leaves_alone_what_is_being_counted(self, world: World) -> None:
        sheet = sheet_of()
        count(sheet, MUG=98)

        rows = [CountedStock(1, "MUG", "MAIN", Decimal(98)), CountedStock(2, "LAMP", "MAIN", Decimal(19))]
        outcome = record_counts(rows, now=NOW)

        assert outcome.rejected == {1: f"it is being counted on {sheet.number}"}
        assert (outcome.adjusted, lies(world.lamp, world.shelf)) == (1, (19, 0))


class TestLargeVariances:
    """A mug costs 2.00: the 100.00 that pass are 50 mugs."""

    def first(self, world: World) -> CountSheet:
        return count(sheet_of(), MUG=20, LAMP=20, by=world.clerk)

    def test_it_is_counted_again_by_another_and_a_small_variance_then_posts_itself(self, world: World) -> None:
        sheet, second = self.first(world), make_user("cora", "Warehouse clerk")

        assert sheet.status == "recount"
        line = line_of(sheet, "MUG")
        assert (line.needs_recount, line.first_count, line.counted_quantity) == (True, 20, None)
        assert not line_of(sheet, "LAMP").needs_recount
        with pytest.raises(Conflict) as error:
            count(sheet, MUG=99, by=world.clerk)
        assert error.value.code == "same_counter"
        sheet = count(sheet, MUG=99, by=second)

        assert sheet.status == "posted"
        line.refresh_from_db()
        assert (line.first_count, line.counted_quantity, line.counted_by) == (20, 99, second)
        assert lies(world.mug, world.shelf) == (99, 0)

    def test_still_large_it_waits_and_is_approved_by_somebody_who_did_not_count(self, world: World) -> None:
        sheet, second = self.first(world), make_user("cora", "Warehouse clerk")
        sheet = count(sheet, MUG=22, by=second)
        assert sheet.status == "counted"
        assert line_of(sheet, "MUG").variance_value == Decimal("-156.0000")
        assert lies(world.mug, world.shelf) == (100, 0)

        for counter in (world.clerk, second):
            with pytest.raises(PermissionRefused):
                approve_count(sheet.pk, now=NOW, actor=counter)
        sheet = approve_count(sheet.pk, now=NOW, actor=world.planner)

        assert (sheet.status, sheet.approved_by, sheet.posted_at) == ("posted", world.planner, NOW)
        assert lies(world.mug, world.shelf) == (22, 0)
        assert worth_faults() == []
        with pytest.raises(Conflict):
            approve_count(sheet.pk, now=NOW, actor=world.planner)

    def test_a_line_that_was_right_is_not_counted_again(self, world: World) -> None:
        sheet = self.first(world)

        with pytest.raises(Conflict):
            count(sheet, LAMP=19, by=world.planner)

    def test_the_approver_can_have_it_counted_again(self, world: World) -> None:
        second, third = make_user("cora", "Warehouse clerk"), make_user("cleo", "Warehouse clerk")
        sheet = count(self.first(world), MUG=22, by=second)

        sheet = recount(sheet.pk, now=NOW, actor=world.planner)
        assert (sheet.status, line_of(sheet, "MUG").first_count) == ("recount", 20)
        with pytest.raises(Conflict):
            count(sheet, MUG=98, by=second)
        sheet = count(sheet, MUG=98, by=third)

        assert sheet.status == "posted"
        assert lies(world.mug, world.shelf) == (98, 0)
        with pytest.raises(Conflict):
            recount(sheet.pk, now=NOW, actor=world.planner)

    def test_units_that_left_meanwhile_make_the_approval_a_shortage_that_names_the_line(self, world: World) -> None:
        sheet = count(self.first(world), MUG=20, by=make_user("cora", "Warehouse clerk"))
        ship_order(order_of("W-1", ("MUG", 90)).pk, key="S", now=NOW)  # 80 were said to be gone

        with pytest.raises(InsufficientStock) as error:
            approve_count(sheet.pk, now=NOW, actor=world.planner)

        assert [(item["line"], item["short_by"]) for item in error.value.items] == [(2, "70")]
        assert lies(world.mug, world.shelf) == (10, 0)
        sheet.refresh_from_db()
        assert sheet.status == "counted"

    def test_stock_without_a_value_is_worth_its_unit_cost(self, world: World) -> None:
        sheet = sheet_of()
        add_found_line(sheet.pk, found("TEA", "A-01"), now=NOW)

        sheet = count(sheet, MUG=100, LAMP=20, TEA=51, by=world.clerk)

        assert sheet.status == "recount"
        assert line_of(sheet, "TEA").needs_recount
