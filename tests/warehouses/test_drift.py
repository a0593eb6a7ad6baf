"""What drifts is found, recorded once, and repaired by a person: never by the machine, and never on old figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from config.kernel.errors import Conflict, ValidationFailed
from monitoring.services.alerts import evaluate_alerts
from tests.cast import NOW, World, make_lot, put_stock
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.test_shipping_admin import press
from warehouses.models import (
    Cart,
    CostLayer,
    ReconcilerMark,
    Reservation,
    SalesOrderLine,
    StockBalance,
    StockDrift,
    StockLevel,
    StockMovement,
    StockValue,
    Transfer,
    TransferLine,
)
from warehouses.selectors.drift import Scope, find_drifts
from warehouses.services import reconciler
from warehouses.services.balance_audit import audit_one
from warehouses.services.balances import take_balance_sheet
from warehouses.services.reconciler import reconcile, reconcile_everything, record_drifts
from warehouses.services.repairs import apply_repair
from warehouses.services.sales import Sale, SaleLine, record_sale

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def order(world: World) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("LAMP", Decimal(4), Decimal(45))]), now=NOW)


@contextmanager
def the_pen() -> Iterator[Any]:
    """What somebody with the database's password and bad intentions can do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('entrepot.stock_writer', 'on', true)")
        yield cursor
        cursor.execute("SELECT set_config('entrepot.stock_writer', '', true)")


def tamper(model: Any, values: dict[str, Any], **where: Any) -> None:
    with the_pen():
        assert model.objects.filter(**where).update(**values) == 1


def forge(**values: Any) -> None:
    """A row of the ledger that no posting made."""
    with the_pen():
        StockMovement.objects.create(**values)


def found() -> list[tuple[str, dict[str, str], tuple[str, ...]]]:
    return [(str(drift.kind), dict(drift.figures), drift.ways) for drift in find_drifts()]


def open_drift(kind: str) -> StockDrift:
    reconcile_everything(NOW)
    return StockDrift.objects.get(kind=kind, state="open")


def audit() -> tuple[list[str], int]:
    out = StringIO()
    try:
        call_command("audit_stock", stdout=out)
    except SystemExit as end:
        return out.getvalue().splitlines(), int(end.code or 0)
    return out.getvalue().splitlines(), 0


# --- finding ---


def test_a_house_in_order_has_no_drift(world: World) -> None:
    assert find_drifts() == []
    assert audit() == (["Stock, ledger, reservations and worth agree."], 0)
    assert reconcile(NOW).open == 0


def test_a_level_that_left_its_ledger_is_found_and_with_it_the_value_of_its_units(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)

    assert found() == [
        ("level", {"on_hand": "99", "ledger_quantity": "100"}, ("follow_ledger", "follow_level")),
        (
            "value",
            {
                "quantity": "100",
                "level_quantity": "99",
                "layer_quantity": "100",
                "value": "200",
                "layer_value": "200",
            },
            ("follow_layers",),
        ),
    ]
    assert audit() == (
        [
            "level: MUG at MAIN/A-01: on hand 99, ledger quantity 100",
            "value: MUG in MAIN: quantity 100, level quantity 99, layer quantity 100, value 200, layer value 200",
            "2 figures and 0 rows of balance sheets drift.",
        ],
        1,
    )


def test_levels_of_the_same_place_are_told_apart_by_lot_and_status(world: World) -> None:
    lot = make_lot(world.tea, "L-1")
    put_stock(world.tea, world.shelf, 5, lot=lot)

    tamper(StockLevel, {"on_hand": 6}, sku=world.tea, lot=lot)

    [subject] = [drift.subject for drift in find_drifts() if drift.kind == "level"]
    assert subject == f"level:{world.tea.pk}:{world.shelf.pk}:{lot.pk}:available"


def test_reserved_units_without_reservations_drift_on_the_level_and_on_the_line(world: World) -> None:
    Reservation.objects.all().delete()

    assert [(kind, figures) for kind, figures, _ways in found()] == [
        ("reserved", {"reserved": "4", "reservation_quantity": "0"}),
        ("line", {"reserved": "4", "reservation_quantity": "0"}),
    ]


