"""A stock level put right on its page, and the movements it sums up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, World, make_lot, put_stock
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.test_shipping_admin import press
from warehouses.admin.level_page import reason_in_words
from warehouses.models import StockLevel, StockMovement
from warehouses.services.adjustments import adjust_stock


def mugs(world: World) -> StockLevel:
    return StockLevel.objects.get(sku=world.mug, location=world.shelf)


def page(user: Any, level: StockLevel) -> str:
    response = enter(user).get(f"/admin/warehouses/stocklevel/{level.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def form(**more: str) -> dict[str, str]:
    return {"quantity": "-3", "reason": "damaged", "note": "fell off the shelf", "key": "admin:form-1", **more}


def test_three_are_taken_off_once_however_often_the_button_is_pressed(world: World) -> None:
    level, clerk = mugs(world), enter(world.clerk)

    first, second = press(clerk, level, "adjust", **form()), press(clerk, level, "adjust", **form())

    movement = StockMovement.objects.get(kind="adjustment")
    assert mugs(world).on_hand == 97
    assert (movement.quantity, movement.reason, movement.actor) == (
        Decimal(-3),
        "damaged: fell off the shelf",
        world.clerk,
    )
    assert said(first) == ["Adjusted by −3."]
    assert said(second)[-1] == "This adjustment had been booked already."


def test_the_same_form_with_another_quantity_is_refused(world: World) -> None:
    level, clerk = mugs(world), enter(world.clerk)
    press(clerk, level, "adjust", **form())

    press(clerk, level, "adjust", **form(quantity="-4"))

    assert mugs(world).on_hand == 97


def test_the_lot_of_the_level_is_the_one_adjusted(world: World) -> None:
    lot = make_lot(world.mug, "L-1")
    level = put_stock(world.mug, world.shelf, 10, lot=lot)

    press(enter(world.clerk), level, "adjust", **form(quantity="2"))

    level.refresh_from_db()
    assert (level.on_hand, StockMovement.objects.get(kind="adjustment").lot) == (12, lot)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"quantity": ""}, "Enter how many"),
        ({"quantity": "0"}, "The stock cannot be adjusted."),
        ({"quantity": "three"}, "“three” is not a number."),
        ({"quantity": "-101"}, "MUG"),
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "stolen"}, "Choose a reason."),
        ({"reason": "other", "note": "  "}, "“Other” needs a note"),
        ({"note": "x" * 200}, "The stock cannot be adjusted."),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_booked(world: World, wrong: dict[str, str], told: str) -> None:
    response = press(enter(world.clerk), mugs(world), "adjust", **form(**wrong))

    assert told in " ".join(said(response))
    assert not StockMovement.objects.filter(kind="adjustment").exists()


@pytest.mark.parametrize("role", ["planner", "viewer"])
def test_others_see_the_level_but_may_not_adjust_it(world: World, role: str) -> None:
    person, level = getattr(world, role), mugs(world)

    assert "Adjust the stock" not in page(person, level)
    assert press(enter(person), level, "adjust", **form()).status_code == 403
    assert mugs(world).on_hand == 100


def test_movements_are_listed_with_what_lay_there_after_each(world: World) -> None:
    for n, (quantity, reason) in enumerate([(-3, "damaged: wet"), (8, "found")]):
        adjust_stock(
            sku_id=world.mug.pk, location_id=world.shelf.pk, quantity=Decimal(quantity), reason=reason,
            key=str(n), now=NOW + timedelta(hours=n), actor=world.clerk,
        )  # fmt: skip

    shown = page(world.viewer, mugs(world))

    rows = ['+8</td><td class="n">105<', '−3</td><td class="n">97<', '+100</td><td class="n">100<']
    places = [shown.index(row) for row in rows]
    assert places == sorted(places)
    assert "Damaged: wet" in shown


def test_the_page_costs_the_same_with_more_movements_and_shows_the_latest(world: World) -> None:
    for n in range(60):
        adjust_stock(
            sku_id=world.mug.pk, location_id=world.shelf.pk, quantity=Decimal(1), reason="found", key=str(n),
            now=NOW + timedelta(minutes=n), actor=world.clerk,
        )  # fmt: skip
    client, level = enter(world.clerk), mugs(world)

    with CaptureQueriesContext(connection) as queries:
        shown = client.get(f"/admin/warehouses/stocklevel/{level.pk}/change/").content.decode()

    assert len(queries) <= 13
    assert 'class="n">160<' in shown
    assert 'class="n">110<' not in shown
    assert ">Older<" in shown


@pytest.mark.parametrize(
    ("stored", "said_"),
    [("damaged", "Damaged"), ("found: behind it", "Found: behind it"), ("lost:", "Lost"), ("a:b", "a:b"), ("", "")],
)
def test_a_stored_reason_is_said_in_words(stored: str, said_: str) -> None:
    assert reason_in_words(stored) == said_
