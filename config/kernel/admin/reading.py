"""Reading what a person typed into the small forms of the pages."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")


def typed_quantity(text: str | None, *, name: str = "") -> Decimal | None:
    """The number in the box; None when it was left empty. Raises ValidationFailed for anything else.

    A comma may only separate thousands: 1,240 is read, 2,40 (which might mean 2.40 or 240) is refused.
    """
    cleaned = (text or "").strip().replace("\u202f", "")
    if not cleaned:
        return None
    if "," in cleaned:
        if not _THOUSANDS.fullmatch(cleaned):
            said = _("“%(text)s”: decimals have a point; write 2.40, not 2,40. %(name)s")
            raise ValidationFailed((said % {"text": text, "name": name}).strip())
        cleaned = cleaned.replace(",", "")
    try:
        quantity = Decimal(cleaned)
    except InvalidOperation as exc:
        raise ValidationFailed(_("“%(text)s” is not a number. %(name)s") % {"text": text, "name": name}) from exc
    if not quantity.is_finite() or abs(quantity) >= Decimal("1e11") or quantity != round(quantity, 3):
        raise ValidationFailed(_("“%(text)s” is not a quantity. %(name)s") % {"text": text, "name": name})
    return quantity


def typed_id(text: str | None) -> int:
    """A row's number out of a hidden field."""
    if not (text or "").isdigit() or len(text or "") > 18:
        raise ValidationFailed(_("The form was incomplete; load the page again."))
    return int(text or "0")


def typed_day(text: str | None) -> date | None:
    if not (text or "").strip():
        return None
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError as exc:
        raise ValidationFailed(_("“%(text)s” is not a day.") % {"text": text}) from exc
