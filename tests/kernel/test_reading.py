"""What people type into a box of a page."""

from decimal import Decimal

import pytest

from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("  ", None),
        ("12", "12"),
        ("2.40", "2.40"),
        ("1,240", "1240"),
        ("-1,240.5", "-1240.5"),
        ("1,234,567.125", "1234567.125"),
        ("1\u202f240", "1240"),
    ],
)
def test_commas_separate_thousands(text: str, number: str | None) -> None:
    assert typed_quantity(text) == (number and Decimal(number))


@pytest.mark.parametrize(
    "text", ["2,40", "2,4", "1,2345", "1234,567", ",240", "1,240,", "1,,240", "1.240,5", "1,240.", "0,5"]
)
def test_any_other_comma_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        typed_quantity(text, name="MUG")

    assert str(refused.value) == f"“{text}”: decimals have a point; write 2.40, not 2,40. MUG"
