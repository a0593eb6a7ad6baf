"""GS1 element strings: `(01)04006381333931(10)B7(17)261231`, or the same as a scanner sends it from a GS1-128 symbol.

In the raw form an element of variable length ends with FNC1, which scanners send as the group separator (0x1D).
Source: GS1 General Specifications 24, sections 3 (application identifiers), 7.8 (parsing), 7.9 (check digit),
7.12 (years of two digits).
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from config.kernel.scanning.cleaning import GS, Scan

SSCC, GTIN, CONTENT, LOT, SERIAL, EXPIRY, COUNT, UNITS = "00", "01", "02", "10", "21", "17", "30", "37"


@dataclass(frozen=True, slots=True)
class Element:
    """How the value of an application identifier looks."""

    longest: int
    is_fixed: bool = False
    is_numeric: bool = False


def _digits(length: int) -> Element:
    return Element(length, is_fixed=True, is_numeric=True)


def _text(longest: int) -> Element:
    return Element(longest)


ELEMENTS: dict[str, Element] = {
    "00": _digits(18),
    "01": _digits(14),
    "02": _digits(14),
    "10": _text(20),
    **{ai: _digits(6) for ai in ("11", "12", "13", "15", "16", "17")},
    "20": _digits(2),
    "21": _text(20),
    "22": _text(20),
    "30": Element(8, is_numeric=True),
    "37": Element(8, is_numeric=True),
    **{f"{ai}{point}": _digits(6) for ai in ("310", "311", "312", "313", "320") for point in range(6)},
    "240": _text(30),
    "241": _text(30),
    "250": _text(30),
    "251": _text(30),
    "400": _text(30),
    "401": _text(30),
    "410": _digits(13),
    "411": _digits(13),
    "412": _digits(13),
    "414": _digits(13),
    **{str(ai): _text(90) for ai in range(91, 100)},
}
# The characters a value may hold (GS1 character set 82).
_CHARACTERS = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")
_BRACKETED = re.compile(r"\((\d{2,4})\)")


def check_digit(digits: str) -> str:
    """The last digit of a GTIN or SSCC from the others: from the right, weights 3, 1, 3, …

    >>> check_digit("400638133393")
    '1'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_gtin(text: str) -> bool:
    """Whether this is a trade item number (8, 12, 13 or 14 digits with a true check digit)."""
    is_number = text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)
    return is_number and check_digit(text[:-1]) == text[-1]


def gtin_forms(text: str) -> list[str]:
    """The ways one trade item number is written: with the leading zeros of 8, 12, 13 and 14 digits, and without.

    >>> gtin_forms("00012345678905")
    ['00012345678905', '0012345678905', '012345678905', '12345678905']
    """
    if not (text.isascii() and text.isdigit() and 6 <= len(text) <= 14 and text.strip("0")):
        return [text]
    bare = text.lstrip("0")
    return sorted({text, bare, *(bare.zfill(length) for length in (8, 12, 13, 14) if len(bare) <= length)})


def elements_of(scan: Scan) -> Mapping[str, str] | None:
    """Application identifier → value, in the order of the symbol; None when the text is no GS1 element string.

    A raw text is taken for one when the scanner says so, or when it begins with a true GTIN and can be read to its end.
    """
    text = scan.text
    if _BRACKETED.match(text):
        return _from_brackets(text)
    begins_with_gtin = text[:2] in (GTIN, CONTENT) and is_gtin(text[2:16])
    return _from_raw(text) if scan.is_gs1 or begins_with_gtin else None


def _from_brackets(text: str) -> dict[str, str] | None:
    marks = [mark for mark in _BRACKETED.finditer(text) if mark.group(1) in ELEMENTS]
    if not marks or marks[0].start() != 0:
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    found = {mark.group(1): text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)}
    return found if all(_fits(ai, value) for ai, value in found.items()) else None


def _from_raw(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    while text:
        ai = next((text[:length] for length in (2, 3, 4) if text[:length] in ELEMENTS), None)
        if ai is None or ai in found:
            return None
        text, element = text[len(ai) :], ELEMENTS[ai]
        value, text = (text[: element.longest], text[element.longest :]) if element.is_fixed else _until_separator(text)
        if not _fits(ai, value):
            return None
        found[ai], text = value, text.removeprefix(GS)
    return found or None


def _until_separator(text: str) -> tuple[str, str]:
    value, _gs, rest = text.partition(GS)
    return value, rest


def _fits(ai: str, value: str) -> bool:
    element = ELEMENTS[ai]
    if not value or len(value) > element.longest or (element.is_fixed and len(value) != element.longest):
        return False
    if element.is_numeric and not (value.isascii() and value.isdigit()):
        return False
    if ai in (SSCC, GTIN, CONTENT):
        return check_digit(value[:-1]) == value[-1]
    return _CHARACTERS.fullmatch(value) is not None


def bracketed(elements: Mapping[str, str]) -> str:
    """As people read it below the bars."""
    return "".join(f"({ai}){value}" for ai, value in elements.items())


def raw(elements: Mapping[str, str]) -> str:
    """As it stands in the symbol: a separator behind every value of variable length but the last."""
    parts = list(elements.items())
    return "".join(
        f"{ai}{value}{'' if ELEMENTS[ai].is_fixed or place == len(parts) else GS}"
        for place, (ai, value) in enumerate(parts, start=1)
    )


def day_of(value: str, *, today: date) -> date | None:
    """The day of a YYMMDD; day 00 is the month's last. The century is the one that puts it 49 years back to 50 ahead.

    >>> day_of("270200", today=date(2026, 3, 2))
    datetime.date(2027, 2, 28)
    """
    if not (value.isascii() and value.isdigit() and len(value) == 6):
        return None
    year, month, day = today.year // 100 * 100 + int(value[:2]), int(value[2:4]), int(value[4:])
    ahead = int(value[:2]) - today.year % 100
    year += -100 if ahead >= 51 else 100 if ahead <= -50 else 0
    if not 1 <= month <= 12 or day > calendar.monthrange(year, month)[1]:
        return None
    return date(year, month, day or calendar.monthrange(year, month)[1])
