"""Quantity and value at any past moment, by the clock of the goods (happened) or of the books (recorded).

A movement's value is fixed when it is posted, so the worth of a moment is the sum of the movements until then. A
balance sheet holds that sum at an earlier moment; only what came since is added:

    recorded: sheet + movements recorded in [as_of, at]
    happened: sheet + movements that happened in [as_of, at]
                    + late ones: happened before as_of, recorded from known_until on (so not in the sheet)

A movement booked more than a day late is in an index of its own; one booked within a day was recorded before
as_of + 1 day. Nothing is posted again for a back-dated movement, and no sheet changes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum

from warehouses.models import BalanceSheet, StockValue

Clock = BalanceSheet.Clock
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Worth:
    """Units and what they are worth, in the company's currency."""

    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class WorthRow:
    """One SKU in one warehouse."""

    sku_id: int
    warehouse_id: int
    quantity: Decimal
    value: Decimal


def stock_as_of(
    at: datetime,
    *,
    clock: str = Clock.HAPPENED,
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
) -> dict[tuple[int, int], Worth]:
    """(sku id, warehouse id) → what lay there at the moment `at`, itself included. Nothing and worth nothing is left
    out."""
    rows = _sums(at, clock, ("sku_id", "warehouse_id"), sku_ids, warehouse_ids)
    return {(sku, warehouse): Worth(quantity, value) for sku, warehouse, quantity, value in rows}


def stock_as_of_by_warehouse(
    at: datetime,
    *,
    clock: str = Clock.HAPPENED,
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
) -> dict[int, Worth]:
    """Warehouse id → everything in it."""
    rows = _sums(at, clock, ("warehouse_id",), sku_ids, warehouse_ids)
    return {warehouse: Worth(quantity, value) for warehouse, quantity, value in rows}


def stock_as_of_by_sku(
    at: datetime,
    *,
    clock: str = Clock.HAPPENED,
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
) -> dict[int, Worth]:
    """SKU id → all of it, wherever it is."""
    rows = _sums(at, clock, ("sku_id",), sku_ids, warehouse_ids)
    return {sku: Worth(quantity, value) for sku, quantity, value in rows}


def value_over_time(
    moments: Sequence[datetime],
    *,
    clock: str = Clock.HAPPENED,
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
) -> list[Decimal]:
    """The value at each of these moments (rising): the first as of then, the others by what came between."""
    if not moments:
        return []
    first = stock_as_of_by_warehouse(moments[0], clock=clock, sku_ids=sku_ids, warehouse_ids=warehouse_ids)
    reached = sum((worth.value for worth in first.values()), Decimal(0))
    when = f"move.{Clock(clock).value}_at"
    where, parameters = _filters("move.sku_id", "place.warehouse_id", sku_ids, warehouse_ids)
    sql = f"""
        SELECT width_bucket({when} - interval '1 microsecond', %(moments)s::timestamptz[]), sum(move.value)
        FROM warehouses_stockmovement move JOIN warehouses_location place ON place.id = move.location_id
        WHERE {when} > %(first)s AND {when} <= %(last)s {where} GROUP BY 1
    """  # noqa: S608 (names of columns only)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**parameters, "moments": list(moments), "first": moments[0], "last": moments[-1]})
        came = dict(cursor.fetchall())
    values = [reached]
    for place in range(1, len(moments)):
        reached += came.get(place, Decimal(0))
        values.append(reached)
    return values


def stock_value_now() -> Decimal:
    """The value of all stock as it stands."""
    return StockValue.objects.aggregate(value=Sum("value"))["value"] or Decimal(0)


def sheet_for(at: datetime, *, clock: str) -> BalanceSheet | None:
    """The latest balance sheet that is no later than `at`."""
    return BalanceSheet.objects.filter(clock=clock, as_of__lte=at).order_by("-as_of").first()


