"""The one writer of stock: what is posted, what is refused, and that nobody changes the ledger afterwards."""

from decimal import Decimal

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Conflict, InsufficientStock, ValidationFailed
from tests.cast import NOW, World, make_lot, put_stock
from warehouses.models import StockLevel, StockMovement
from warehouses.models.stock import WRITER
from warehouses.selectors.stock import Position, drifting_levels, stock_positions
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db


def move(sku, location, quantity, key, *, kind="adjustment", **more) -> Move:
    return Move(kind, sku.pk, location.pk, Decimal(quantity), key, **more)


def on_hand(sku, location) -> Decimal:
    return StockLevel.objects.get(sku=sku, location=location, lot=None).on_hand


def test_a_posting_writes_the_ledger_and_moves_the_levels(world: World) -> None:
    rows = post_movements(
        [move(world.mug, world.shelf, 7, "a"), move(world.lamp, world.shelf, "-2.5", "b", reason="lost")],
        happened_at=NOW,
        actor=world.clerk,
    )

    assert [(row.sku, row.quantity, row.reason, row.actor, row.happened_at) for row in rows] == [
        (world.mug, 7, "", world.clerk, NOW),
        (world.lamp, Decimal("-2.5"), "lost", world.clerk, NOW),
    ]
    assert on_hand(world.mug, world.shelf) == 107
    assert on_hand(world.lamp, world.shelf) == Decimal("17.5")


def test_moves_of_one_level_are_summed_before_the_check(world: World) -> None:
    post_movements(
        [move(world.lamp, world.shelf, -25, "out"), move(world.lamp, world.shelf, 10, "in")], happened_at=NOW
    )

    assert on_hand(world.lamp, world.shelf) == 5


def test_a_level_is_made_by_its_first_movement(world: World) -> None:
    lot = make_lot(world.tea, "T-1")

    post_movements([move(world.tea, world.receiving, 6, "tea", lot_id=lot.pk)], happened_at=NOW)

    assert StockLevel.objects.get(sku=world.tea).on_hand == 6


def test_every_shortage_is_named_and_nothing_is_written(world: World) -> None:
    moves = [
        move(world.mug, world.shelf, -1, "fine"),
        move(world.lamp, world.shelf, -23, "lamp"),
        move(world.mug, world.north_shelf, "-40.5", "mug"),
    ]

    with pytest.raises(InsufficientStock) as refused:
        post_movements(moves, happened_at=NOW)

    assert sorted(
        (i["sku"], i["location"], i["requested"], i["available"], i["short_by"]) for i in refused.value.items
    ) == [
        ("LAMP", "MAIN/A-01", "23", "20", "3"),
        ("MUG", "NORTH/A-01", "40.5", "40", "0.5"),
    ]
    assert on_hand(world.mug, world.shelf) == 100
    assert not StockMovement.objects.filter(happened_at=NOW).exists()


def test_more_than_the_reservation_cannot_be_released(world: World) -> None:
    with pytest.raises(InsufficientStock) as refused:
        post_movements([move(world.lamp, world.shelf, -3, "s", release=Decimal(3))], happened_at=NOW)

    assert [(i["requested"], i["available"], i["short_by"]) for i in refused.value.items] == [("3", "0", "3")]


def test_the_same_key_is_posted_once(world: World) -> None:
    [first] = post_movements([move(world.mug, world.shelf, 5, "once")], happened_at=NOW)

    again = post_movements(
        [move(world.lamp, world.shelf, 1, "new"), move(world.mug, world.shelf, 5, "once")], happened_at=NOW
    )

    assert again[1] == first
    assert on_hand(world.mug, world.shelf) == 105
    assert on_hand(world.lamp, world.shelf) == 21


@pytest.mark.parametrize(
    "other",
    [{"quantity": 6}, {"kind": "scrap"}, {"location": "receiving"}, {"sku": "lamp"}],
    ids=["quantity", "kind", "location", "sku"],
)
def test_the_same_key_with_other_contents_is_a_conflict(world: World, other: dict) -> None:
    post_movements([move(world.mug, world.shelf, 5, "once")], happened_at=NOW)
    sku, location = getattr(world, other.get("sku", "mug")), getattr(world, other.get("location", "shelf"))

    with pytest.raises(Conflict) as refused:
        post_movements(
            [move(sku, location, other.get("quantity", 5), "once", kind=other.get("kind", "adjustment"))],
            happened_at=NOW,
        )

    assert refused.value.code == "idempotency_key_reused"
    assert on_hand(world.mug, world.shelf) == 105


def test_two_moves_of_one_posting_may_not_share_a_key(world: World) -> None:
    twins = [move(world.mug, world.shelf, 5, "k"), move(world.mug, world.shelf, 5, "k")]

    with pytest.raises(Conflict):
        post_movements(twins, happened_at=NOW)

    assert on_hand(world.mug, world.shelf) == 100


