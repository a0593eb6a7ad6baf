"""What is to be counted, what a sheet may show to whom, and how often the books were right."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from warehouses.engine.classes import CountRecord, abc_classes, due_for_count
from warehouses.locks import LevelKey
from warehouses.models import CountLine, CountSheet, Location, StockLevel, Warehouse

CONSUMED_DAYS = 365
LEAST_A_DAY = 60
ACCURACY_DAYS = 90
# A record is accurate when the count differs by at most this share of what the books said: by ABC class, the usual
# tolerances of cycle counting (APICS: 0.2, 1 and 5 %). A line without a class must be exact.
TOLERANCES = {"A": Decimal("0.002"), "B": Decimal("0.01"), "C": Decimal("0.05"), "": Decimal(0)}
# What lies there is under way: it is counted where it arrives.
NOT_COUNTED = (Location.Kind.IN_TRANSIT, Location.Kind.PACKING)


@dataclass(frozen=True, slots=True)
class DueLevel:
    """A level to count, and its place in the walk."""

    key: LevelKey
    abc_class: str
    zone_id: int | None
    walk: tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Inventory record accuracy of a warehouse: counted lines, and those within tolerance."""

    warehouse: Warehouse
    counted: int
    accurate: int

    @property
    def share(self) -> float | None:
        return self.accurate / self.counted if self.counted else None