def _sums(
    at: datetime,
    clock: str,
    by: Sequence[str],
    sku_ids: Collection[int] | None,
    warehouse_ids: Collection[int] | None,
) -> list[tuple[Any, ...]]:
    """The sums, grouped. A sheet that was removed while we read it (they are kept for some months) is asked for anew:
    one that is still there afterwards was whole meanwhile."""
    for _attempt in range(_ATTEMPTS):
        sheet = sheet_for(at, clock=clock)
        sql, parameters = summed(parts_until(at, clock=clock, sheet=sheet), by, sku_ids, warehouse_ids)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = cursor.fetchall()
        if sheet is None or BalanceSheet.objects.filter(pk=sheet.pk).exists():
            return rows
    raise RuntimeError("balance sheets are removed faster than they can be read")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows to be summed: of a sheet, or movements under a condition. `name` tells its parameters from the others'."""

    condition: str
    parameters: dict[str, Any]
    is_sheet: bool = False


def parts_until(at: datetime, *, clock: str, sheet: BalanceSheet | None) -> list[Part]:
    """What adds up to the stock at `at`, itself included."""
    when = f"move.{Clock(clock).value}_at"
    if sheet is None:
        return [Part(f"{when} <= %(at)s", {"at": at})]
    parameters = {"at": at, "as_of": sheet.as_of, "known_until": sheet.known_until}
    parts = [Part("sheet_id = %(sheet)s", {"sheet": sheet.pk}, is_sheet=True)]
    parts.append(Part(f"{when} >= %(as_of)s AND {when} <= %(at)s", parameters))
    if clock == Clock.HAPPENED:
        parts += late_parts("move.recorded_at >= %(known_until)s", {**parameters, "moment": sheet.as_of})
    return parts


def late_parts(since: str, parameters: dict[str, Any]) -> list[Part]:
    """Movements that happened before the parameter `moment`, a sheet's, and were recorded `since` it was taken: the
    very late ones by their own index, the others among what was recorded up to a day after the moment."""
    very = "move.recorded_at - move.happened_at > interval '1 day'"
    early = f"{since} AND move.happened_at < %(moment)s"
    return [
        Part(f"{early} AND {very}", parameters),
        Part(f"{early} AND move.recorded_at < %(moment)s + interval '1 day' AND NOT ({very})", parameters),
    ]


def summed(
    parts: Sequence[Part],
    by: Sequence[str],
    sku_ids: Collection[int] | None = None,
    warehouse_ids: Collection[int] | None = None,
) -> tuple[str, dict[str, Any]]:
    """(SQL, parameters): the parts added up by `by`, what comes to nothing left out."""
    parameters: dict[str, Any] = {}
    selects = []
    for part in parts:
        parameters |= part.parameters
        if part.is_sheet:
            where, more = _filters("balance.sku_id", "balance.warehouse_id", sku_ids, warehouse_ids)
            columns = ", ".join(f"balance.{name}" for name in by)
            source = "warehouses_stockbalance balance"
            amount = "balance"
        else:
            where, more = _filters("move.sku_id", "place.warehouse_id", sku_ids, warehouse_ids)
            columns = ", ".join(("move." if name == "sku_id" else "place.") + name for name in by)
            source = "warehouses_stockmovement move JOIN warehouses_location place ON place.id = move.location_id"
            amount = "move"
        parameters |= more
        selects.append(
            f"SELECT {columns}, {amount}.quantity, {amount}.value FROM {source} WHERE {part.condition} {where}"  # noqa: S608
        )
    names = ", ".join(by)
    sql = (
        f"SELECT {names}, sum(quantity), sum(value) FROM ({' UNION ALL '.join(selects)}) part "  # noqa: S608
        f"GROUP BY {names} HAVING sum(quantity) <> 0 OR sum(value) <> 0 ORDER BY {names}"
    )
    return sql, parameters


def _filters(
    sku: str, warehouse: str, sku_ids: Collection[int] | None, warehouse_ids: Collection[int] | None
) -> tuple[str, dict[str, Any]]:
    where, parameters = "", {}
    if sku_ids is not None:
        where += f" AND {sku} = ANY(%(sku_ids)s)"
        parameters["sku_ids"] = list(sku_ids)
    if warehouse_ids is not None:
        where += f" AND {warehouse} = ANY(%(warehouse_ids)s)"
        parameters["warehouse_ids"] = list(warehouse_ids)
    return where, parameters
