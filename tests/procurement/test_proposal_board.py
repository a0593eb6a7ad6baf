"""The proposals board: groups with their totals, the explanation in place, and what is decided without leaving it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel.charts import Point, curve_chart
from procurement.admin.board_actions import sums_of
from procurement.models import Proposal, PurchaseOrder
from procurement.services.stock_ahead import projected_stock
from tests.cast import NOW, World
from tests.cast import world as world
from tests.forecasting.looking_ahead import expect
from tests.procurement.buying import NEED_BY, make_proposal, make_run, sent_order

BOARD = "/admin/procurement/proposal/"
TODAY = NOW.date()


def enter(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="config.kernel.policy.RoleBackend")
    return client


def groups(client: Client, query: str = "") -> list[Any]:
    rows = client.get(BOARD + query).context["cl"].result_list
    return [row.group for row in rows if row.heads]


def decide(client: Client, verb: str, proposals: list[Proposal], **more: str) -> Any:
    ids = ",".join(str(one.pk) for one in proposals)
    return client.post(reverse("admin:procurement_proposal_board"), {"verb": verb, "ids": ids, **more})


def test_the_board_groups_by_supplier_and_says_how_far_each_order_is_from_its_limits(world: World) -> None:
    type(world.northwind).objects.filter(pk=world.northwind.pk).update(
        minimum_order_value=400, free_freight_from=1000, container_litres=200
    )
    type(world.mug).objects.filter(pk=world.mug.pk).update(volume_litres=2)
    make_proposal(world, world.mug, 50)  # at 4.00
    make_proposal(world, world.lamp, 15)  # at 20.00
    make_proposal(world, world.tea, 10)

    northwind, outsider = groups(enter(world.planner))

    assert (northwind.name, northwind.lines, northwind.value) == ("Northwind → MAIN", 2, Decimal(500))
    assert (northwind.to_minimum, northwind.to_free_freight, northwind.fill) == (Decimal(0), Decimal(500), 0.5)
    assert (outsider.lines, outsider.minimum_value, outsider.fill) == (1, None, None)


def test_the_totals_are_of_all_rows_that_the_filters_leave(world: World) -> None:
    make_proposal(world, world.mug, 50)
    make_proposal(world, world.mug, 10, warehouse=world.north)

    (only,) = groups(enter(world.planner), f"?warehouse__id__exact={world.north.pk}")

    assert (only.name, only.value) == ("Northwind → NORTH", Decimal(40))


def test_by_urgency_what_runs_out_before_the_order_arrives_comes_first(world: World) -> None:
    make_proposal(world, world.mug, 50, stockout_on=NEED_BY + timedelta(3))
    make_proposal(world, world.lamp, 15, stockout_on=NEED_BY)
    make_proposal(world, world.tea, 10)

    found = groups(enter(world.planner), "?group=urgency")

    assert [(group.key, group.lines) for group in found] == [("0", 1), ("1", 1), ("3", 1)]


def test_by_value_the_dearest_come_first(world: World) -> None:
    make_proposal(world, world.tea, 10)
    make_proposal(world, world.lamp, 60)  # 1,200

    found = groups(enter(world.planner), "?group=value")

    assert [(group.name, group.value) for group in found] == [
        ("1,000 to 5,000", Decimal(1200)),
        ("Below 200", Decimal(20)),
    ]


def test_a_page_of_many_costs_no_more_queries_than_one_of_few(world: World) -> None:
    client = enter(world.planner)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(BOARD).status_code == 200
        return len(seen)

    make_proposal(world, world.mug, 50)
    make_proposal(world, world.tea, 5)
    few = count()
    for sku in (world.mug, world.lamp, world.tea):
        make_proposal(world, sku, 20, warehouse=world.north)

    assert count() == few


def test_the_explanation_comes_in_place_and_adds_up(world: World) -> None:
    terms = {
        "on_hand": 30, "reserved": 5, "on_order": 10, "inventory_position": 35, "order_up_to_level": 80,
        "order_quantity": 50,
    }  # fmt: skip
    explanation = [{"code": code, "value": value} for code, value in terms.items()]
    proposal = make_proposal(world, world.mug, 60, explanation=explanation)

    rows = sums_of(proposal)
    answer = enter(world.viewer).get(reverse("admin:procurement_proposal_why", args=[proposal.pk]))

    assert [row["units"] for row in rows] == [30, -5, 10, 35, 80, -35, 5, 50, 10, 60]
    assert sum(row["units"] for row in rows[:3]) == rows[3]["units"]
    assert sum(row["units"] for row in rows[4:7]) == rows[7]["units"]
    assert b"How the quantity adds up" in answer.content
    assert b'data-do="split"' not in answer.content  # a viewer decides nothing


def test_stock_is_projected_day_by_day_with_and_without_the_order(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, per_day=10)
    sent_order(world, mugs=30)  # comes on the 14th day

    ahead = projected_stock(
        world.mug.pk, world.main.pk, run, today=TODAY, order=(Decimal(200), TODAY + timedelta(days=2))
    )

    assert ahead is not None
    assert ahead.without[:4] == [90, 80, 70, 60]
    assert ahead.with_order[:4] == [90, 80, 270, 260]
    assert ahead.empty_on == TODAY + timedelta(days=9)
    assert [(one.day, one.units) for one in ahead.arrivals] == [(NEED_BY, 30.0)]
    assert ahead.without[14] == 20
    assert all(low <= middle <= high for low, middle, high in zip(ahead.low, ahead.without, ahead.high, strict=True))


def test_nothing_is_projected_without_a_forecast(world: World) -> None:
    assert projected_stock(world.mug.pk, world.main.pk, make_run(), today=TODAY) is None


def test_accepting_on_the_board_takes_the_quantity_typed_and_keeps_the_filters(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)

    answer = decide(
        enter(world.planner), "accept", [proposal], next="?group=value", **{f"quantity-{proposal.pk}": "60"}
    )

    assert answer.headers["Location"] == BOARD + "?group=value"
    assert PurchaseOrder.objects.get().lines.get().quantity == Decimal(60)


def test_a_proposal_is_split_and_merged_again_on_the_board(world: World) -> None:
    planner, proposal = enter(world.planner), make_proposal(world, world.mug, 50, need_by=TODAY + timedelta(days=4000))
    decide(planner, "split", [proposal], split_quantity="20", need_by="2036-01-01")
    parts = list(Proposal.objects.filter(status="open").order_by("pk"))

    assert [(one.quantity, one.split_of_id) for one in parts] == [(Decimal(30), None), (Decimal(20), proposal.pk)]
    decide(planner, "merge", parts)
    assert Proposal.objects.get(status="open").quantity == Decimal(50)


def test_a_viewer_decides_nothing_and_no_other_address_is_led_to(world: World) -> None:
    proposal = make_proposal(world, world.mug, 50)

    refused = decide(enter(world.viewer), "dismiss", [proposal])
    led = decide(enter(world.planner), "dismiss", [proposal], next="https://elsewhere.example/")

    assert refused.status_code == 403
    assert led.headers["Location"] == BOARD
    assert Proposal.objects.get().status == "dismissed"


@pytest.mark.parametrize("verb", ["accept", "split", "merge"])
def test_a_wrong_request_is_told_and_changes_nothing(world: World, verb: str) -> None:
    proposal = make_proposal(world, world.mug, 50)

    decide(enter(world.planner), verb, [proposal], **{f"quantity-{proposal.pk}": "x", "split_quantity": ""})

    proposal.refresh_from_db()
    assert (proposal.status, proposal.quantity) == ("open", Decimal(50))


def test_the_curve_begins_its_axis_below_the_least_service() -> None:
    figure = curve_chart(
        [Point(100, 0.91, "a")], [Point(120, 0.95, "b")], title="t", x_name="x", y_name="y", curve_name="c"
    )

    assert (figure.shift, figure.highest) == (90, 10)
