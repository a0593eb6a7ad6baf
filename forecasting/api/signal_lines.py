"""The lines of a batch of signals, read by hand: a serializer of ten thousand lines would take longer than the rest."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forecasting.services.signals import MAX_COUNT, MAX_LINES, NAMES, ToldSignal

MAX_FAULTS = 100
_FIELDS = frozenset({"sku", "at", *NAMES})


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_LINES,
        "items": {
            "type": "object",
            "required": ["sku", "at"],
            "additionalProperties": False,
            "properties": {
                "sku": {"type": "string", "maxLength": 64},
                "at": {
                    "type": "string",
                    "description": "A day (2026-03-02) or a time (2026-03-02T08:15:00Z); without a zone it is of the "
                    "channel's clock. At most two years ago, and not ahead.",
                },
                **{name: {"type": "integer", "minimum": 0, "maximum": MAX_COUNT, "default": 0} for name in NAMES},
            },
        },
    }
)
class SignalLinesField(serializers.Field):
    """A list of lines as `ToldSignal`; every fault is named with its line, up to a hundred of them."""

    def to_internal_value(self, data: Any) -> list[ToldSignal]:
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError(_("A list with at least one line."))
        if len(data) > MAX_LINES:
            raise serializers.ValidationError(_("At most %d lines.") % MAX_LINES)
        told: list[ToldSignal] = []
        faults: Any = {}
        times: dict[str, date | datetime] = {}
        for place, line in enumerate(data):
            try:
                told.append(_line(line, times))
            except _FaultyLineError as fault:
                faults[place] = fault.faults
                if len(faults) >= MAX_FAULTS:
                    break
        if faults:
            raise serializers.ValidationError(faults)
        return told

    def to_representation(self, value: Any) -> Any:
        return value


class _FaultyLineError(Exception):
    def __init__(self, faults: dict[str, list[str]]) -> None:
        self.faults = faults


def _line(line: Any, times: dict[str, date | datetime]) -> ToldSignal:
    if not isinstance(line, dict):
        raise _FaultyLineError({"line": [_("A line is an object.")]})
    code, said = line.get("sku"), line.get("at")
    counts = tuple([line.get(name, 0) for name in NAMES])
    at = times.get(said) if isinstance(said, str) else None
    if at is None and isinstance(said, str) and (read := _time(said)) is not None:
        at = times[said] = read
    is_good = isinstance(code, str) and 0 < len(code) <= 64 and code.isprintable() and _FIELDS.issuperset(line)
    is_counted = any(counts) and all(type(n) is int and 0 <= n <= MAX_COUNT for n in counts)
    if is_good and is_counted and at is not None:
        return ToldSignal(str(code), at, counts)
    raise _FaultyLineError({name: [why] for name, why in _faults(line, at)})


def _faults(line: Mapping[str, Any], at: Any) -> Iterator[tuple[str, str]]:
    code = line.get("sku")
    if not (isinstance(code, str) and 0 < len(code) <= 64 and code.isprintable()):
        yield "sku", _("The code of a SKU, up to 64 characters.")
    if at is None:
        yield "at", _("A day like 2026-03-02 or a time like 2026-03-02T08:15:00Z.")
    counts = {name: line.get(name, 0) for name in NAMES}
    wrong = [name for name, count in counts.items() if not (type(count) is int and 0 <= count <= MAX_COUNT)]
    for name in wrong:
        yield name, _("A whole number from 0 to %d.") % MAX_COUNT
    if not wrong and not any(counts.values()) and _FIELDS.issuperset(line):
        yield "line", _("At least one count above zero.")
    for name in sorted(str(name) for name in line if name not in _FIELDS):
        yield name[:64], _("There is no such field.")


def _time(said: str) -> date | datetime | None:
    try:
        return date.fromisoformat(said) if len(said) == 10 else datetime.fromisoformat(said)
    except ValueError:
        return None
