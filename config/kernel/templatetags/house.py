"""How the house writes numbers and states on its pages."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.kernel.fields import money as rounded
from config.kernel.fields import plain

register = template.Library()

_NUMBER = re.compile(r"[A-Z]{2}-\d{4,}")

GOOD = frozenset({"accepted", "active", "confirmed", "delivered", "done", "posted", "received", "shipped"})
BAD = frozenset({"backordered", "critical", "discontinued", "expired", "failed", "rejected"})
WARN = frozenset(
    {
        "change_proposed",
        "dismissed",
        "partially_received",
        "partially_shipped",
        "pending",
        "recount",
        "counted",
        "warning",
    }
)
INFO = frozenset(
    {
        "allocated",
        "approved",
        "claimed",
        "held",
        "in_transit",
        "open",
        "picked",
        "queued",
        "reserved",
        "running",
        "sent",
    }
)


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
    sign = "+" if quantity > 0 else "−" if quantity else ""
    return sign + units(abs(quantity))


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


@register.filter
def document(reference: str) -> SafeString | str:
    """A document's number as the way to its page (the scan box's own), anything else as it is, nothing as a dash."""
    if not _NUMBER.fullmatch(reference or ""):
        return reference or "–"
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:scan"), urlencode({"code": reference}), reference)


@register.simple_tag
def tag(words: Any, code: str) -> SafeString:
    """A state in a small coloured frame."""
    css = next(
        (name for name, codes in (("good", GOOD), ("bad", BAD), ("warn", WARN), ("info", INFO)) if code in codes), ""
    )
    return format_html('<span class="h-tag {}">{}</span>', css, words)