def test_a_line_of_a_transfer_and_of_a_held_cart_must_hold_what_they_say(world: World) -> None:
    transfer = Transfer.objects.create(
        number="TR-1", key="t", source=world.main, destination=world.north, created_at=NOW
    )
    TransferLine.objects.create(transfer=transfer, line_number=1, sku=world.mug, quantity=5, reserved_quantity=3)
    cart = Cart.objects.create(channel=world.web, external_id="C-1", expires_at=LATER)
    cart.lines.create(line_number=1, sku=world.mug, quantity=2)
    cart.lines.create(line_number=2, sku=world.tea, quantity=2, parts={str(world.lamp.pk): "3"})
    Cart.objects.create(channel=world.web, external_id="C-2", expires_at=LATER, state="ordered").lines.create(
        line_number=1, sku=world.mug, quantity=2
    )

    drifts = [(drift.facts["document"], drift.facts["sku"], drift.figures["reserved"]) for drift in find_drifts()]

    assert drifts == [("TR-1", "MUG", "3"), ("C-1", "MUG", "2"), ("C-1", "LAMP", "6")]


def test_a_kits_line_holds_nothing_itself(world: World) -> None:
    with the_pen():
        SalesOrderLine.objects.update(is_kit=True)

    assert [figures for _kind, figures, _ways in found()] == [{"reserved": "0", "reservation_quantity": "4"}]


def test_layers_value_and_ledger_are_compared(world: World) -> None:
    tamper(CostLayer, {"value": 7}, sku=world.mug, warehouse=world.main)
    tamper(StockValue, {"value": 99}, sku=world.lamp, warehouse=world.main)

    figures = [
        (kind, figures["value"], figures.get("layer_value", figures.get("ledger_value")))
        for kind, figures, _ in found()
    ]

    assert figures == [("value", "200", "7"), ("value", "99", "40"), ("ledger_value", "99", "40")]


def test_a_ledger_row_without_a_level_is_found(world: World) -> None:
    forge(kind="receipt", sku=world.tea, location=world.shelf, quantity=5, idempotency_key="forged", happened_at=NOW)

    assert found()[0][:2] == ("level", {"on_hand": "0", "ledger_quantity": "5"})


# --- recording ---


def test_a_drift_is_opened_once_seen_again_and_gone_when_it_is_over(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)

    first = reconcile_everything(NOW)
    second = reconcile_everything(LATER)
    tamper(StockLevel, {"on_hand": 100}, sku=world.mug, location=world.shelf)
    third = reconcile(LATER + timedelta(minutes=1))

    assert (first.new, second.new, third.gone) == (2, 0, 2)
    drift = StockDrift.objects.get(kind="level")
    assert (drift.found_at, drift.last_seen_at, drift.state) == (NOW, LATER, "gone")
    assert drift.ended_at == LATER + timedelta(minutes=1)


def test_what_was_not_looked_at_is_not_gone(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    reconcile_everything(NOW)

    record_drifts([], Scope(sku_ids=frozenset({world.lamp.pk})), LATER)
    record_drifts([], Scope(kinds=frozenset({"balance"})), LATER)

    assert set(StockDrift.objects.values_list("state", flat=True)) == {"open"}


def test_tampering_that_leaves_no_trace_of_time_is_found_within_half_a_day(world: World) -> None:
    reconcile(NOW)
    ReconcilerMark.objects.filter(name="touched").update(
        reached=NOW + timedelta(days=3650)
    )  # nothing counts as touched
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)

    runs, moment = 0, NOW
    while not StockDrift.objects.exists():
        moment += timedelta(minutes=25)
        reconcile(moment)
        runs += 1

    assert moment - NOW <= timedelta(minutes=reconciler.SLOTS)
    assert runs > 0


def test_after_a_long_pause_no_turn_is_left_out(world: World) -> None:
    ReconcilerMark.objects.create(name="turns", reached=NOW - timedelta(minutes=100))

    _until, slots = reconciler._next_turns(NOW)

    assert len(slots) == reconciler.MOST_SLOTS
    last = int(NOW.timestamp()) // 60 - 100
    assert slots[0] == (last + 1) % reconciler.SLOTS


