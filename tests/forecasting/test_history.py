"""Orders become daily demand: net of what was called off or came back, on the order's day in the shop's calendar."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.models import Channel
from config.kernel.errors import ValidationFailed
from forecasting.models import DemandHistory
from forecasting.services.history import refresh_demand
from tests.cast import NOW, World
from tests.warehouses.importing_files import line, rows_touched, sales_csv, take
from tests.warehouses.selling import make_kit, sell
from warehouses.models import SalesOrder
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale

pytestmark = pytest.mark.django_db


def demand() -> list[tuple[str, date, Decimal, Decimal, Decimal, Decimal, int]]:
    return list(
        DemandHistory.objects.order_by("sku__code", "day").values_list(
            "sku__code", "day", "quantity", "ordered", "cancelled", "returned", "orders"
        )
    )


def test_demand_is_what_was_ordered_less_what_was_called_off_or_came_back_on_the_day_of_the_order(
    tmp_path: Path,
) -> None:
    take(
        sales_csv(
            tmp_path,
            line("1", quantity=10),
            line("2", quantity=5),
            line("C3", quantity=-5, at="2025-12-01 09:00"),
            line("C4", quantity=-3, at="2026-01-15 09:00"),
            line("5", quantity=7, at="2025-12-03 10:00", customer="99"),
        )
    )

    assert refresh_demand() == 2
    assert demand() == [
        ("85123A", date(2025, 12, 1), 7, 15, 5, 3, 2),
        ("85123A", date(2025, 12, 3), 7, 7, 0, 0, 1),
    ]


def test_a_second_refresh_writes_nothing(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line("1"), line("2", at="2025-12-03")))
    refresh_demand()
    before = rows_touched()

    assert refresh_demand() == 0
    assert rows_touched() == before


def test_only_the_rows_that_changed_are_written(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line("1"), line("2", at="2025-12-03"), line("3", at="2025-12-04", sku="22752")))
    refresh_demand()
    take(sales_csv(tmp_path, line("4"), line("5", at="2025-12-09"), name="next.csv"))
    SalesOrder.objects.get(external_id="2").delete()

    assert refresh_demand() == 3
    assert [(sku, day.day, units) for sku, day, units, *_ in demand()] == [
        ("22752", 4, 6),
        ("85123A", 1, 12),
        ("85123A", 9, 6),
    ]


def test_live_orders_count_like_imported_ones(world: World) -> None:
    record_sale(Sale("WEB", "W-1", NOW, [SaleLine("MUG", Decimal(3), Decimal(9))]), now=NOW)
    gone, _new = record_sale(Sale("WEB", "W-2", NOW, [SaleLine("MUG", Decimal(4), Decimal(9))]), now=NOW)
    cancel_order(gone.pk, now=NOW + timedelta(hours=1))

    refresh_demand()

    assert demand() == [("MUG", NOW.date(), 3, 7, 4, 0, 2)]


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/London", datetime(2025, 3, 29, 23, 59, tzinfo=UTC), date(2025, 3, 29)),
        ("Europe/London", datetime(2025, 3, 30, 0, 0, tzinfo=UTC), date(2025, 3, 30)),
        ("Europe/London", datetime(2025, 3, 30, 22, 59, tzinfo=UTC), date(2025, 3, 30)),  # a day of 23 hours
        ("Europe/London", datetime(2025, 3, 30, 23, 0, tzinfo=UTC), date(2025, 3, 31)),
        ("Europe/London", datetime(2025, 10, 25, 23, 0, tzinfo=UTC), date(2025, 10, 26)),
        ("Europe/London", datetime(2025, 10, 26, 23, 59, tzinfo=UTC), date(2025, 10, 26)),  # a day of 25 hours
        ("Asia/Tokyo", datetime(2025, 6, 1, 15, 0, tzinfo=UTC), date(2025, 6, 2)),
        ("America/Los_Angeles", datetime(2025, 6, 2, 6, 59, tzinfo=UTC), date(2025, 6, 1)),
    ],
)
def test_the_day_ends_at_midnight_of_the_channels_own_clock(world: World, zone: str, at: datetime, day: date) -> None:
    Channel.objects.filter(code="WEB").update(time_zone=zone)
    record_sale(Sale("WEB", "W-1", at, [SaleLine("MUG", Decimal(1), Decimal(9))]), now=NOW)

    refresh_demand()

    assert DemandHistory.objects.get().day == day


def test_moving_a_channel_to_another_time_zone_moves_its_days(world: World) -> None:
    Channel.objects.filter(code="WEB").update(time_zone="UTC")
    at = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)
    record_sale(Sale("WEB", "W-1", at, [SaleLine("MUG", Decimal(1), Decimal(9))]), now=NOW)
    refresh_demand()

    Channel.objects.filter(code="WEB").update(time_zone="Europe/London")

    assert refresh_demand() == 2
    assert DemandHistory.objects.get().day == date(2025, 6, 2)


def test_a_channel_without_a_real_time_zone_is_named(world: World) -> None:
    Channel.objects.filter(code="WEB").update(time_zone="Mars/Olympus")

    with pytest.raises(ValidationFailed, match=r"No such time zone: WEB: Mars/Olympus\."):
        refresh_demand()


def test_of_a_kit_the_parts_are_asked_for_and_the_kit_itself_is_not(world: World) -> None:
    make_kit("GIFT", (world.mug, 2), (world.lamp, 1))
    order = sell(("GIFT", 3), ("MUG", 1))
    cancel_order(order.pk, now=NOW, quantities={1: Decimal(1)})

    refresh_demand()

    asked = DemandHistory.objects.order_by("sku__code").values_list("sku__code", "quantity", "ordered", "cancelled")
    assert list(asked) == [("LAMP", 2, 3, 1), ("MUG", 5, 7, 2)]
