"""Interest told by shops and recommenders becomes days of a SKU in a channel: taken once, added up over all batches.

Lock order: the batch (its unique channel and key: a twin waits for the first) → the days, in the order of SKU and day.
So two batches at once wait for each other at most once, and never in a circle.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from catalog.models import Channel, Sku
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.transactions import one_transaction
from forecasting.models import DemandSignal, SignalBatch

MAX_LINES = 10_000
MAX_COUNT = 10**9
OLDEST = timedelta(days=730)
AHEAD = timedelta(days=1)
NAMES = DemandSignal.NAMES


@dataclass(frozen=True, slots=True)
class ToldSignal:
    """`at`: a moment, or a day of the channel's calendar; a moment without a zone is of the channel's clock."""

    sku_code: str
    at: date | datetime
    counts: tuple[int, ...]
    """In the order of NAMES."""


@dataclass(frozen=True, slots=True)
class TakenBatch:
    """What became of a batch: `rejected` are the lines (from 1) whose SKU did not exist when it came."""

    channel: str
    key: str
    lines: int
    taken: int
    rejected: list[dict[str, Any]] = field(default_factory=list)
    is_duplicate: bool = False


@one_transaction
def take_signals(channel_code: str, key: str, told: Sequence[ToldSignal], *, now: datetime, actor: Any) -> TakenBatch:
    """Add the counts of a batch to the days of its SKUs, once per channel and key, in a constant number of statements.

    The same key with the same lines is answered as it was the first time and counts nothing again. Lines with an
    unknown SKU are left out and named. Raises Conflict for a known key with other lines, ValidationFailed for an
    unknown channel and for any time more than a day ahead or older than two years (then nothing is taken).
    """
    channel = Channel.objects.filter(code=channel_code).first()
    if channel is None:
        raise ValidationFailed(
            _("There is no such channel."), items=[{"field": "channel", "message": _("There is no such channel.")}]
        )
    batch, is_new = _the_batch(channel, key, told, actor)
    skus = Sku.objects.filter(code__in={one.sku_code for one in told})
    if not is_new:  # answered by what was known then
        skus = skus.filter(created_at__lte=batch.received_at)
    known = dict(skus.values_list("code", "pk"))
    rejected = [
        {"line": line, "field": "sku", "sku": one.sku_code, "message": _("There is no such SKU.")}
        for line, one in enumerate(told, start=1)
        if one.sku_code not in known
    ]
    if is_new:
        days = _days(told, ZoneInfo(channel.time_zone), now)
        _add(channel.pk, _summed(told, days, known))
    return TakenBatch(channel.code, key, len(told), len(told) - len(rejected), rejected, not is_new)


def _the_batch(channel: Channel, key: str, told: Sequence[ToldSignal], actor: Any) -> tuple[SignalBatch, bool]:
    digest = hashlib.sha256(
        json.dumps([(one.sku_code, one.at.isoformat(), one.counts) for one in told]).encode()
    ).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_BATCH, [channel.pk, key, digest, len(told), actor and actor.pk])
        is_new = cursor.fetchone() is not None
    batch = SignalBatch.objects.get(channel=channel, key=key)
    if batch.digest != digest:
        raise Conflict(_("A batch with this id was sent before, with other lines."), code="already_recorded")
    return batch, is_new


def _days(told: Sequence[ToldSignal], zone: ZoneInfo, now: datetime) -> list[date]:
    """The channel's day of each line. Raises with every line whose time cannot be."""
    local = now.astimezone(zone)
    first, last = (local - OLDEST).date(), (local + AHEAD).date()
    found, faults = [], []
    for line, one in enumerate(told, start=1):
        try:
            day = _day(one.at, zone)
        except OverflowError:  # the first or last day there is, brought to another zone
            day = date.min
        found.append(day)
        if day > last:
            faults.append({"line": line, "field": "at", "message": _("The day has not come yet.")})
        elif day < first:
            faults.append({"line": line, "field": "at", "message": _("The day is more than two years ago.")})
    if faults:
        raise ValidationFailed(_("Some lines have a time that cannot be."), items=faults)
    return found


def _day(at: date | datetime, zone: ZoneInfo) -> date:
    if not isinstance(at, datetime):
        return at
    return at.astimezone(zone).date() if at.tzinfo else at.date()


def _summed(
    told: Sequence[ToldSignal], days: Sequence[date], known: Mapping[str, int]
) -> list[tuple[int, date, tuple[int, ...]]]:
    """(sku id, day, counts) in the order in which rows are locked; lines of the same SKU and day are one row."""
    sums: dict[tuple[int, date], tuple[int, ...]] = {}
    for one, day in zip(told, days, strict=True):
        if (sku_id := known.get(one.sku_code)) is not None:
            before = sums.get((sku_id, day), (0,) * len(NAMES))
            sums[sku_id, day] = tuple(map(sum, zip(before, one.counts, strict=True)))
    return [(sku_id, day, sums[sku_id, day]) for sku_id, day in sorted(sums)]


def _add(channel_id: int, rows: Sequence[tuple[int, date, tuple[int, ...]]]) -> None:
    if not rows:
        return
    columns = [list(column) for column in zip(*(counts for _sku, _day, counts in rows), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [channel_id, [row[0] for row in rows], [row[1] for row in rows], *columns])


_BATCH = """
INSERT INTO forecasting_signalbatch (channel_id, key, digest, lines, received_at, sender_id)
VALUES (%s, %s, %s, %s, clock_timestamp(), %s)
ON CONFLICT (channel_id, key) DO NOTHING RETURNING id
"""

_UPSERT = f"""
INSERT INTO forecasting_demandsignal AS kept (sku_id, channel_id, day, {", ".join(NAMES)})
SELECT told.sku_id, %s, told.day, {", ".join(f"told.{name}" for name in NAMES)}
FROM unnest(%s::bigint[], %s::date[], {", ".join("%s::bigint[]" for _ in NAMES)})
     AS told (sku_id, day, {", ".join(NAMES)})
ORDER BY told.sku_id, told.day
ON CONFLICT (sku_id, channel_id, day) DO UPDATE
SET {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in NAMES)}
"""  # noqa: S608 - names of columns
