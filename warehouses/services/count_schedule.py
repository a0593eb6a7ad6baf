"""The calendar of counts: every night, what is due by its ABC class goes onto new sheets."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from config.kernel.transactions import one_transaction
from warehouses.locks import LevelKey
from warehouses.models import CountSheet, Warehouse
from warehouses.selectors.counting import DueLevel, consumption_values, due_levels
from warehouses.services.count_sheets import write_sheets

LINES_A_SHEET = 60


@dataclass(slots=True)
class Scheduled:
    warehouses: int = 0
    sheets: int = 0


def schedule_counts(*, now: datetime) -> Scheduled:
    """Make today's sheets of every warehouse, each in its own transaction; the same day again makes none.

    A sheet has the lines of one zone, in walking order, at most LINES_A_SHEET. What stands on an open sheet is left
    out. Per warehouse a handful of queries, whatever the number of levels.
    """
    consumed, outcome = consumption_values(now=now), Scheduled()
    for warehouse in Warehouse.objects.filter(is_active=True).order_by("pk"):
        made = _schedule(warehouse, consumed.get(warehouse.pk, {}), now=now)
        outcome.sheets += made
        outcome.warehouses += bool(made)
    return outcome


@one_transaction
def _schedule(warehouse: Warehouse, consumed: Mapping[int, Decimal], *, now: datetime) -> int:
    """How many sheets were made. Locks the levels that go onto them."""
    today = now.astimezone(ZoneInfo(warehouse.time_zone)).date()
    prefix = f"schedule:{warehouse.pk}:{today.isoformat()}:"
    if CountSheet.objects.filter(key__startswith=prefix).exists():
        return 0
    parts = _parts(due_levels(warehouse, now=now, consumed=consumed, is_paced=True))
    sheets = [
        (CountSheet(key=f"{prefix}{number}", warehouse=warehouse, origin=CountSheet.Origin.SCHEDULE), lines)
        for number, lines in enumerate(parts, start=1)
    ]
    try:
        with transaction.atomic():
            return len(write_sheets(sheets, now=now)) if sheets else 0
    except IntegrityError:  # another run of the same night was faster
        return 0


def _parts(due: list[DueLevel]) -> list[dict[LevelKey, str]]:
    """The lines of each sheet: by zone, in the order they are walked."""
    zones: dict[int | None, list[DueLevel]] = defaultdict(list)
    for level in due:
        zones[level.zone_id].append(level)
    return [
        {level.key: level.abc_class for level in walked[start : start + LINES_A_SHEET]}
        for walked in (sorted(levels, key=lambda level: level.walk) for levels in zones.values())
        for start in range(0, len(walked), LINES_A_SHEET)
    ]
