"""What arrives with lots, in boxes or set aside; and what a large delivery costs."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import PackUnit
from config.kernel.errors import Conflict, ValidationFailed
from procurement.models import PurchaseOrder, PurchaseOrderLine, Receipt
from procurement.services.receipts import ReceivedLine, receive_goods
from tests.cast import NOW, World, make_lot, make_sku
from tests.concurrency.meet import failures, run_concurrently
from tests.kernel.test_export_admin import enter
from tests.procurement.buying import confirmed_order, sent_order
from warehouses.models import Lot, StockLevel, StockMovement
from warehouses.selectors.stock import drifting_levels


def receive(world: World, order: PurchaseOrder, *rows: ReceivedLine, key: str = "K") -> Receipt:
    return receive_goods(order.pk, rows, key=key, actor=world.clerk, now=NOW)[0]


def stock(sku: Any) -> list[tuple[Any, ...]]:
    levels = StockLevel.objects.filter(sku=sku, on_hand__gt=0, location__kind__in=["receiving", "quarantine"])
    return sorted(levels.values_list("location__code", "lot__code", "status", "on_hand"), key=str)


@pytest.mark.django_db
def test_a_line_arrives_in_two_lots_and_some_of_it_is_set_aside(world: World) -> None:
    order = confirmed_order(world)
    mugs = order.lines.get().pk

    receipt = receive(
        world,
        order,
        ReceivedLine(mugs, Decimal(40), "A", date(2027, 1, 31)),
        ReceivedLine(mugs, Decimal(50), "B", date(2027, 2, 28)),
        ReceivedLine(mugs, Decimal(10), "B", status="quarantine"),
    )

    assert stock(world.mug) == [
        ("DOCK", "A", "available", 40),
        ("DOCK", "B", "available", 50),
        ("HOLD", "B", "quarantine", 10),
    ]
    lot = Lot.objects.get(sku=world.mug, code="B")
    assert (lot.expires_on, lot.received_on) == (date(2027, 2, 28), NOW.date())
    assert receipt.lines.get().quantity == order.lines.get().received_quantity == 100
    assert drifting_levels() == []


@pytest.mark.django_db
def test_boxes_are_counted_in_units(world: World) -> None:
    PackUnit.objects.create(sku=world.mug, code="box", units=Decimal(12))
    order = confirmed_order(world)

    receive(world, order, ReceivedLine(order.lines.get().pk, Decimal(8), unit="box"))

    assert order.lines.get().received_quantity == 96


@pytest.mark.django_db
def test_every_fault_of_a_delivery_is_named_and_nothing_is_booked(world: World) -> None:
    make_lot(world.mug, "KNOWN", expires_on=date(2027, 1, 1))
    order = confirmed_order(world, lamps=6)
    mugs, lamps = (line.pk for line in order.lines.all())
    rows = [
        ReceivedLine(mugs, Decimal(1), "KNOWN", date(2027, 1, 2)),
        ReceivedLine(mugs, Decimal(1), "OLD", date(2026, 3, 1)),
        ReceivedLine(mugs, Decimal(1), unit="pallet"),
        ReceivedLine(mugs, Decimal(90), "X"),
        ReceivedLine(mugs, Decimal(20), "Y"),
        ReceivedLine(lamps, Decimal(1), expires_on=date(2027, 1, 1)),
        ReceivedLine(lamps, Decimal(2), status="lost"),
    ]

    with pytest.raises(ValidationFailed) as refused:
        receive(world, order, *rows)

    assert [item["message"] for item in refused.value.items] == [
        "line 1 MUG: lot KNOWN is known to expire on 2027-01-01",
        "line 1 MUG: lot OLD expired on 2026-03-01; take it into quarantine or leave it",
        "line 1 MUG: it is not kept in “pallet”",
        "line 1 MUG: ordered 100, received 0, tolerance 0 %, at most 100 more; 110 given",
        "line 2 LAMP: a day it expires needs a lot",
        "line 2 LAMP: there is no status lost",
    ]
    assert not Receipt.objects.exists()
    assert Lot.objects.count() == 1


@pytest.mark.django_db
def test_an_expired_lot_may_be_taken_into_quarantine(world: World) -> None:
    order = confirmed_order(world)
    row = ReceivedLine(order.lines.get().pk, Decimal(5), "OLD", date(2026, 3, 1), status="quarantine")

    receive(world, order, row)

    assert stock(world.mug) == [("HOLD", "OLD", "quarantine", 5)]


@pytest.mark.django_db
def test_the_same_key_with_another_lot_is_refused(world: World) -> None:
    order = confirmed_order(world)
    mugs = order.lines.get().pk
    first = receive(world, order, ReceivedLine(mugs, Decimal(5), "A"))

    assert receive(world, order, ReceivedLine(mugs, Decimal(5), "A")) == first
    with pytest.raises(Conflict):
        receive(world, order, ReceivedLine(mugs, Decimal(5), "B"))


def order_of(world: World, count: int) -> PurchaseOrder:
    order = sent_order(world)
    skus = [make_sku(f"S{n}") for n in range(count - 1)]
    PurchaseOrderLine.objects.bulk_create(
        [
            PurchaseOrderLine(
                order=order,
                line_number=n,
                sku=sku,
                quantity=10,
                original_quantity=10,
                unit_cost=2,
                need_by=NOW.date(),
            )
            for n, sku in enumerate(skus, start=2)
        ]
    )
    return order


@pytest.mark.django_db
@pytest.mark.parametrize("with_lots", [False, True])
def test_a_receipt_of_100_lines_takes_at_most_25_statements(world: World, with_lots: bool) -> None:
    order = order_of(world, 100)
    rows = [ReceivedLine(line.pk, line.quantity, f"L{line.pk}" if with_lots else "") for line in order.lines.all()]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        receive(world, order, *rows)

    assert len(queries) <= 25, "\n".join(query["sql"][:200] for query in queries)
    assert StockMovement.objects.filter(kind="receipt").count() == 100


@pytest.mark.django_db(transaction=True)
def test_eight_clerks_who_receive_eighty_of_ten_ordered_at_once_take_in_ten(world: World) -> None:
    """InvenTree takes in all eighty (measured; see the issue)."""
    order = sent_order(world, mugs=10)
    row = ReceivedLine(order.lines.get().pk, Decimal(10))

    results = run_concurrently(
        [partial(receive_goods, order.pk, [row], key=f"K-{n}", actor=world.clerk, now=NOW) for n in range(8)]
    )

    # Whoever comes second finds the order received.
    assert [type(result) for result in failures(results)] == [Conflict] * 7
    assert StockLevel.objects.get(sku=world.mug, location=world.receiving).on_hand == 10
    assert drifting_levels() == []


@pytest.mark.django_db
def test_a_delivery_with_lots_over_the_api(world: World, api: Any) -> None:
    order = confirmed_order(world)
    line = order.lines.get().pk
    rows = [
        {"line_id": line, "quantity": "40", "lot": "A", "expires_on": "2099-01-31"},
        {"line_id": line, "quantity": "2", "lot": "A", "status": "damaged"},
    ]
    body = {"order": order.number, "lines": rows}

    made = api(world.clerk).post("/api/v1/receipts/", body, format="json")

    assert (made.status_code, made.json()["lines"][0]["quantity"]) == (201, "42")
    assert stock(world.mug) == [("DOCK", "A", "available", 40), ("HOLD", "A", "damaged", 2)]


@pytest.mark.django_db
def test_a_delivery_with_lots_in_the_form_of_the_order(world: World) -> None:
    order, clerk = confirmed_order(world), enter(world.clerk)
    line = order.lines.get().pk
    form = {
        f"received-{line}": ["60", "5"],
        f"lot-{line}": ["A", "B"],
        f"expires-{line}": ["2099-01-31", ""],
        f"status-{line}": ["available", "quarantine"],
        "key": "admin:form-1",
    }

    clerk.post(f"/admin/procurement/purchaseorder/{order.pk}/do/receive/", form)

    assert stock(world.mug) == [("DOCK", "A", "available", 60), ("HOLD", "B", "quarantine", 5)]
    page = clerk.get(f"/admin/procurement/receipt/{Receipt.objects.get().pk}/change/").content.decode()
    assert "Into stock" in page
    assert "2099-01-31" in page