@pytest.mark.parametrize("quantity", ["0", "-0", "0.0005", "NaN", "Infinity", "100000000000"])
def test_a_quantity_that_cannot_be_kept_exactly_is_refused(world: World, quantity: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        post_movements([move(world.mug, world.shelf, quantity, "k")], happened_at=NOW)

    assert [(i["move"], i["field"]) for i in refused.value.items] == [(1, "quantity")]


def test_a_lot_of_another_sku_and_an_unknown_place_are_refused(world: World) -> None:
    lot = make_lot(world.tea, "T-1")

    with pytest.raises(ValidationFailed) as refused:
        post_movements(
            [
                move(world.mug, world.shelf, 1, "lot", lot_id=lot.pk),
                Move("receipt", world.mug.pk, 0, Decimal(1), "place"),
                Move("receipt", 0, world.shelf.pk, Decimal(1), "sku"),
            ],
            happened_at=NOW,
        )

    assert len(refused.value.items) == 3
    assert StockLevel.objects.count() == 3


def test_a_posting_of_receipts_takes_four_statements_however_long_it_is(world: World) -> None:
    moves = [move(world.mug, world.shelf, 1, f"k{n}") for n in range(400)] + [move(world.tea, world.shelf, 1, "tea")]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        post_movements(moves, happened_at=NOW)

    assert len(queries) == 4


def test_levels_are_locked_in_primary_key_order_before_they_are_written(world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        post_movements([move(world.lamp, world.shelf, 1, "b"), move(world.mug, world.shelf, 1, "a")], happened_at=NOW)

    said = [query["sql"] for query in queries]
    [lock] = [n for n, sql in enumerate(said) if "ORDER BY level.id FOR NO KEY UPDATE OF level" in sql]
    [write] = [n for n, sql in enumerate(said) if "UPDATE warehouses_stocklevel" in sql]
    assert lock < write


@pytest.mark.parametrize(
    "change",
    [
        lambda row: StockMovement.objects.filter(pk=row.pk).update(quantity=1),
        lambda row: StockMovement.objects.filter(pk=row.pk).delete(),
        lambda row: row.delete(),
        lambda row: connection.cursor().execute("UPDATE warehouses_stockmovement SET reason = 'x'"),
        lambda row: connection.cursor().execute("DELETE FROM warehouses_stockmovement"),
        lambda row: connection.cursor().execute(
            "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL entrepot.truncate_allowed = 'off';"
            "TRUNCATE warehouses_stockmovement CASCADE"
        ),
    ],
    ids=["ORM update", "ORM delete", "instance delete", "SQL update", "SQL delete", "SQL truncate"],
)
def test_the_ledger_is_append_only(world: World, change) -> None:
    row = StockMovement.objects.get(sku=world.lamp)
    with connection.cursor() as cursor:  # a layer that points at the row would protect it before the trigger is asked
        cursor.execute("SELECT set_config(%s, 'on', true)", [WRITER])
        cursor.execute("DELETE FROM warehouses_costlayer")

    with pytest.raises(Error, match=r"Cannot update or delete rows|never emptied"), transaction.atomic():
        change(row)

    row.refresh_from_db()
    assert (row.quantity, row.reason) == (20, "")


@pytest.mark.parametrize("fields", ["on_hand = -1", "reserved = on_hand + 1", "reserved = -1"])
def test_the_database_refuses_impossible_levels(world: World, fields: str) -> None:
    with pytest.raises(Error, match="stock_level_"), transaction.atomic():
        connection.cursor().execute(f"UPDATE warehouses_stocklevel SET {fields}")  # noqa: S608


def test_positions_tell_on_hand_usable_and_available_apart(world: World) -> None:
    fresh, old = make_lot(world.tea, "NEW"), make_lot(world.tea, "OLD", expires_on=NOW.date().replace(day=1))
    put_stock(world.tea, world.shelf, 5, lot=fresh)
    put_stock(world.tea, world.shelf, 3, lot=old)
    put_stock(world.tea, world.receiving, 2)
    put_stock(world.tea, world.quarantine, 4)
    StockLevel.objects.filter(sku=world.tea, lot=fresh).update(reserved=1)

    everything, today = stock_positions(), stock_positions([world.tea.pk], today=NOW.date())

    assert everything[world.mug.pk, world.main.pk] == Position(Decimal(100), Decimal(100), Decimal(0))
    assert everything[world.tea.pk, world.main.pk] == Position(Decimal(14), Decimal(10), Decimal(1))
    assert everything[world.tea.pk, world.main.pk].available == 9
    assert today == {(world.tea.pk, world.main.pk): Position(Decimal(14), Decimal(7), Decimal(1))}


def test_levels_equal_the_ledger_after_all_of_it(world: World) -> None:
    post_movements([move(world.mug, world.shelf, -7, "a"), move(world.tea, world.shelf, 3, "b")], happened_at=NOW)

    assert drifting_levels() == []
