"""Demand that no forecast had in it: the orders since against the forecast in force, told once a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Sku
from config.kernel.models import OutboxEvent
from config.kernel.outbox import Event, record_events
from forecasting.selectors import Pair
from forecasting.selectors.nowcast import LiveView, nowcasts
from warehouses.models import Warehouse

SURPRISED = "forecast.surprised"
# What was ordered longer ago was looked at by an earlier call; calls may be missed for a while.
LOOK_BACK = timedelta(hours=1)
MAX_PAIRS = 5000
# Any constant will do, as long as nobody else takes the same advisory lock.
_LOCK = 741_030


@dataclass(frozen=True, slots=True)
class Surprises:
    looked_at: int = 0
    surprising: int = 0
    told: int = 0


def tell_surprises(*, now: datetime) -> Surprises:
    """Record `forecast.surprised` for every SKU and warehouse with orders of the last hour whose demand is surprising
    (p < .001 either way), once a day and direction. One teller at a time; a second one leaves at once. Cost follows the
    number of SKUs ordered, not of SKUs.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return Surprises()
        pairs = ordered_pairs(since=now - LOOK_BACK)
        found = [view for view in nowcasts(pairs, now=now).values() if view.is_surprising]
        events = _events(found, now)
        known = set(
            OutboxEvent.objects.filter(kind=SURPRISED, key__in=[event.key for event in events]).values_list(
                "key", flat=True
            )
        )
        fresh = [event for event in events if event.key not in known]
        record_events(fresh)
    return Surprises(len(pairs), len(found), len(fresh))


def ordered_pairs(*, since: datetime) -> list[Pair]:
    """The (SKU, warehouse) of orders placed since then, in the order of the keys."""
    with connection.cursor() as cursor:
        cursor.execute(_ORDERED, {"since": since, "at_most": MAX_PAIRS})
        return cursor.fetchall()  # type: ignore[no-any-return]


def _events(views: list[LiveView], now: datetime) -> list[Event]:
    skus = dict(Sku.objects.filter(pk__in={view.sku_id for view in views}).values_list("pk", "code"))
    places = dict(Warehouse.objects.filter(pk__in={view.warehouse_id for view in views}).values_list("pk", "code"))
    today = timezone.localdate(now).isoformat()
    return [
        Event(
            kind=SURPRISED,
            key=f"forecast:{view.sku_id}:{view.warehouse_id}:{today}:{view.direction}",
            payload={
                "sku": skus[view.sku_id],
                "warehouse": places[view.warehouse_id or 0],
                "direction": view.direction,
                "over": view.over,
                "probability": float(f"{view.probability:.3g}"),
                "expected": round(view.today_expected if view.over == "today" else view.expected, 3),
                "observed": round(view.today_observed if view.over == "today" else view.observed, 3),
                "level_factor": round(view.factor, 4),
                "as_of": now.isoformat(),
            },
        )
        for view in views
    ]


_ORDERED = """
SELECT DISTINCT line.sku_id, line.warehouse_id
FROM warehouses_salesorder placed JOIN warehouses_salesorderline line ON line.order_id = placed.id
WHERE placed.ordered_at > %(since)s AND NOT line.is_kit
ORDER BY 1, 2 LIMIT %(at_most)s
"""
