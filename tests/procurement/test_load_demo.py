"""The demo company is in the database wholly and in agreement with itself, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Max, Min, Sum
from django.test import override_settings
from knox.auth import TokenAuthentication

from catalog.models import CalendarEvent, Channel, Listing, Sku
from config.kernel.numbers import next_number
from procurement.demo.loading import load
from procurement.demo.loading.answers import find_waiting, with_unanswered_orders
from procurement.demo.loading.sales import number_lines
from procurement.demo.world import DemoWorld, generate
from procurement.models import LineResponse, Policy, PurchaseOrder, PurchaseOrderLine, Supplier
from procurement.selectors import on_order_quantities
from procurement.services.receipts import ReceivedLine, receive_goods
from warehouses.models import (
    ChannelQuota,
    CostLayer,
    CountSheet,
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    SalesReturnLine,
    Shipment,
    StockLevel,
    StockMovement,
    StockValue,
    Transfer,
    TransferLine,
    Warehouse,
)
from warehouses.selectors.drift import find_drifts
from warehouses.selectors.stock import stock_positions
from warehouses.services.sales import ship_order

END_DAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def stocked():
    """The SKUs of the world; kits are made of them."""
    return Sku.objects.filter(is_kit=False)


@dataclass(frozen=True)
class Loaded:
    world: DemoWorld
    data_dir: Path
    said: str

    @property
    def credentials(self) -> dict:
        return json.loads((self.data_dir / "demo_credentials.json").read_text())


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Loaded]:
    """One load for all tests of this module, taken back at its end; every deferred constraint is checked.

    The database is empty but for an operator called "admin".
    """
    data_dir = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), override_settings(DATA_DIR=data_dir), transaction.atomic():
        get_user_model().objects.create_superuser("admin", "me@entrepot.example", "my own long password")
        out = StringIO()
        call_command("load_demo", end_day=END_DAY, today=TODAY, stdout=out)
        connection.check_constraints()
        yield Loaded(generate(7, END_DAY), data_dir, out.getvalue())
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_load_that_is_interrupted_leaves_nothing(monkeypatch, tmp_path):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "write_truth", lambda *args: 0)
    monkeypatch.setattr(load, "load_sales", interrupt)

    with override_settings(DATA_DIR=tmp_path), pytest.raises(KeyboardInterrupt):
        call_command("load_demo", end_day=END_DAY, today=TODAY, stdout=StringIO())

    assert load.is_empty()
    assert not get_user_model().objects.filter(username="planner").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_company_has_the_promised_size_and_two_years_of_sales(demo):
    counts = [model.objects.count() for model in (Warehouse, Channel, Supplier)] + [stocked().count()]

    span = SalesOrder.objects.aggregate(first=Min("ordered_at"), last=Max("ordered_at"))

    assert counts == [3, 3, 12, 300]
    assert (span["last"].date() - span["first"].date()).days in (730, 731)  # UTC days of local days
    assert span["last"].date() == END_DAY


def test_every_order_line_and_return_of_the_world_is_there(demo):
    tables = [SalesOrder, SalesOrderLine, SalesReturnLine, PurchaseOrder, PurchaseOrderLine]

    counts = [model.objects.count() for model in tables]

    world = demo.world
    parts = (world.orders, world.order_lines, world.returns, world.purchase_orders, world.purchase_lines)
    assert counts == [len(part) for part in parts]
    history = StockMovement.objects.filter(idempotency_key__regex=r"^demo:[0-9]+$")
    assert history.count() == len(world.movements) + np.count_nonzero(world.opening_stock)


def test_the_twelve_suppliers_differ_in_lead_time_and_all_offer_price_breaks(demo):
    suppliers = Supplier.objects.filter(items__price_breaks__isnull=False).distinct()

    assert suppliers.count() == 12
    assert len({supplier.lead_time_days for supplier in suppliers}) == 12
    assert all(supplier.lead_time_sd_days > 1 for supplier in suppliers)


def test_the_lead_time_deviation_is_the_one_that_the_receipts_show(demo):
    supplier = Supplier.objects.get(code="PNM")

    full = [
        order
        for order in supplier.orders.filter(status="received")
        if all(line.received_quantity >= line.original_quantity for line in order.lines.all())
    ]
    days = [
        (receipt.received_at.date() - order.sent_at.date()).days for order in full for receipt in order.receipts.all()
    ]

    assert supplier.lead_time_sd_days == Decimal(f"{np.std(days):.2f}")


def test_stock_ledger_reservations_and_worth_agree(demo):
    assert find_drifts() == []


def test_what_the_stock_is_worth_is_what_its_open_layers_cost(demo):
    total = StockValue.objects.aggregate(total=Sum("value"))["total"]

    assert total == StockMovement.objects.aggregate(total=Sum("value"))["total"]
    assert total == CostLayer.objects.aggregate(total=Sum("value"))["total"] > 100_000
    assert not CostLayer.objects.filter(remaining__gt=F("quantity")).exists()


def test_every_place_of_a_warehouse_stands_in_its_tree(demo):
    bins = Location.objects.filter(kind__in=["storage", "picking"], level="bin")

    assert bins.count() == 3 * 160
    assert not bins.exclude(parent__level="aisle", parent__parent__level="zone").exists()
    assert not StockLevel.objects.exclude(location__level="bin").exists()


def test_the_morning_finds_lots_kits_a_transfer_a_quota_and_a_count_sheet(demo):
    transfer = Transfer.objects.get()

    assert transfer.status == "in_transit"
    moving = StockLevel.objects.filter(location__kind="in_transit", location__warehouse=transfer.destination)
    assert sum(level.on_hand for level in moving) == sum(line.quantity for line in transfer.lines.all()) > 0
    assert Sku.objects.filter(is_kit=True).count() == 2
    assert not StockLevel.objects.filter(sku__is_kit=True).exists()
    assert StockLevel.objects.filter(lot__expires_on__gt=TODAY, on_hand__gt=0).exists()
    assert StockLevel.objects.filter(location__kind="picking", on_hand__gt=0).count() == 10
    assert ChannelQuota.objects.get().channel.kind == "wholesale"
    assert CountSheet.objects.get().lines.exists()


def test_stock_on_hand_is_what_the_world_ended_with_and_lies_only_where_it_is_kept(demo):
    codes = dict(Sku.objects.values_list("pk", "code"))
    places = dict(Warehouse.objects.values_list("pk", "code"))
    world = demo.world

    positions = {(codes[sku], places[at]): position for (sku, at), position in stock_positions().items()}

    sent = {line.sku.code: line.quantity for line in TransferLine.objects.select_related("sku")}  # from the first one
    for code, quantity in sent.items():
        assert positions[code, "LDS"].in_transit == quantity
        positions[code, "FXT"] = replace(positions[code, "FXT"], on_hand=positions[code, "FXT"].on_hand + quantity)
    expected = {
        (sku.code, warehouse.code): (int(world.on_hand[s, w]), int(world.reserved[s, w]))
        for s, sku in enumerate(world.skus)
        for w, warehouse in enumerate(world.warehouses)
        if world.ranged[s, w]
    }
    assert {key: (position.on_hand, position.reserved) for key, position in positions.items()} == expected
    assert all(position.usable == position.on_hand for (code, _), position in positions.items() if code not in sent)


def test_open_orders_hold_all_that_they_asked_for(demo):
    asked = SalesOrderLine.objects.filter(order__status__in=["reserved", "allocated"]).aggregate(total=Sum("quantity"))[
        "total"
    ]

    held = Reservation.objects.aggregate(total=Sum("quantity"))["total"]

    assert held == asked == int(demo.world.reserved.sum())
    assert StockLevel.objects.aggregate(total=Sum("reserved"))["total"] == held


def test_every_order_line_is_wholly_reserved_shipped_or_cancelled(demo):
    settled = F("reserved_quantity") + F("shipped_quantity") + F("cancelled_quantity")

    assert not SalesOrderLine.objects.exclude(quantity=settled).exists()
    assert set(SalesOrder.objects.values_list("status", flat=True)) == {
        "reserved",
        "allocated",
        "shipped",
        "cancelled",
    }
    assert not SalesOrder.objects.filter(is_history=True).exists()


def test_what_came_back_is_counted_on_its_order_line(demo):
    returned = SalesReturnLine.objects.aggregate(total=Sum("quantity"))["total"]

    assert returned == int(demo.world.returns["quantity"].sum())
    assert SalesOrderLine.objects.aggregate(total=Sum("returned_quantity"))["total"] == returned


def test_every_movement_names_the_document_behind_it(demo):
    shipped = set(Shipment.objects.values_list("number", flat=True))

    sales = set(StockMovement.objects.filter(kind="sale").values_list("reference", flat=True))
    receipts = set(StockMovement.objects.filter(kind="receipt").values_list("reference", flat=True))

    assert sales == shipped
    assert receipts == {f"GR-{number:06d}" for number in range(1, len(demo.world.receipts) + 1)}
    assert set(StockMovement.objects.filter(kind="adjustment").values_list("reason", flat=True)) == {"count"}
    assert StockMovement.objects.filter(kind="opening").aggregate(at=Max("happened_at"))["at"] == datetime(
        2024, 11, 22, tzinfo=UTC
    )


def test_on_order_is_what_the_world_still_expects(demo):
    codes = dict(Sku.objects.values_list("pk", "code"))
    places = dict(Warehouse.objects.values_list("pk", "code"))
    world = demo.world

    coming = {(codes[sku], places[at]): units for (sku, at), units in on_order_quantities().items() if units}

    assert coming == {
        (world.skus[s].code, world.warehouses[w].code): int(world.on_order[s, w])
        for s, w in zip(*np.nonzero(world.on_order), strict=True)
    }


def test_a_finished_purchase_order_has_nothing_outstanding_and_a_day_on_which_it_ended(demo):
    finished = PurchaseOrder.objects.filter(status="received")

    assert not finished.filter(lines__received_quantity__lt=F("lines__quantity")).exists()
    assert not finished.filter(closed_at=None).exists()
    assert not PurchaseOrder.objects.exclude(status__in=PurchaseOrder.DONE).exclude(closed_at=None).exists()


def test_no_purchase_order_is_answered_before_it_was_sent_or_ends_before_it_was_answered(demo):
    assert not PurchaseOrder.objects.filter(confirmed_at__lt=F("sent_at")).exists()
    assert not PurchaseOrder.objects.filter(closed_at__lt=F("confirmed_at")).exists()
    for order in PurchaseOrder.objects.prefetch_related("events").order_by("-pk")[:200]:
        told = [event.happened_at for event in order.events.all()]
        assert told == sorted(told), order.number


def test_two_changes_wait_for_the_planner(demo):
    waiting = LineResponse.objects.filter(decision="pending").order_by("pk")

    assert sorted(response.line.order.status for response in waiting) == ["confirmed", "sent"]
    assert {response.line.status for response in waiting} == {"change_proposed"}
    assert all(response.proposed_on > TODAY for response in waiting)
    assert {response.responded_by.supplier_membership.supplier_id for response in waiting} == {
        response.line.order.supplier_id for response in waiting
    }


def test_the_supplier_who_signs_in_has_an_order_to_answer(demo):
    user = get_user_model().objects.get(username=demo.credentials["supplier"]["username"])

    own = PurchaseOrder.objects.for_actor(user)
    unanswered = own.filter(status="sent").exclude(lines__status__in=["accepted", "change_proposed", "rejected"])

    assert set(own.values_list("supplier__name", flat=True)) == {demo.credentials["supplier"]["supplier"]}
    assert unanswered.exists()


def test_a_sku_past_its_last_day_is_discontinued_and_one_with_a_last_day_ahead_is_phasing_out(demo):
    statuses = {sku.code: sku.status for sku in stocked()}

    expected = {
        sku.code: "active"
        if sku.discontinued_on is None
        else ("discontinued" if sku.discontinued_on < TODAY else "phase_out")
        for sku in demo.world.skus
    }
    assert statuses == expected
    assert set(statuses.values()) == {"active", "phase_out", "discontinued"}


def test_every_sku_has_a_price_in_every_channel(demo):
    latest = {(s, c): pence for s, c, day, pence in demo.world.prices.tolist() if day <= END_DAY}

    prices = dict(Listing.objects.filter(channel__code="WEB", sku__is_kit=False).values_list("sku__code", "unit_price"))

    assert Listing.objects.filter(sku__is_kit=False).count() == 900
    assert prices == {sku.code: Decimal(latest[s, 0]) / 100 for s, sku in enumerate(demo.world.skus)}


def test_an_event_has_one_row_for_each_channel_and_category_it_names(demo):
    days = [(date(2025, 11, 28), date(2025, 12, 1))] * 12

    rows = CalendarEvent.objects.filter(name="Black Friday", starts_on__year=2025)

    assert list(rows.values_list("starts_on", "ends_on")) == days  # two channels, six categories
    assert set(rows.values_list("discount", flat=True)) == {Decimal("0.25")}


def test_the_aim_is_higher_for_fast_sellers_and_lower_for_slow_ones(demo):
    everywhere = Policy.objects.get(category=None, sku=None, warehouse=None)

    assert everywhere.service_level == Decimal("0.95")
    assert set(Policy.objects.exclude(sku=None).values_list("service_level", flat=True)) == {
        Decimal("0.98"),
        Decimal("0.90"),
    }
    assert not Policy.objects.filter(sku__status="discontinued").exists()


def test_every_warehouse_can_receive_store_take_back_and_hold(demo):
    kinds = {place.code: set(place.locations.values_list("kind", flat=True)) for place in Warehouse.objects.all()}

    assert kinds == {code: set(Location.Kind.values) for code in ("FXT", "LDS", "VEN")}


def test_a_second_load_is_refused_in_one_line_and_if_empty_does_nothing(demo):
    before = [model.objects.count() for model in (Sku, SalesOrder, StockMovement, get_user_model())]
    out = StringIO()

    with pytest.raises(CommandError, match=r"^The database is not empty; .*\.$") as refused:
        call_command("load_demo", stdout=StringIO())
    call_command("load_demo", if_empty=True, stdout=out)

    assert refused.value.returncode == 1
    assert out.getvalue() == "The database has its own data already; the demo company was not loaded.\n"
    assert [model.objects.count() for model in (Sku, SalesOrder, StockMovement, get_user_model())] == before


def test_the_passwords_and_the_token_of_the_credentials_file_work_and_only_its_owner_may_read_it(demo):
    file = demo.data_dir / "demo_credentials.json"
    users = get_user_model().objects

    people = {name: entry for name, entry in demo.credentials.items() if name != "token"}
    user, _token = TokenAuthentication().authenticate_credentials(demo.credentials["token"].encode())

    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(people) == ["admin", "clerk", "planner", "supplier", "viewer"]
    for entry in people.values():
        assert users.get(username=entry["username"]).check_password(entry["password"])
        assert entry["password"] not in demo.said
    assert user.username == "integration"
    assert set(users.filter(is_staff=True).values_list("username", flat=True)) == {
        "admin",
        "clerk",
        "demo-admin",
        "planner",
        "viewer",
    }


def test_a_user_who_is_there_already_keeps_name_and_password(demo):
    assert get_user_model().objects.get(username="admin").check_password("my own long password")
    assert demo.credentials["admin"]["username"] == "demo-admin"


def test_the_true_demand_is_kept_aside_and_not_in_the_database(demo):
    from pyarrow import parquet

    truth = parquet.read_table(demo.data_dir / "demo" / "true_demand.parquet").to_pandas()
    future = parquet.read_table(demo.data_dir / "demo" / "future_demand.parquet").to_pandas()
    sold = SalesOrderLine.objects.exclude(order__status="cancelled").aggregate(total=Sum("quantity"))["total"]

    assert list(truth.columns) == ["sku", "channel", "warehouse", "day", "true_demand", "served", "lost"]
    assert int(truth["served"].sum()) == sold < int(truth["true_demand"].sum()) == demo.world.true_demand.sum()
    assert (truth["true_demand"] - truth["served"] == truth["lost"]).all()
    assert truth["true_demand"].min() == 1
    assert (truth["day"].min(), truth["day"].max()) == (date(2024, 11, 22), END_DAY)
    assert future["true_demand"].sum() == demo.world.future_demand.sum()
    assert future["day"].min() == TODAY


def test_document_numbers_continue_after_the_highest(demo):
    world = demo.world
    shipped = int((world.orders["status"] == "shipped").sum())

    numbers = [
        next_number("procurement_order_number", "PO"),
        next_number("procurement_receipt_number", "GR"),
        next_number("warehouses_shipment_number", "SH"),
    ]

    assert numbers == [
        f"PO-{len(world.purchase_orders) + 1:06d}",
        f"GR-{len(world.receipts) + 1:06d}",
        f"SH-{shipped + 1:06d}",
    ]


def test_the_services_go_on_where_the_history_ends(demo):
    with transaction.atomic():
        order = SalesOrder.objects.filter(status="reserved").earliest("pk")
        line = PurchaseOrderLine.objects.filter(order__status="confirmed", status="accepted").latest("pk")

        ship_order(order.pk, key="first of today", now=NOON)
        receive_goods(line.order_id, [ReceivedLine(line.pk, line.quantity)], key="first of today", actor=None, now=NOON)

        assert find_drifts() == []
        assert SalesOrder.objects.get(pk=order.pk).status == "shipped"
        transaction.set_rollback(True)


def test_two_suppliers_have_an_order_to_answer_even_where_history_left_only_one():
    world = generate(7, date(2026, 12, 20))

    waiting = find_waiting(with_unanswered_orders(world))

    assert (world.purchase_orders["status"] == "sent").sum() == 1
    assert len(waiting.changes) == 2
    changed = world.purchase_lines["purchase_order"][[change.line for change in waiting.changes]]
    suppliers = world.purchase_orders["supplier"][[waiting.order, *changed]]
    assert len(set(suppliers.tolist())) == 3


def test_lines_are_numbered_anew_in_each_document():
    assert number_lines(np.array([7, 7, 9])).tolist() == [1, 2, 1]
