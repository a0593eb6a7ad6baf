"""Lead times: learned from what came, used by the plan, and the supplier's days that lengthen the wait."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from procurement.models import LeadTimeProfile, PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine, SupplierClosure
from procurement.services import aims
from procurement.services.aims import planned_items, policy_source, protection_days_of
from procurement.services.lead_times import learn_lead_times
from procurement.services.order_days import first_order_day, review_days_between_orders
from tests.cast import NOW, World

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)


def delivered(world: World, *days: int, promised: int = 14) -> None:
    """Orders of mugs, each sent 100 days ago, that took so many days; a day of -1 has not come yet."""
    for n, taken in enumerate(days):
        sent = NOW - timedelta(days=100 + n)
        order = PurchaseOrder.objects.create(
            number=f"PO-L{PurchaseOrder.objects.count()}",
            supplier=world.northwind,
            warehouse=world.main,
            currency="GBP",
            status="sent" if taken < 0 else "received",
            sent_at=sent,
        )
        line = PurchaseOrderLine.objects.create(
            order=order,
            line_number=1,
            sku=world.mug,
            quantity=50,
            original_quantity=50,
            unit_cost=4,
            need_by=sent.date() + timedelta(promised),
            received_quantity=0 if taken < 0 else 50,
        )
        if taken >= 0:
            receipt = Receipt.objects.create(number=f"GR-L{order.pk}", order=order, received_at=sent + timedelta(taken))
            ReceiptLine.objects.create(receipt=receipt, order_line=line, quantity=50)


def test_many_deliveries_outweigh_what_the_supplier_states(world: World) -> None:
    delivered(world, *[30, 32, 28, 31, 29] * 8)

    learn_lead_times(NOW)

    profile = LeadTimeProfile.objects.get(supplier=world.northwind, sku=world.mug)
    assert profile.deliveries == 40
    assert profile.mean_days == pytest.approx(29, abs=1.5)
    assert profile.late_days == pytest.approx(16)
    assert profile.on_time_share == 0
    assert profile.p50_days < profile.mean_days + 1 < profile.p95_days + 1


def test_a_single_late_delivery_moves_the_mean_only_a_little(world: World) -> None:
    delivered(world, 40)

    learn_lead_times(NOW)

    mean = LeadTimeProfile.objects.get(supplier=world.northwind, sku=None).mean_days
    assert 14 < mean < 27


def test_the_plan_goes_by_what_was_learned_and_rounds_days_up(world: World) -> None:
    LeadTimeProfile.objects.create(
        supplier=world.northwind,
        deliveries=9,
        mean_days=17.2,
        sd_days=3.5,
        own_weight=1,
        p50_days=17,
        p95_days=24,
        learned_at=NOW,
    )

    planned = planned_items()[world.mug.pk, world.main.pk]

    assert (planned.promised_lead_time_days, planned.lead_time_days, planned.lead_time_sd_days) == (14, 18, 3.5)
    assert protection_days_of()[world.mug.pk, world.main.pk] == 18 + 7


def test_a_supplier_may_be_taken_at_its_word(world: World) -> None:
    delivered(world, *[30] * 10)
    learn_lead_times(NOW)
    world.northwind.uses_learned_lead_times = False
    world.northwind.save()

    assert planned_items()[world.mug.pk, world.main.pk].lead_time_days == 14


def test_learning_costs_the_same_queries_whatever_there_is_and_twice_changes_nothing(world: World) -> None:
    delivered(world, 20, 21)
    with CaptureQueriesContext(connection) as few:
        learn_lead_times(NOW)
    before = list(LeadTimeProfile.objects.order_by("pk").values_list("pk", "mean_days"))
    learn_lead_times(NOW)
    assert list(LeadTimeProfile.objects.order_by("pk").values_list("pk", "mean_days")) == before

    delivered(world, 20, 25, 30, -1, 22)
    with CaptureQueriesContext(connection) as many:
        learn_lead_times(NOW)

    assert len(many) == len(few)


def test_without_any_delivery_nothing_is_learned(world: World) -> None:
    assert learn_lead_times(NOW) == 0
    assert planned_items()[world.mug.pk, world.main.pk].lead_time_days == 14


@pytest.mark.parametrize(
    ("weekdays", "closures", "expected"),
    [("", [], 0), ("1", [], 0), ("4", [], 3), ("1", [(0, 0)], 7), ("", [(0, 4)], 5)],
)
def test_an_order_waits_for_the_suppliers_day(weekdays: str, closures: Any, expected: int) -> None:
    spans = [(MONDAY + timedelta(a), MONDAY + timedelta(b)) for a, b in closures]

    assert first_order_day(weekdays, spans, MONDAY) == MONDAY + timedelta(expected)


def test_the_wait_between_orders_keeps_to_the_suppliers_days() -> None:
    assert review_days_between_orders(2, "14", [], MONDAY) == 4
    assert review_days_between_orders(7, "1", [], MONDAY) == 7
    assert review_days_between_orders(8, "1", [], MONDAY) == 14
    closed = [(MONDAY + timedelta(7), MONDAY + timedelta(13))]
    assert review_days_between_orders(7, "1", closed, MONDAY) == 14


def test_a_closure_lengthens_what_stock_has_to_last_for(world: World) -> None:
    SupplierClosure.objects.create(
        supplier=world.northwind, name="Holidays", starts_on=MONDAY + timedelta(5), ends_on=MONDAY + timedelta(18)
    )

    planned = planned_items(today=MONDAY)[world.mug.pk, world.main.pk]

    assert (planned.review_days, planned.need_by(MONDAY)) == (19, MONDAY + timedelta(14))


def test_an_experiment_changes_the_policy_of_its_skus_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aims, "_policy_sources", [])
    policy_source(lambda _skus: {world.mug.pk: {"service_level": "0.9", "target": "fill_rate"}})

    planned = planned_items()

    mug, lamp = (planned[sku.pk, world.main.pk].policy for sku in (world.mug, world.lamp))
    assert (str(mug.service_level), mug.target) == ("0.9", "fill_rate")
    assert lamp.target == "cycle_service_level"
