"""The real file of a real shop, both years: every line counted, two ways of reading it agree, again adds nothing."""

from pathlib import Path

import pytest
from django.db import connection

from tests.warehouses.importing_files import rows_touched, take
from warehouses.models import SalesOrder, SalesOrderLine

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_ii"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.django_db,
    pytest.mark.skipif(not REAL.is_dir(), reason="the real sales file is not there: ../shared/data/online_retail_ii"),
]

YEARS = ("online_retail_2009-2010.csv.gz", "online_retail_2010-2011.csv.gz")


def test_both_years_are_taken_once_and_every_line_is_accounted_for() -> None:
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


def totals() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(quantity)::bigint, sum(cancelled_quantity)::bigint, sum(returned_quantity)::bigint "
            "FROM warehouses_salesorderline"
        )
        return cursor.fetchone()