def consumption_values(*, now: datetime, days: int = CONSUMED_DAYS) -> dict[int, dict[int, Decimal]]:
    """warehouse id → SKU id → worth of what was sold from there in the last `days`, from the ledger, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSUMED, [now - timedelta(days=days), now])
        values: dict[int, dict[int, Decimal]] = defaultdict(dict)
        for warehouse_id, sku_id, value in cursor.fetchall():
            values[warehouse_id][sku_id] = value
    return dict(values)


def due_levels(
    warehouse: Warehouse,
    *,
    now: datetime,
    consumed: Mapping[int, Decimal],
    locations: Collection[int] | None = None,
    is_paced: bool = False,
) -> list[DueLevel]:
    """The levels of a warehouse whose count is due, most urgent first; none that stands on an open sheet.

    The class comes from `consumed` (SKU id → worth of a year's sales); SKUs without sales are C. Never counted: due.
    `is_paced`: no more than a day's work, so that a house that begins to count is not asked for everything at once.
    """
    levels = counted_levels(warehouse)
    if locations is not None:
        levels = levels.filter(location__in=locations)
    rows = levels.values_list(
        "pk", "sku_id", "location_id", "lot_id", "status", "location__sequence", "location__code", "sku__code"
    )
    stock = {pk: (LevelKey(*key), (sequence, place, sku)) for pk, *key, sequence, place, sku in rows}
    open_keys = set(open_lines(warehouse_id=warehouse.pk))
    last = _last_counted(warehouse, now=now)
    skus = {key.sku_id for key, _walk in stock.values()}
    classes = abc_classes({sku: consumed.get(sku, Decimal(0)) for sku in skus | set(consumed)})
    today = now.astimezone(ZoneInfo(warehouse.time_zone)).date()
    records = [
        CountRecord(pk, classes[key.sku_id], last.get(key))
        for pk, (key, _walk) in stock.items()
        if key not in open_keys
    ]
    intervals, zones = count_intervals(warehouse), zone_of_location(warehouse)
    due = due_for_count(records, today=today, interval_days=intervals)
    if is_paced:
        due = due[: daily_lines((classes[key.sku_id] for key, _walk in stock.values()), intervals)]
    return [
        DueLevel(key, count.item_class, zones.get(key.location_id), walk)
        for count in due
        for key, walk in [stock[count.key]]  # type: ignore[index]
    ]


def daily_lines(classes: Iterable[str], interval_days: Mapping[str, int]) -> int:
    """How many lines a day may bring: twice what keeps every class within its interval, at least LEAST_A_DAY.

    Worked: 3,000 A every 30 days and 36,500 C every 365 days are 100 + 100 lines a day → 400.
    """
    sizes = Counter(classes)
    steady = sum(sizes[name] / days for name, days in interval_days.items())
    return max(LEAST_A_DAY, ceil(2 * steady))


def counted_levels(warehouse: Warehouse) -> Any:
    """The levels of a warehouse that a count can be asked for: what the books say lies in its bins."""
    levels = StockLevel.objects.filter(location__warehouse=warehouse, on_hand__gt=0)
    return levels.exclude(location__kind__in=NOT_COUNTED).order_by("pk")


def count_intervals(warehouse: Warehouse) -> dict[str, int]:
    """Days between counts by ABC class; a class with 0 days is not counted by the calendar."""
    days = {"A": warehouse.count_days_a, "B": warehouse.count_days_b, "C": warehouse.count_days_c}
    return {name: every for name, every in days.items() if every}


def zone_of_location(warehouse: Warehouse) -> dict[int, int]:
    """Location id → the topmost location it lies in (itself, when it lies in none)."""
    parents = dict(Location.objects.filter(warehouse=warehouse).values_list("pk", "parent_id"))
    zones: dict[int, int] = {}
    for start in parents:
        place, seen = start, {start}
        while (above := parents.get(place)) is not None and above not in seen:
            place = above
            seen.add(place)
        zones[start] = place
    return zones


def locations_within(warehouse: Warehouse, codes: Iterable[str]) -> set[int]:
    """The locations of these codes and everything that lies in them."""
    children: dict[int | None, list[int]] = defaultdict(list)
    wanted, codes = [], set(codes)
    for pk, parent, code in Location.objects.filter(warehouse=warehouse).values_list("pk", "parent_id", "code"):
        children[parent].append(pk)
        if code in codes:
            wanted.append(pk)
    found: set[int] = set()
    while wanted:
        place = wanted.pop()
        if place not in found:
            found.add(place)
            wanted += children[place]
    return found


def open_lines(keys: Iterable[LevelKey] | None = None, *, warehouse_id: int | None = None) -> dict[LevelKey, CountLine]:
    """The lines of open sheets by their level; a level stands on one open sheet at most."""
    lines = CountLine.objects.filter(sheet__status__in=CountSheet.OPEN_STATES).select_related("sheet")
    if warehouse_id is not None:
        lines = lines.filter(sheet__warehouse=warehouse_id)
    wanted = None if keys is None else set(keys)
    if wanted is not None:
        lines = lines.filter(sku__in={key.sku_id for key in wanted}, location__in={key.location_id for key in wanted})
    found = {level_key_of_line(line): line for line in lines}
    return found if wanted is None else {key: line for key, line in found.items() if key in wanted}


def level_key_of_line(line: CountLine) -> LevelKey:
    return LevelKey(line.sku_id, line.location_id, line.lot_id, line.status)


def variance_of(line: CountLine) -> Decimal | None:
    """Counted less what the books said at that moment."""
    if line.counted_quantity is None or line.on_hand_at_count is None:
        return None
    return line.counted_quantity - line.on_hand_at_count


def hides_expectations(sheet: CountSheet) -> bool:
    """Whether what the books say stays unsaid: a blind sheet that is still being counted."""
    return sheet.is_blind and sheet.status in (CountSheet.Status.OPEN, CountSheet.Status.RECOUNT)


def with_progress(sheets: QuerySet) -> QuerySet:
    """The sheets with `line_count` and `counted_lines`, counted for the rows of a page only."""

    def number(**condition: Any) -> Coalesce:
        lines = CountLine.objects.filter(sheet=OuterRef("pk"), **condition).order_by().values("sheet")
        return Coalesce(Subquery(lines.annotate(rows=Count("pk")).values("rows")), 0)

    return sheets.annotate(line_count=number(), counted_lines=number(counted_quantity__isnull=False))


def shown_lines(sheet: CountSheet) -> list[Any]:
    """The lines as a page, the API or a print may show them, with `expected` and `variance`.

    The one place where a blind count is kept blind: what would tell the expected quantity is None here.
    """
    lines: list[Any] = list(
        sheet.lines.select_related("sku", "location__warehouse", "lot", "counted_by").order_by("line_number")
    )
    is_hidden = hides_expectations(sheet)
    books = {} if is_hidden else _books(lines)
    for line in lines:
        line.variance = variance_of(line)
        line.expected = books.get(level_key_of_line(line), Decimal(0)) if line.on_hand_at_count is None else None
        if line.expected is None:
            line.expected = line.on_hand_at_count
        if is_hidden:
            line.variance = line.expected = line.on_hand_at_count = line.variance_value = line.first_count = None
    return lines


def record_accuracy(
    *, since: datetime, until: datetime, warehouse_ids: Collection[int] | None = None
) -> list[Accuracy]:
    """Inventory record accuracy by warehouse: of the lines counted in this period on sheets that were posted, how many
    were within the tolerance of their class. Warehouses without counts are left out."""
    lines = CountLine.objects.filter(
        sheet__status=CountSheet.Status.POSTED, counted_at__gte=since, counted_at__lt=until
    )
    if warehouse_ids is not None:
        lines = lines.filter(sheet__warehouse__in=warehouse_ids)
    sums = {
        warehouse_id: (counted, accurate)
        for warehouse_id, counted, accurate in lines.order_by()
        .values("sheet__warehouse_id")
        .annotate(counted=Count("pk"), accurate=Count("pk", filter=_is_accurate()))
        .values_list("sheet__warehouse_id", "counted", "accurate")
    }
    warehouses = Warehouse.objects.filter(pk__in=sums).order_by("code")
    return [Accuracy(warehouse, *sums[warehouse.pk]) for warehouse in warehouses]


def _is_accurate() -> Q:
    condition = Q(pk__in=[])
    for name, share in TOLERANCES.items():
        condition |= Q(
            abc_class=name,
            counted_quantity__lte=F("on_hand_at_count") * (1 + share),
            counted_quantity__gte=F("on_hand_at_count") * (1 - share),
        )
    return condition


def _books(lines: Iterable[CountLine]) -> dict[LevelKey, Decimal]:
    lines = [line for line in lines if line.on_hand_at_count is None]
    levels = StockLevel.objects.filter(
        sku__in={line.sku_id for line in lines}, location__in={line.location_id for line in lines}
    )
    rows = levels.values_list("sku_id", "location_id", "lot_id", "status", "on_hand")
    return {LevelKey(*row[:4]): row[4] for row in rows}


def _last_counted(warehouse: Warehouse, *, now: datetime) -> dict[LevelKey, Any]:
    """The day each level was counted last, on a sheet that was posted."""
    zone = ZoneInfo(warehouse.time_zone)
    rows = (
        CountLine.objects.filter(
            sheet__warehouse=warehouse, sheet__status=CountSheet.Status.POSTED, counted_at__isnull=False
        )
        .order_by()
        .values_list("sku_id", "location_id", "lot_id", "status")
        .annotate(last=Max("counted_at"))
    )
    return {LevelKey(*key): last.astimezone(zone).date() for *key, last in rows}


_CONSUMED = """
SELECT location.warehouse_id, move.sku_id, -sum(move.value)
FROM warehouses_stockmovement move JOIN warehouses_location location ON location.id = move.location_id
WHERE move.kind = 'sale' AND move.happened_at > %s AND move.happened_at <= %s
GROUP BY 1, 2
"""
