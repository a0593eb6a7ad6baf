"""Quantity and money as they are stored: exact decimals with one precision for the whole house."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

ZERO = Decimal(0)
CENT = Decimal("0.01")


class QuantityField(models.DecimalField):
    """Units of a SKU: 14 digits, 3 after the point."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 14, "decimal_places": 3})


class MoneyField(models.DecimalField):
    """An amount or unit price in the currency named beside it: 18 digits, 4 after the point."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 18, "decimal_places": 4})


class ShareField(models.DecimalField):
    """A share between 0 and 1, such as a service level or a discount."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 6, "decimal_places": 5})


def money(amount: Decimal) -> Decimal:
    """The amount rounded to cents, half up: the one place where amounts of documents are rounded."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def plain(quantity: Decimal) -> str:
    """The quantity without trailing zeros: 12.000 → "12", 1.500 → "1.5"."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
