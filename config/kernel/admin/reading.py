"""Reading what a person typed into the small forms of the pages."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed


def typed_quantity(text: str | None, *, name: str = "") -> Decimal | None:
    """The number in the box; None when it was left empty. Raises ValidationFailed for anything else."""
    cleaned = (text or "").strip().replace(",", "").replace("\u202f", "")
    if not cleaned:
        return None
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
