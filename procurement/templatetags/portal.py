"""How the portal writes quantities and amounts."""

from decimal import Decimal

from django import template

from config.kernel.fields import money, plain

register = template.Library()


@register.filter
def units(quantity: Decimal) -> str:
    """1200.500 → 1,200.5."""
    return _grouped(plain(quantity))


@register.filter
def price(unit_cost: Decimal) -> str:
    """At least two decimals, up to the four that are stored: 3.5000 → 3.50, 0.0125 → 0.0125."""
    text = plain(unit_cost)
    decimals = len(text.partition(".")[2])
    return _grouped(text if decimals > 2 else f"{unit_cost:.2f}")


@register.filter
def amount(value: Decimal) -> str:
    """A document's amount, in cents: 350 → 350.00."""
    return _grouped(f"{money(value):.2f}")


def _grouped(text: str) -> str:
    """Thousands with a comma, the point for decimals: so in English and in Chinese."""
    return f"{Decimal(text):,f}"
