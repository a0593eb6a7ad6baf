"""Whatever a file says: its lines add up, a second import adds nothing, and the order of files leaves no trace."""

import tempfile
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouses.importing_files import line, order_lines, return_lines, sales_csv, take
from warehouses.models import SalesOrder

pytestmark = pytest.mark.django_db
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

odd_text = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",'), max_size=8)
odd_lines = st.builds(
    line,
    order=st.sampled_from(["1", "2", "C3", "A4", "", " "]) | odd_text,
    sku=st.sampled_from(["85123A", "22752", "POST", "M", ""]) | odd_text,
    quantity=st.integers(-9, 9) | st.sampled_from(["", "x", "NaN", "1e400000", "0x1F", "1_0", ".5"]) | odd_text,
    at=st.sampled_from(["2025-12-01 08:26", "2025-12-03", "2027-01-01", "tomorrow", "2025-13-01", ""]) | odd_text,
    price=st.sampled_from(["2.55", "0", "-1", "", "1e-9", "Infinity"]) | odd_text,
    name=odd_text,
)
whole_lines = st.builds(
    line,
    order=st.sampled_from(["1", "2", "3", "4"]),
    sku=st.sampled_from(["85123A", "22752"]),
    quantity=st.integers(1, 3),
    at=st.sampled_from(["2025-12-01 08:00", "2025-12-01 20:00", "2025-12-02 08:00", "2025-12-05 08:00"]),
    customer=st.sampled_from(["7", "8"]),
) | st.builds(
    line,
    order=st.sampled_from(["C1", "C2", "C3"]),
    sku=st.sampled_from(["85123A", "22752"]),
    quantity=st.integers(-3, -1),
    at=st.sampled_from(["2025-12-01 12:00", "2025-12-02 07:00", "2025-12-06 08:00"]),
    customer=st.sampled_from(["7", "8"]),
)


@few
@given(st.lists(odd_lines, max_size=12))
def test_every_line_stands_in_exactly_one_count_and_a_second_import_adds_nothing(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        path = sales_csv(Path(folder), *lines)

        first, second = take(path), take(path)

        assert sum(first.counts.values()) == first.lines == len(lines)
        assert sum(second.counts.values()) == len(lines)
        assert second.rows_written == 0
        transaction.set_rollback(True)


def one_customer_and_time_an_order(lines: list[str]) -> list[str]:
    """Lines of one order agree on time and customer, as every shop's do: the first one's hold."""
    seen: dict[str, tuple[str, str]] = {}
    agreed = []
    for text in lines:
        fields = text.split(",")
        fields[4], fields[6] = seen.setdefault(fields[0], (fields[4], fields[6]))
        agreed.append(",".join(fields))
    return agreed


def state_after(*files: Path) -> tuple[object, ...]:
    with transaction.atomic():
        for file in files:
            summary = take(file)
            assert sum(summary.counts.values()) == summary.lines
        state = (order_lines(), return_lines(), set(SalesOrder.objects.values_list("external_id", "status")))
        transaction.set_rollback(True)
    return state


@few
@given(st.lists(whole_lines, max_size=14), st.integers(0, 14), st.integers(0, 14))
def test_two_overlapping_files_leave_the_same_behind_in_either_order(lines: list[str], a: int, b: int) -> None:
    lines = one_customer_and_time_an_order(lines)
    with tempfile.TemporaryDirectory() as folder:
        low, high = sorted((a, b))
        early = sales_csv(Path(folder), *lines[:high], name="early.csv")
        late = sales_csv(Path(folder), *lines[low:], name="late.csv")

        assert state_after(early, late) == state_after(late, early)
