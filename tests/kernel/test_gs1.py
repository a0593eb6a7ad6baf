"""GS1 element strings, as people write them and as scanners send them."""

import calendar
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.scanning import cleaned
from config.kernel.scanning.cleaning import GS, Scan
from config.kernel.scanning.gs1 import (
    ELEMENTS,
    Element,
    bracketed,
    check_digit,
    day_of,
    elements_of,
    gtin_forms,
    is_gtin,
    raw,
)

MUG = "04006381333931"
SET_82 = "!\"%&'*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def values(ai: str, element: Element) -> st.SearchStrategy[str]:
    if ai in ("00", "01", "02"):
        body = st.text("0123456789", min_size=element.longest - 1, max_size=element.longest - 1)
        return body.map(lambda digits: digits + check_digit(digits))
    shortest = element.longest if element.is_fixed else 1
    return st.text("0123456789" if element.is_numeric else SET_82, min_size=shortest, max_size=element.longest)


@st.composite
def element_strings(draw: st.DrawFn) -> dict[str, str]:
    ais = draw(st.lists(st.sampled_from(sorted(ELEMENTS)), min_size=1, max_size=5, unique=True))
    return {ai: draw(values(ai, ELEMENTS[ai])) for ai in ais}


@given(element_strings())
def test_what_is_written_is_read_back(elements) -> None:
    written, sent = bracketed(elements), raw(elements)

    assert elements_of(Scan(written)) == elements
    assert elements_of(Scan(sent, "]C1", is_gs1=True)) == elements


@given(st.text(max_size=60))
def test_any_text_is_read_or_left_alone_but_never_breaks(text) -> None:
    for scan in (cleaned(text), cleaned("]C1" + text), cleaned("(01)" + text)):
        elements = elements_of(scan)
        assert elements is None or set(elements) <= set(ELEMENTS)


@pytest.mark.parametrize(
    ("typed", "elements"),
    [
        (f"(01){MUG}(10)B7(17)261231", {"01": MUG, "10": "B7", "17": "261231"}),
        (f"(01) {MUG} (10) B7", {"01": MUG, "10": "B7"}),
        (f"]C101{MUG}1726123110B7\r", {"01": MUG, "17": "261231", "10": "B7"}),
        (f"]C101{MUG}10B7{GS}17261231", {"01": MUG, "10": "B7", "17": "261231"}),
        (f"]d2{GS}01{MUG}21X/9", {"01": MUG, "21": "X/9"}),
        (f"{GS}02{MUG}3712", {"02": MUG, "37": "12"}),
        (f"01{MUG}10B7", {"01": MUG, "10": "B7"}),
        (f"01{MUG[:-1]}210B7", None),  # the check digit is wrong
        (f"]C101{MUG}17261", None),  # cut short
        (MUG, None),
        ("0100", None),
        ("(red) mug", None),
        ("(99)anything", {"99": "anything"}),
    ],
)
def test_the_forms_that_scanners_and_people_send(typed, elements) -> None:
    assert elements_of(cleaned(typed)) == elements


@pytest.mark.parametrize(
    ("typed", "text"),
    [("MUG\r", "MUG"), ("MUG\t", "MUG"), ("]C0MUG\r\n", "MUG"), ("]E04006381333931", "4006381333931"), ("[x]", "[x]")],
)
def test_what_scanners_put_around_a_code_is_taken_off(typed, text) -> None:
    assert cleaned(typed).text == text


def test_a_trade_item_number_is_known_with_and_without_its_zeros() -> None:
    assert is_gtin("4006381333931")
    assert is_gtin(MUG)
    assert not is_gtin("4006381333932")
    assert gtin_forms("4006381333931") == [MUG, "4006381333931"]
    assert gtin_forms("012345678905") == ["00012345678905", "0012345678905", "012345678905", "12345678905"]
    assert gtin_forms("00000000") == ["00000000"]
    assert gtin_forms("MUG") == ["MUG"]


@given(st.dates(date(1980, 1, 1), date(2070, 12, 31)), st.integers(-49, 50))
def test_a_year_of_two_digits_is_the_nearest(today, ahead) -> None:
    day = date(today.year + ahead, 2, calendar.monthrange(today.year + ahead, 2)[1])

    assert day_of(day.strftime("%y%m%d"), today=today) == day
    assert day_of(day.strftime("%y%m00"), today=today) == day


def test_a_day_that_is_none_is_none() -> None:
    assert day_of("261301", today=date(2026, 3, 2)) is None
    assert day_of("260230", today=date(2026, 3, 2)) is None
