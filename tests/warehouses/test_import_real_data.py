"""The real file of a real shop, both years: every line counted, again adds nothing, and it can be planned."""

from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from forecasting.models import Forecast
from procurement.services.planning import queue_plan, run_plan
from tests.warehouses.importing_files import rows_touched, take
from warehouses.models import SalesOrder, SalesOrderLine

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_ii"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.django_db,
    pytest.mark.skipif(not REAL.is_dir(), reason="the real sales file is not there: ../shared/data/online_retail_ii"),
]

YEARS = ("online_retail_2009-2010.csv.gz", "online_retail_2010-2011.csv.gz")


def test_both_years_are_taken_once_every_line_is_accounted_for_and_the_whole_is_planned() -> None:
    first, second = (take(REAL / name, time_zone="Europe/London") for name in YEARS)

    assert first.counts == {
        "taken": 509_246,
        "returned.cancellation": 891,
        "returned.return": 6_942,
        "returned.unmatched": 1_748,
        "skipped.not_goods": 2_978,
        "skipped.bad_debt": 3,
        "skipped.write_off": 2_119,
        "skipped.give_away": 1_534,
    }
    assert second.counts == {
        "taken": 505_825,
        "returned.cancellation": 772,
        "returned.return": 7_215,
        "returned.unmatched": 405,
        "already_there": 22_245,
        "skipped.not_goods": 2_947,
        "skipped.bad_debt": 3,
        "skipped.write_off": 1_336,
        "skipped.give_away": 1_161,
    }
    assert (first.lines, second.lines) == (525_461, 541_909)
    assert (SalesOrder.objects.count(), SalesOrderLine.objects.count()) == (39_516, 1_015_071)
    assert totals() == (11_221_940, 220_554, 227_960)
    # The two orders that would wreck any statistics were called off within minutes.
    wholesale = SalesOrder.objects.filter(external_id__in=["541431", "581483"])
    assert set(wholesale.values_list("status", flat=True)) == {"cancelled"}

    before = rows_touched()
    again = take(REAL / YEARS[1])

    assert again.counts["already_there"] == 505_825 + 22_245 + 772 + 7_215 + 405
    assert rows_touched() == before

    first_plan, second_plan = (run_plan(queue_plan().pk, clock=timezone.now) for _ in range(2))

    assert first_plan is not None
    assert (first_plan.as_of, first_plan.series, first_plan.without_supplier) == ("2011-12-09", 3_753, 3_753)
    assert not Forecast.objects.filter(Q(method="") | Q(reason="")).exists()
    assert Forecast.objects.count() == 3_753
    assert second_plan is not None
    assert second_plan.nothing_new


def totals() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(quantity)::bigint, sum(cancelled_quantity)::bigint, sum(returned_quantity)::bigint "
            "FROM warehouses_salesorderline"
        )
        return cursor.fetchone()
