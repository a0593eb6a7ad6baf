"""The file of suppliers as it is read: one row is one item of one supplier, checked cell by cell."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed

REQUIRED = ("supplier", "sku", "unit_cost")
SUPPLIER_COLUMNS = {
    "supplier_name": "name",
    "email": "email",
    "country": "country",
    "currency": "currency",
    "supplier_lead_time_days": "lead_time_days",
    "lead_time_sd_days": "lead_time_sd_days",
    "review_days": "review_days",
    "fixed_order_cost": "fixed_order_cost",
    "minimum_order_value": "minimum_order_value",
    "over_receipt_tolerance": "over_receipt_tolerance",
}
ITEM_COLUMNS = ("supplier_code", "unit_cost", "minimum_order_quantity", "pack_size", "lead_time_days", "is_preferred")
COLUMNS = ("supplier", "sku", *SUPPLIER_COLUMNS, *ITEM_COLUMNS, "price_breaks")

_WHOLE = {"lead_time_days", "review_days"}
_TEXT = {"name": 200, "email": 254, "country": 2, "currency": 3, "supplier_code": 64}
_PLACES = {"unit_cost": 4, "fixed_order_cost": 4, "minimum_order_value": 4, "lead_time_sd_days": 2}
_LETTERS = ("country", "currency")
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}
_MAXIMUM = {"over_receipt_tolerance": 1, "lead_time_sd_days": 9999, "lead_time_days": 3650, "review_days": 3650}


class Unusable(Exception):
    """Why a row cannot be used."""


@dataclass(frozen=True, slots=True)
class SupplierRow:
    supplier: str
    sku_id: int
    supplier_fields: Mapping[str, Any]
    item_fields: Mapping[str, Any]
    price_breaks: tuple[tuple[Decimal, Decimal], ...] | None


def lines_of(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)  # a quotation mark left open would swallow rows
            header = [(name or "").strip().lower() for name in reader.fieldnames or []]
            missing = [name for name in REQUIRED if name not in header]
            unknown = [name for name in header if name not in COLUMNS]
            if missing or unknown:
                raise ValidationFailed(
                    _("Missing columns: %(missing)s; unknown columns: %(unknown)s; known are %(known)s.")
                    % {
                        "missing": ", ".join(missing) or "–",
                        "unknown": ", ".join(unknown) or "–",
                        "known": ", ".join(COLUMNS),
                    }
                )
            if twins := [name for name in COLUMNS if header.count(name) > 1]:
                raise ValidationFailed(
                    _("%(path)s: the column %(column)s is there more than once; leave one.")
                    % {"path": path.name, "column": ", ".join(twins)}
                )
            reader.fieldnames = header
            line = reader.line_num + 1
            for cells in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in cells.items() if isinstance(k, str)}
                line = reader.line_num + 1
    except OSError as exc:
        raise ValidationFailed(_("%(path)s cannot be read.") % {"path": path}) from exc
    except UnicodeDecodeError as exc:
        raise ValidationFailed(_("%(path)s is no CSV file in UTF-8.") % {"path": path.name}) from exc
    except csv.Error as exc:
        raise ValidationFailed(
            _("%(file)s, line %(line)d: %(why)s.")
            % {"file": path.name, "line": line, "why": _("not CSV: %(why)s") % {"why": exc}}
        ) from exc


def parsed(cells: Mapping[str, str], skus: Mapping[str, int]) -> SupplierRow:
    code, sku = cells["supplier"], cells["sku"]
    if not code or len(code) > 32 or "\x00" in "".join(cells.values()):
        raise Unusable(_("the supplier's code is missing or longer than 32 characters, or the row holds NUL"))
    if sku not in skus:
        raise Unusable(_("there is no SKU %(sku)s") % {"sku": sku or "–"})
    supplier_fields = {name: _value(name, cells[c]) for c, name in SUPPLIER_COLUMNS.items() if cells.get(c)}
    item_fields = {name: _value(name, cells[name]) for name in ITEM_COLUMNS if cells.get(name)}
    if "unit_cost" not in item_fields:
        raise Unusable(_("unit_cost is missing"))
    return SupplierRow(code, skus[sku], supplier_fields, item_fields, _price_breaks(cells.get("price_breaks", "")))


def _value(name: str, text: str) -> Any:
    if name == "is_preferred":
        if text.lower() not in _YES | _NO:
            raise Unusable(_("is_preferred is neither yes nor no"))
        return text.lower() in _YES
    if name in _TEXT:
        if len(text) > _TEXT[name]:
            raise Unusable(_("%(column)s is too long") % {"column": name})
        if name in _LETTERS and not (text.isascii() and text.isalpha() and len(text) == _TEXT[name]):
            raise Unusable(_("%(column)s is no code of %(length)s letters") % {"column": name, "length": _TEXT[name]})
        if name == "email":
            try:
                validate_email(text)
            except ValidationError as exc:
                raise Unusable(_("email is no address")) from exc
        return text.upper() if name in _LETTERS else text
    least = Decimal(1 if name == "review_days" else 0)
    number = _number(name, text, places=0 if name in _WHOLE else _PLACES.get(name, 3))
    if number < least or number > _MAXIMUM.get(name, 10**10) or (name == "pack_size" and not number):
        raise Unusable(_("%(column)s %(text)s is out of range") % {"column": name, "text": text})
    return int(number) if name in _WHOLE else number


def _number(name: str, text: str, *, places: int) -> Decimal:
    try:
        number = Decimal(text)
        if not number.is_finite() or number != number.quantize(Decimal(1).scaleb(-places)):
            raise InvalidOperation
    except InvalidOperation as exc:
        message = _("%(column)s %(text)s is no number with at most %(places)s decimals")
        raise Unusable(message % {"column": name, "text": text, "places": places}) from exc
    return number


def _price_breaks(text: str) -> tuple[tuple[Decimal, Decimal], ...] | None:
    """None where the cell is empty: the breaks stay as they are."""
    if not text:
        return None
    if text.lower() == "none":
        return ()
    breaks: dict[Decimal, Decimal] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        quantity, colon, cost = part.partition(":")
        if not colon:
            raise Unusable(_("price_breaks %(text)s is not written as quantity:cost") % {"text": part})
        minimum = _number("price_breaks", quantity.strip(), places=3)
        unit_cost = _number("price_breaks", cost.strip(), places=4)
        if minimum <= 0 or unit_cost < 0 or minimum in breaks or max(minimum, unit_cost) > 10**10:
            raise Unusable(_("price_breaks %(text)s is out of range or names a quantity twice") % {"text": part})
        breaks[minimum] = unit_cost
    return tuple(sorted(breaks.items()))
