"""ABC classes by cumulative value, and what is due to be counted."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from warehouses.engine.classes import CountRecord, DueCount, abc_classes, due_for_count

D = Decimal

TODAY = date(2026, 12, 3)


def test_the_item_that_crosses_a_border_belongs_above_it() -> None:
    values = {"v": D(700), "w": D(150), "x": D(100), "y": D(30), "z": D(20)}

    assert abc_classes(values) == {"v": "A", "w": "A", "x": "B", "y": "C", "z": "C"}


def test_what_is_not_used_is_c() -> None:
    assert abc_classes({"x": D(0), "y": D(5), "z": D(-1)}) == {"x": "C", "y": "A", "z": "C"}
    assert abc_classes({"x": D(0)}) == {"x": "C"}
    assert abc_classes({}) == {}


@given(st.dictionaries(st.integers(0, 50), st.integers(0, 1000).map(D), max_size=12))
def test_a_more_valuable_item_is_never_in_a_worse_class(values) -> None:
    classes = abc_classes(values)

    assert classes.keys() == values.keys()
    for one, worth in values.items():
        assert all(classes[one] <= classes[other] for other, less in values.items() if less < worth)


def test_counts_fall_due_by_the_interval_of_their_class_and_the_never_counted_come_first() -> None:
    records = [
        CountRecord("a", "A", date(2026, 11, 1)),
        CountRecord("b", "B", date(2026, 11, 1)),
        CountRecord("late", "B", date(2026, 6, 1)),
        CountRecord("never", "C"),
        CountRecord("today", "A", date(2026, 11, 3)),
        CountRecord("loose", "X", date(2020, 1, 1)),
    ]

    due = due_for_count(records, today=TODAY, interval_days={"A": 30, "B": 90, "C": 365})

    assert due == (
        DueCount("never", "C", None, 0),
        DueCount("late", "B", date(2026, 8, 30), 95),
        DueCount("a", "A", date(2026, 12, 1), 2),
        DueCount("today", "A", date(2026, 12, 3), 0),
    )
