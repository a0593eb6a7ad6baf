"""Balance sheets: quantity and value of everything at a moment, taken from the sheet before and what came since."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Min
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.models import BalanceSheet, StockBalance, StockMovement
from warehouses.selectors.as_of import Clock, Part, late_parts, summed

MARGIN = timedelta(seconds=10)
"""A transaction says when it began a moment after it began; nothing younger than this is taken for finished."""
MONTHS_KEPT = 13
"""Sheets of so many months are kept; of older years, those of 1 January."""


@dataclass(frozen=True, slots=True)
class BalanceMismatch:
    """A row of a sheet that is not what the ledger says."""

    sku_id: int
    warehouse_id: int
    quantity: Any
    value: Any
    ledger_quantity: Any
    ledger_value: Any


def known_until() -> datetime | None:
    """Every movement recorded before this moment is there to be read, and none will be added.

    A movement is recorded at the start of its transaction, so it is the start of the oldest transaction of this
    database that still runs. None when that cannot be known: a prepared transaction does not say when it began, and
    sessions of other users hide it from who may not see them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_UNTIL)
        unknown, oldest, now = cursor.fetchone()
    return None if unknown else min(oldest or now, now - MARGIN)


@one_transaction
def take_balance_sheet(clock: str, as_of: datetime, *, now: datetime) -> BalanceSheet:
    """The balance sheet of this clock and moment: everything before it, the moment itself left out. Once taken it is
    returned as it is.

    Built from the latest earlier sheet and what came since; the whole ledger is read only for the first. Raises
    ValidationFailed for a moment that is not past, Conflict while a transaction from before it still runs.
    """
    if as_of > now:
        raise ValidationFailed(_("A balance sheet is taken of a moment that is past."))
    known = known_until()
    if known is None or (clock == Clock.RECORDED and known < as_of):
        raise Conflict(_("Movements from before this moment are still being written; try again later."))
    if clock == Clock.RECORDED:
        known = as_of
    # A twin waits here for the other's row, and then finds it.
    sheet, is_new = BalanceSheet.objects.get_or_create(clock=clock, as_of=as_of, defaults={"known_until": known})
    if is_new:
        before = (
            BalanceSheet.objects.filter(clock=clock, as_of__lt=as_of, known_until__lte=known).order_by("-as_of").first()
        )
        _fill(sheet, _parts(sheet, before))
    return sheet


def take_missing_sheets(*, now: datetime) -> int:
    """Take the sheets of both clocks for the first of each of the last MONTHS_KEPT months, as far as there is a ledger,
    and drop those that are older. Each is a transaction of its own; returns how many were taken.

    Safe to run at any time and twice. A month whose transactions still run is left for the next time.
    """
    taken = 0
    for clock in Clock.values:
        wanted = set(_month_starts(now))
        wanted -= set(BalanceSheet.objects.filter(clock=clock, as_of__in=wanted).values_list("as_of", flat=True))
        if not wanted or (first := _beginning(clock)) is None:
            continue
        for as_of in sorted(moment for moment in wanted if moment > first):
            try:
                take_balance_sheet(clock, as_of, now=now)
            except Conflict:
                break
            taken += 1
    _drop_old(now)
    return taken


def audit_sheet(sheet_id: int, *, now: datetime) -> list[BalanceMismatch]:
    """Add up the ledger for this sheet and compare every row; empty when all is well. Notes that it was done."""
    sheet = BalanceSheet.objects.get(pk=sheet_id)
    ledger, parameters = summed(_parts(sheet, None), ("sku_id", "warehouse_id"))
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE % {"ledger": ledger}, {**parameters, "sheet": sheet.pk})
        found = [BalanceMismatch(*row) for row in cursor.fetchall()]
    BalanceSheet.objects.filter(pk=sheet.pk).update(audited_at=now)
    return found


def next_to_audit() -> int | None:
    """The sheet whose audit is longest ago, those never audited first."""
    order = F("audited_at").asc(nulls_first=True)
    return BalanceSheet.objects.order_by(order, "pk").values_list("pk", flat=True).first()


@one_transaction
def retake_balance_sheet(sheet_id: int, *, now: datetime) -> BalanceSheet:
    """Take a sheet again, from the ledger alone: the repair of one that does not agree with it. Raises NotFound."""
    sheet = BalanceSheet.objects.select_for_update().filter(pk=sheet_id).first()
    if sheet is None:
        raise NotFound(_("There is no such balance sheet."))
    StockBalance.objects.filter(sheet=sheet).delete()
    _fill(sheet, _parts(sheet, None))
    BalanceSheet.objects.filter(pk=sheet.pk).update(audited_at=now)
    return sheet


