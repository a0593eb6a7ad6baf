"""Overrides: what planners add to the forecasts, with author, reason and expiry. None is ever deleted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Category, Channel, Sku
from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from forecasting.models import ForecastOverride
from forecasting.selectors import latest_run
from forecasting.selectors.override_scopes import expected_units
from warehouses.models import Warehouse

MAX_AT_ONCE = 5000
MAX_SPAN_DAYS = 366
# Above this many times the forecast a slip of the finger is likelier than a plan; the planner says so again.
SUSPICIOUS_TIMES = 10
# A forecast near zero is no measure: up to so many units are believed.
BELIEVED_UNITS = 10
_TOO_LARGE = Decimal(10) ** 10


@dataclass(frozen=True, slots=True)
class OverrideEntry:
    """What a planner says of some days of a SKU or of a category; empty codes mean all warehouses, all channels.

    FACTOR: times the forecast. CHANGE: units a day more or less, SET: units over the whole span; both are of the whole
    scope, shared out like the forecast. `expires_on` is the first day it no longer counts; None: the day after its end.
    """

    kind: str
    value: Decimal
    starts_on: date
    ends_on: date
    reason: str
    sku_code: str = ""
    category_code: str = ""
    warehouse_code: str = ""
    channel_code: str = ""
    expires_on: date | None = None


def set_override(entry: OverrideEntry, *, author: Any, now: datetime, is_confirmed: bool = False) -> ForecastOverride:
    """One override; see `set_overrides`."""
    return set_overrides([entry], author=author, now=now, is_confirmed=is_confirmed)[0]


@one_transaction
def set_overrides(
    entries: Sequence[OverrideEntry], *, author: Any, now: datetime, is_confirmed: bool = False
) -> list[ForecastOverride]:
    """All of them or none, in the order given; at most ten queries, however many.

    Nothing is replaced: overrides of one series stand side by side, and the narrowest, then the newest, rules a day.
    Locks nothing. Raises ValidationFailed with every fault of every line; Conflict (`confirmation_needed`) naming the
    lines that come to more than ten times the forecast, unless `is_confirmed`.
    """
    if not 1 <= len(entries) <= MAX_AT_ONCE:
        raise ValidationFailed(_("Name 1 to %d overrides.") % MAX_AT_ONCE)
    today = timezone.localdate(now)
    book = _Book(entries)
    items = [
        {"line": line, **fault}
        for line, entry in enumerate(entries, start=1)
        for fault in [*book.faults(entry), *_faults(entry, today)]
    ]
    if items:
        raise ValidationFailed(_("The override cannot be set."), items=items)
    overrides = [book.override(entry, author) for entry in entries]
    if not is_confirmed:
        _refuse_suspicious(overrides)
    return ForecastOverride.objects.bulk_create(overrides)


def withdraw_override(override_id: int, *, actor: Any, now: datetime) -> ForecastOverride:
    """From now on no plan uses it; it stays in the list, with who withdrew it. Raises NotFound, Conflict (done before).

    A compare-and-set: of two who withdraw at once, one is told.
    """
    open_now = ForecastOverride.objects.filter(pk=override_id, withdrawn_at=None)
    changed = open_now.update(withdrawn_at=now, withdrawn_by=actor)
    override = ForecastOverride.objects.filter(pk=override_id).first()
    if override is None:
        raise NotFound(_("There is no such override."))
    if not changed:
        raise Conflict(_("This override was withdrawn already."), code="wrong_state")
    return override


class _Book:
    """The rows behind the codes of many entries, in four queries."""

    def __init__(self, entries: Sequence[OverrideEntry]) -> None:
        self.skus = _by_code(Sku, [entry.sku_code for entry in entries])
        self.categories = _by_code(Category, [entry.category_code for entry in entries])
        self.warehouses = _by_code(Warehouse, [entry.warehouse_code for entry in entries])
        self.channels = _by_code(Channel, [entry.channel_code for entry in entries])

    def faults(self, entry: OverrideEntry) -> Iterator[dict[str, str]]:
        if bool(entry.sku_code) == bool(entry.category_code):
            yield {"field": "sku_code", "message": _("Name a SKU or a category.")}
        named: tuple[tuple[str, str, Mapping[str, Any], str], ...] = (
            ("sku_code", entry.sku_code, self.skus, _("There is no such SKU.")),
            ("category_code", entry.category_code, self.categories, _("There is no such category.")),
            ("warehouse_code", entry.warehouse_code, self.warehouses, _("There is no such warehouse.")),
            ("channel_code", entry.channel_code, self.channels, _("There is no such channel.")),
        )
        yield from ({"field": name, "message": missing} for name, code, rows, missing in named if code not in rows)

    def override(self, entry: OverrideEntry, author: Any) -> ForecastOverride:
        return ForecastOverride(
            sku=self.skus[entry.sku_code],
            category=self.categories[entry.category_code],
            warehouse=self.warehouses[entry.warehouse_code],
            channel=self.channels[entry.channel_code],
            kind=entry.kind,
            value=entry.value,
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            expires_on=expiry_of(entry),
            reason=entry.reason.strip(),
            author=author,
        )


def expiry_of(entry: OverrideEntry) -> date:
    return entry.expires_on or entry.ends_on + timedelta(days=1)


def _by_code(model: type[Model], codes: Sequence[str]) -> dict[str, Any]:
    """Code → row, and no code → no row."""
    wanted = {code for code in codes if code}
    rows = model._default_manager.filter(code__in=wanted) if wanted else ()
    return {"": None, **{row.code: row for row in rows}}  # type: ignore[attr-defined]


def _faults(entry: OverrideEntry, today: date) -> Iterator[dict[str, str]]:
    if entry.kind not in ForecastOverride.Kind.values:
        yield {"field": "kind", "message": _("There is no such kind.")}
    if entry.value < 0 and entry.kind != ForecastOverride.Kind.CHANGE:
        yield {"field": "value", "message": _("It cannot be less than zero.")}
    if not abs(entry.value) < _TOO_LARGE:
        yield {"field": "value", "message": _("It is too large.")}
    if entry.ends_on < entry.starts_on:
        yield {"field": "ends_on", "message": _("It ends before it starts.")}
    elif (entry.ends_on - entry.starts_on).days >= MAX_SPAN_DAYS:
        yield {"field": "ends_on", "message": _("At most %d days.") % MAX_SPAN_DAYS}
    elif entry.ends_on < today:
        yield {"field": "ends_on", "message": _("These days are over.")}
    if entry.expires_on is not None and entry.expires_on <= today:
        yield {"field": "expires_on", "message": _("It must expire after today.")}
    if not 1 <= len(entry.reason.strip()) <= 300:
        yield {"field": "reason", "message": _("Say why, in 1 to 300 characters.")}


def _refuse_suspicious(overrides: Sequence[ForecastOverride]) -> None:
    run = latest_run()
    if run is None:
        return
    items = []
    for line, (override, (expected, days)) in enumerate(
        zip(overrides, expected_units(run, overrides), strict=True), start=1
    ):
        wanted = _wanted(override, expected, days)
        if wanted > max(SUSPICIOUS_TIMES * expected, BELIEVED_UNITS):
            message = _("%(wanted)s units where %(expected)s are forecast: confirm that you mean it.") % {
                "wanted": plain(round(Decimal(wanted), 1)),
                "expected": plain(round(Decimal(expected), 1)),
            }
            items.append({"line": line, "field": "value", "wanted": wanted, "expected": expected, "message": message})
    if items:
        raise Conflict(_("More than ten times the forecast."), items=items, code="confirmation_needed")


def _wanted(override: ForecastOverride, expected: float, days: int) -> float:
    """Units of the days within the horizon, as the override alone would have them."""
    value = float(override.value)
    if override.kind == ForecastOverride.Kind.FACTOR:
        return value * expected
    if override.kind == ForecastOverride.Kind.CHANGE:
        return expected + value * days
    return value * days / ((override.ends_on - override.starts_on).days + 1)
