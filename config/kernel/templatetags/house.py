"""How the house writes numbers and states on its pages."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.kernel.fields import money as rounded
from config.kernel.fields import plain

register = template.Library()

GOOD = frozenset({"accepted", "active", "confirmed", "done", "received", "shipped"})
BAD = frozenset({"backordered", "critical", "discontinued", "failed", "rejected"})
WARN = frozenset({"change_proposed", "dismissed", "partially_received", "partially_shipped", "pending", "warning"})
INFO = frozenset({"approved", "open", "queued", "reserved", "running", "sent"})


@register.filter
def units(quantity: Decimal | None) -> str:
    """1234.500 → 1,234.5; nothing → a dash."""
    if quantity is None:
        return "–"
    text = plain(Decimal(quantity))
    digits = len(text.split(".")[1]) if "." in text else 0
    return number_format(Decimal(text), digits, use_l10n=True, force_grouping=True)


@register.filter
def units_out(quantity: Decimal) -> str:
    """The size of an outgoing movement."""
    return units(abs(quantity))


@register.filter
def units_signed(quantity: Decimal) -> str:
    return ("+" if quantity > 0 else "−") + units(abs(quantity))


@register.filter
def money(amount: Any) -> str:
    """An amount with two digits, grouped: 12345.6 → 12,345.60."""
    return "–" if amount in (None, "") else number_format(rounded(Decimal(amount)), 2, force_grouping=True)


@register.filter
def price(amount: Decimal | None) -> str:
    """A price per unit: at least two digits, up to the four that are stored: 3.5000 → 3.50, 0.0125 → 0.0125."""
    if amount is None:
        return "–"
    digits = len(plain(Decimal(amount)).partition(".")[2])
    return number_format(Decimal(amount), max(digits, 2), force_grouping=True)


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{number_format(100 * share, digits)} %"


@register.simple_tag
def tag(words: Any, code: str) -> SafeString:
    """A state in a small coloured frame."""
    css = next(
        (name for name, codes in (("good", GOOD), ("bad", BAD), ("warn", WARN), ("info", INFO)) if code in codes), ""
    )
    return format_html('<span class="h-tag {}">{}</span>', css, words)