def _parts(sheet: BalanceSheet, before: BalanceSheet | None) -> list[Part]:
    """What a sheet is made of: movements before `as_of` that were recorded before `known_until`; with an earlier sheet,
    that one and the difference."""
    parameters: dict[str, Any] = {"as_of": sheet.as_of, "known_until": sheet.known_until}
    when = f"move.{Clock(sheet.clock).value}_at"
    known = " AND move.recorded_at < %(known_until)s"
    if before is None:
        return [Part(f"{when} < %(as_of)s{known}", parameters)]
    since = {**parameters, "from": before.as_of}
    parts = [
        Part("sheet_id = %(before)s", {"before": before.pk}, is_sheet=True),
        Part(f"{when} >= %(from)s AND {when} < %(as_of)s{known}", since),
    ]
    if sheet.clock == Clock.HAPPENED:
        # Late for the sheet before: what it did not know, as far as it is known now.
        unknown = "move.recorded_at >= %(known_from)s AND move.recorded_at < %(known_until)s"
        parts += late_parts(unknown, {**since, "known_from": before.known_until, "moment": before.as_of})
    return parts


def _fill(sheet: BalanceSheet, parts: list[Part]) -> None:
    rows, parameters = summed(parts, ("sku_id", "warehouse_id"))
    with connection.cursor() as cursor:
        cursor.execute(_FILL % {"rows": rows}, {**parameters, "sheet": sheet.pk})
        sheet.row_count, sheet.quantity, sheet.value = cursor.fetchone()


def _beginning(clock: str) -> datetime | None:
    """When the ledger begins by this clock; None while it is empty."""
    first: datetime | None = StockMovement.objects.aggregate(first=Min(f"{Clock(clock).value}_at"))["first"]
    return first


def _month_starts(now: datetime) -> list[datetime]:
    """The firsts of the last months, this one's before the earlier ones."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = []
    for _month in range(MONTHS_KEPT):
        starts.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return starts


def _drop_old(now: datetime) -> None:
    """Older sheets go, with their rows (the database's own cascade is not used: rows are many). Years' starts stay."""
    oldest = _month_starts(now)[-1]
    for sheet in BalanceSheet.objects.filter(as_of__lt=oldest):
        moment = sheet.as_of.astimezone(UTC)
        if (moment.month, moment.day) != (1, 1):
            _drop(sheet.pk)


@one_transaction
def _drop(sheet_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM warehouses_stockbalance WHERE sheet_id = %s", [sheet_id])
        cursor.execute("DELETE FROM warehouses_balancesheet WHERE id = %s", [sheet_id])


# Sessions whose activity is not tracked count from their start; those of users we may not look into say nothing at all.
# Autovacuum and its like have no user and post nothing.
_KNOWN_UNTIL = """
SELECT (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
       + count(*) FILTER (WHERE backend_start IS NULL) > 0,
       min(CASE WHEN state = 'disabled' THEN backend_start ELSE xact_start END), clock_timestamp()
FROM pg_stat_activity
WHERE datname = current_database() AND usesysid IS NOT NULL
"""

_FILL = """
WITH made AS (
    INSERT INTO warehouses_stockbalance (sku_id, warehouse_id, quantity, value, sheet_id)
    SELECT balance.*, %%(sheet)s FROM (%(rows)s) balance RETURNING quantity, value
), added AS (
    SELECT count(*) AS rows, coalesce(sum(quantity), 0) AS quantity, coalesce(sum(value), 0) AS value FROM made
)
UPDATE warehouses_balancesheet sheet SET row_count = added.rows, quantity = added.quantity, value = added.value
FROM added WHERE sheet.id = %%(sheet)s RETURNING sheet.row_count, sheet.quantity, sheet.value
"""

_COMPARE = """
SELECT sku_id, warehouse_id, coalesce(balance.quantity, 0), coalesce(balance.value, 0),
       coalesce(ledger.quantity, 0), coalesce(ledger.value, 0)
FROM (SELECT sku_id, warehouse_id, quantity, value FROM warehouses_stockbalance WHERE sheet_id = %%(sheet)s) balance
FULL JOIN (%(ledger)s) AS ledger (sku_id, warehouse_id, quantity, value) USING (sku_id, warehouse_id)
WHERE (balance.quantity, balance.value) IS DISTINCT FROM (ledger.quantity, ledger.value)
ORDER BY 1, 2
"""