def test_an_open_drift_is_an_alert_with_a_way_to_its_page(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")

    evaluate_alerts(now=NOW)

    from monitoring.models import Alert

    alert = Alert.objects.get(subject__startswith="drift:level:")
    assert alert.message == "MUG · MAIN/A-01: On hand 99, In the ledger 100"
    assert alert.link == f"/admin/warehouses/stockdrift/{drift.pk}/change/"


# --- repairing ---


def test_the_level_follows_the_ledger(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")

    repaired = apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert (repaired.state, repaired.actor, repaired.ended_at) == ("repaired", world.planner, LATER)
    assert repaired.facts["figures"] == {"on_hand": "99", "ledger_quantity": "100"}
    assert Decimal(repaired.facts["after"]["on_hand"]) == 100
    assert find_drifts() == []
    assert StockMovement.objects.filter(kind="adjustment").count() == 0


@pytest.mark.parametrize("on_hand", [97, 103])
def test_the_ledger_follows_the_level_by_an_adjustment_with_its_value(world: World, on_hand: int) -> None:
    tamper(StockLevel, {"on_hand": on_hand}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")

    apply_repair(drift.pk, actor=world.planner, now=LATER, way="follow_level")

    move = StockMovement.objects.get(kind="adjustment")
    assert (move.quantity, move.value, move.actor) == (on_hand - 100, 2 * (on_hand - 100), world.planner)
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).on_hand == on_hand
    assert find_drifts() == []


def test_a_repair_on_old_figures_is_refused_and_changes_nothing(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")
    put_stock(world.mug, world.shelf, 10)

    with pytest.raises(Conflict, match="Look again"):
        apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).on_hand == 109
    assert StockDrift.objects.get(pk=drift.pk).state == "open"


def test_a_drift_is_repaired_once_and_in_one_of_its_own_ways(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")

    with pytest.raises(ValidationFailed):
        apply_repair(drift.pk, actor=world.planner, now=LATER, way="follow_value")
    apply_repair(drift.pk, actor=world.planner, now=LATER)

    with pytest.raises(Conflict, match="ended already"):
        apply_repair(drift.pk, actor=world.planner, now=LATER)


def test_more_reserved_than_the_ledger_holds_is_no_repair(world: World) -> None:
    put_stock(world.tea, world.shelf, 2)
    tamper(StockLevel, {"on_hand": 9}, sku=world.tea, location=world.shelf)
    record_sale(Sale("WEB", "W-2", NOW, [SaleLine("TEA", Decimal(7), Decimal(5))]), now=NOW)
    drift = open_drift("level")

    with pytest.raises(Conflict, match="release orders first"):
        apply_repair(drift.pk, actor=world.planner, now=LATER)
    apply_repair(drift.pk, actor=world.planner, now=LATER, way="follow_level")

    assert find_drifts() == []
    level = StockLevel.objects.get(sku=world.tea)
    assert (level.on_hand, level.reserved) == (9, 7)


def test_a_forged_row_of_the_ledger_is_met_by_a_level_or_by_its_opposite(world: World) -> None:
    forge(kind="receipt", sku=world.tea, location=world.shelf, quantity=5, idempotency_key="forged", happened_at=NOW)
    drift = open_drift("level")

    apply_repair(drift.pk, actor=world.planner, now=LATER)
    apply_repair(open_drift("value").pk, actor=world.planner, now=LATER)

    assert find_drifts() == []
    pool = StockValue.objects.get(sku=world.tea)
    assert (pool.quantity, pool.value) == (5, 10)  # at the SKU's cost
    assert StockMovement.objects.get(kind="revaluation").value == 10


def test_reserved_units_follow_the_reservations(world: World) -> None:
    tamper(StockLevel, {"reserved": 9}, sku=world.lamp)
    drift = open_drift("reserved")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert StockLevel.objects.get(sku=world.lamp).reserved == 4
    assert find_drifts() == []


def test_more_reservations_than_units_are_let_go_the_newest_first(world: World) -> None:
    record_sale(Sale("WEB", "W-2", NOW, [SaleLine("LAMP", Decimal(5), Decimal(45))]), now=NOW)
    Reservation.objects.filter(line__order__external_id="W-2").update(quantity=30)
    SalesOrderLine.objects.filter(order__external_id="W-2").update(quantity=30, reserved_quantity=30)
    drift = open_drift("reserved")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    lines = dict(SalesOrderLine.objects.values_list("order__external_id", "reserved_quantity"))
    assert lines == {"W-1": 4, "W-2": 16}
    assert StockLevel.objects.get(sku=world.lamp).reserved == 20
    assert find_drifts() == []


def test_a_line_follows_its_reservations_and_lets_go_what_it_no_longer_waits_for(world: World) -> None:
    SalesOrderLine.objects.update(reserved_quantity=1, cancelled_quantity=2)
    drift = open_drift("line")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    line = SalesOrderLine.objects.get()
    assert (line.reserved_quantity, StockLevel.objects.get(sku=world.lamp).reserved) == (2, 2)
    assert find_drifts() == []


def test_a_cart_that_does_not_hold_what_it_says_is_released(world: World) -> None:
    cart = Cart.objects.create(channel=world.web, external_id="C-1", expires_at=LATER)
    line = cart.lines.create(line_number=1, sku=world.mug, quantity=5)
    level = StockLevel.objects.get(sku=world.mug, location=world.shelf)
    Reservation.objects.create(cart_line=line, level=level, quantity=3)
    tamper(StockLevel, {"reserved": 3}, pk=level.pk)
    drift = open_drift("line")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    cart.refresh_from_db()
    level.refresh_from_db()
    assert (cart.state, level.reserved, find_drifts()) == ("released", 0, [])


@pytest.mark.parametrize("values", [{"value": 7}, {"remaining": 60}, {"remaining": 130, "quantity": 130}])
def test_pool_and_layers_are_brought_in_line_with_what_lies_there(world: World, values: dict[str, int]) -> None:
    tamper(CostLayer, values, sku=world.mug, warehouse=world.main)
    drift = open_drift("value")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert find_drifts() == []
    assert StockValue.objects.get(sku=world.mug, warehouse=world.main).quantity == 100


def test_the_ledger_takes_on_the_value_by_a_revaluation(world: World) -> None:
    forge(
        kind="revaluation",
        sku=world.mug,
        location=world.shelf,
        quantity=0,
        value=9,
        idempotency_key="f",
        happened_at=NOW,
    )
    drift = open_drift("ledger_value")

    apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert StockMovement.objects.get(reference=f"drift {drift.pk}").value == -9
    assert find_drifts() == []


# --- pages and API ---


def test_a_planner_sees_the_figures_the_movements_and_the_buttons_and_repairs(world: World) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift, planner = open_drift("level"), enter(world.planner)

    listed = planner.get("/admin/warehouses/stockdrift/").content.decode()
    page = planner.get(f"/admin/warehouses/stockdrift/{drift.pk}/change/").content.decode()
    answer = press(planner, drift, "follow-ledger")

    assert "MUG · MAIN/A-01" in listed
    assert "Set the level to what the ledger says" in page
    assert "The movements behind it" in page
    assert "Opening stock" in page
    assert said(answer) == ["Repaired. What was found and who repaired it stays here."]
    after = planner.get(f"/admin/warehouses/stockdrift/{drift.pk}/change/").content.decode()
    assert "On hand afterwards" in after
    assert "/do/follow-ledger/" not in after


def test_a_viewer_looks_and_cannot_repair(world: World, api: Any) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift = open_drift("level")

    page = enter(world.viewer).get(f"/admin/warehouses/stockdrift/{drift.pk}/change/").content.decode()

    assert "/do/follow-ledger/" not in page
    assert press(enter(world.viewer), drift, "follow-ledger").status_code == 403
    assert api(world.viewer).post(f"/api/v1/stock-drifts/{drift.pk}/repair/", {}, format="json").status_code == 403
    assert StockLevel.objects.get(sku=world.mug, location=world.shelf).on_hand == 99


def test_the_api_lists_drifts_and_repairs_once(world: World, api: Any) -> None:
    tamper(StockLevel, {"on_hand": 99}, sku=world.mug, location=world.shelf)
    drift, planner = open_drift("level"), api(world.planner)

    [row] = planner.get("/api/v1/stock-drifts/?kind=level&state=open").json()["results"]
    body = {"way": "follow_level"}
    answers = [
        planner.post(f"/api/v1/stock-drifts/{drift.pk}/repair/", body, format="json", HTTP_IDEMPOTENCY_KEY="repair-1")
        for _ in range(2)
    ]

    assert row["facts"]["figures"] == {"on_hand": "99", "ledger_quantity": "100"}
    assert row["ways"] == ["follow_ledger", "follow_level"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["state"] == "repaired"
    assert StockMovement.objects.filter(kind="adjustment").count() == 1


def test_a_balance_sheet_that_left_the_ledger_is_taken_again(world: World) -> None:
    sheet = take_balance_sheet("happened", NOW, now=LATER)
    StockBalance.objects.create(sheet=sheet, sku=world.tea, warehouse=world.main, quantity=5, value=5)
    audit_one(sheet.pk, now=LATER)
    drift = StockDrift.objects.get(kind="balance")

    assert audit()[1] == 1
    apply_repair(drift.pk, actor=world.planner, now=LATER)

    assert StockDrift.objects.get(pk=drift.pk).state == "repaired"
    assert audit()[1] == 0
