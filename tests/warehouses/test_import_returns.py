"""A return undoes a sale: soon after, it never was demand; later, it is netted where the sale was; alone, it waits."""

from itertools import permutations
from pathlib import Path

import pytest

from tests.warehouses.importing_files import line, order_lines, return_lines, sales_csv, take
from warehouses.models import SalesOrder

pytestmark = pytest.mark.django_db


def back(order: str, quantity: int, at: str, **more: str) -> str:
    return line(order=f"C{order}", quantity=-quantity, at=at, **more)


def test_within_24_hours_the_sale_is_cancelled(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(quantity=74215), back("2", 74215, "2025-12-02 08:26:00")))

    assert order_lines() == [("1001", "85123A", 74215, 0, 74215, 0)]
    assert return_lines() == [("C2", "85123A", 74215, "cancellation", "1001")]
    assert SalesOrder.objects.get().status == "cancelled"


def test_an_order_with_one_line_left_is_not_cancelled(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), line(sku="22752"), back("2", 6, "2025-12-01 09:00")))

    assert SalesOrder.objects.get().status == "shipped"


def test_a_cancelled_order_that_turns_out_to_have_another_line_is_not_cancelled(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), back("2", 6, "2025-12-01 09:00")))

    take(sales_csv(tmp_path, line(sku="22752"), name="next.csv"))

    assert SalesOrder.objects.get().status == "shipped"


def test_after_24_hours_it_is_a_return(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(), back("2", 4, "2025-12-02 08:26:01")))

    assert order_lines() == [("1001", "85123A", 6, 6, 0, 4)]
    assert return_lines() == [("C2", "85123A", 4, "return", "1001")]


@pytest.mark.parametrize(
    "other",
    [
        back("2", 6, "2025-12-01 08:25"),
        back("2", 7, "2025-12-05 10:00"),
        back("2", 6, "2025-12-05 10:00", customer="99"),
        back("2", 6, "2025-12-05 10:00", customer=""),
        back("2", 6, "2025-12-05 10:00", sku="22752"),
    ],
    ids=["before the sale", "more than was sold", "another customer", "a guest", "another SKU"],
)
def test_a_return_without_its_sale_reduces_nothing(tmp_path: Path, other: str) -> None:
    summary = take(sales_csv(tmp_path, line(), other))

    assert summary.counts == {"taken": 1, "returned.unmatched": 1}
    assert order_lines()[0] == ("1001", "85123A", 6, 6, 0, 0)


def test_guests_are_not_one_customer(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line(customer=""), back("2", 6, "2025-12-01 09:00", customer="")))

    assert return_lines() == [("C2", "85123A", 6, "unmatched", None)]


def test_the_sale_of_exactly_that_quantity_is_preferred_then_the_latest(tmp_path: Path) -> None:
    sales = [line("1", at="2025-11-01"), line("2", at="2025-11-08"), line("3", quantity=50, at="2025-11-15")]

    take(sales_csv(tmp_path, *sales, back("4", 6, "2025-12-01"), back("5", 5, "2025-12-01")))

    assert return_lines() == [("C4", "85123A", 6, "return", "2"), ("C5", "85123A", 5, "return", "3")]


def test_two_returns_do_not_share_one_sale(tmp_path: Path) -> None:
    returns = [back(str(n), 6, f"2025-12-0{n} 10:00") for n in (3, 4, 5)]

    take(sales_csv(tmp_path, line("1"), line("2"), *returns))

    assert [row[3:] for row in return_lines()] == [("return", "2"), ("return", "1"), ("unmatched", None)]


def test_a_sale_can_come_back_in_pieces(tmp_path: Path) -> None:
    returns = [back(str(n), 2, f"2025-12-0{n} 10:00") for n in (3, 4, 5, 6)]

    take(sales_csv(tmp_path, line(), *returns))

    assert order_lines() == [("1001", "85123A", 6, 6, 0, 6)]
    assert [row[3] for row in return_lines()] == ["return", "return", "return", "unmatched"]


def test_a_return_finds_a_sale_that_an_earlier_file_brought(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, line()))

    summary = take(sales_csv(tmp_path, back("2", 6, "2025-12-05"), name="next.csv"))

    assert summary.counts == {"returned.return": 1}
    assert order_lines() == [("1001", "85123A", 6, 6, 0, 6)]


def test_a_return_waits_for_a_sale_that_a_later_file_brings(tmp_path: Path) -> None:
    take(sales_csv(tmp_path, back("2", 6, "2025-12-01 09:00"), name="later-year.csv"))

    take(sales_csv(tmp_path, line(), name="earlier-year.csv"))

    assert order_lines() == [("1001", "85123A", 6, 0, 6, 0)]
    assert return_lines() == [("C2", "85123A", 6, "cancellation", "1001")]
    assert SalesOrder.objects.get().status == "cancelled"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_files_does_not_matter(tmp_path: Path, order: tuple[int, ...]) -> None:
    files = [
        sales_csv(tmp_path, line("1", at="2025-11-01"), back("7", 6, "2025-12-08"), name="a.csv"),
        sales_csv(tmp_path, line("2", at="2025-12-07 20:00"), back("8", 6, "2025-12-09"), line("1"), name="b.csv"),
        sales_csv(tmp_path, line("3", quantity=9, at="2025-11-20"), back("9", 2, "2025-12-10"), name="c.csv"),
    ]

    for index in order:
        take(files[index])

    assert return_lines() == [
        ("C7", "85123A", 6, "cancellation", "2"),
        ("C8", "85123A", 6, "return", "1"),
        ("C9", "85123A", 2, "return", "3"),
    ]
    assert order_lines() == [
        ("1", "85123A", 6, 6, 0, 6),
        ("2", "85123A", 6, 0, 6, 0),
        ("3", "85123A", 9, 9, 0, 2),
    ]
