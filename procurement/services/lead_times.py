"""How long suppliers really take: read off receipts and open orders, learned by the engine, kept as profiles."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from procurement.models import LeadTimeProfile, Supplier

if TYPE_CHECKING:
    from procurement.engine.lead_times.types import Profile

READ_DAYS = 730
"""Deliveries of orders sent earlier say little about a supplier of today."""
_LEARNING_LOCK = 7_203_117
_FIELDS = (
    "deliveries",
    "open_orders",
    "mean_days",
    "sd_days",
    "own_weight",
    "p50_days",
    "p95_days",
    "late_days",
    "on_time_share",
    "learned_at",
)
Key = tuple[int, int | None]
"""(supplier id, SKU id; None: all of the supplier's)"""


def learn_lead_times(now: datetime) -> int:
    """Bring every supplier's and item's profile up to date; returns how many there are. Five queries.

    Days run from the sending of an order to each receipt of a line; a line of which nothing has come counts as under
    way for so long already. A supplier of few deliveries is drawn towards its stated lead time, an item towards its
    supplier. One learner at a time.
    """
    today = timezone.localdate(now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LEARNING_LOCK])
        cursor.execute(_OBSERVED, {"since": today - timedelta(days=READ_DAYS), "today": today})
        rows = cursor.fetchall()
        profiles = _profiles(rows) if rows else {}
        counted = _counted(rows)
        LeadTimeProfile.objects.exclude(supplier__in={supplier for supplier, _sku in profiles}).delete()
        LeadTimeProfile.objects.bulk_create(
            [_row(key, profile, counted[key], now) for key, profile in profiles.items()],
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["supplier", "sku"],
            update_fields=_FIELDS,
        )
        LeadTimeProfile.objects.filter(learned_at__lt=now).delete()
    return len(profiles)


def _profiles(rows: list[tuple[Any, ...]]) -> dict[Key, "Profile"]:
    import numpy as np

    from procurement.engine.lead_times.learn import learn_lead_times as learn
    from procurement.engine.lead_times.types import Observations

    supplier, skus, order, days, is_open, units, promised = zip(*rows, strict=True)
    observed = Observations(
        supplier=np.array(supplier, dtype=np.int64),
        item=np.array(skus, dtype=np.int64),
        shipment=np.array(order, dtype=np.int64),
        days=np.array(days, dtype=float),
        is_open=np.array(is_open, dtype=bool),
        units=np.array(units, dtype=float),
        promised=np.array(promised, dtype=float),
    )
    stated = dict(Supplier.objects.filter(pk__in=set(supplier)).values_list("pk", "lead_time_days"))
    items, suppliers, _all = learn(observed, stated={pk: float(own) for pk, own in stated.items()})
    found: dict[Key, Profile] = {(pk, None): profile for pk, profile in suppliers.items()}
    return found | {(pk, sku): profile for (pk, sku), profile in items.items()}


def _counted(rows: list[tuple[Any, ...]]) -> Mapping[Key, dict[str, int]]:
    """How many receipts came and how many of them in time, and how many lines are still under way."""
    counted: dict[Key, dict[str, int]] = defaultdict(lambda: {"came": 0, "in_time": 0, "open": 0})
    for supplier, sku, _order, days, is_open, _units, promised in rows:
        for key in ((supplier, sku), (supplier, None)):
            counted[key]["open" if is_open else "came"] += 1
            counted[key]["in_time"] += not is_open and days <= promised
    return counted


def _row(key: Key, profile: "Profile", counted: dict[str, int], now: datetime) -> LeadTimeProfile:
    late = profile.promised_bias
    return LeadTimeProfile(
        supplier_id=key[0],
        sku_id=key[1],
        deliveries=profile.observations,
        open_orders=counted["open"],
        mean_days=profile.mean,
        sd_days=profile.sd,
        own_weight=profile.own_weight,
        p50_days=profile.quantile(0.5),
        p95_days=profile.quantile(0.95),
        late_days=late if late == late else None,  # nan is not equal to itself
        on_time_share=counted["in_time"] / counted["came"] if counted["came"] else None,
        learned_at=now,
    )


_OBSERVED = """
SELECT o.supplier_id, line.sku_id, o.id,
       GREATEST((r.received_at::date - o.sent_at::date), 0)::float8, FALSE, rl.quantity::float8,
       (COALESCE(line.promised_on, line.need_by) - o.sent_at::date)::float8
FROM procurement_receiptline rl
JOIN procurement_receipt r ON r.id = rl.receipt_id
JOIN procurement_purchaseorderline line ON line.id = rl.order_line_id
JOIN procurement_purchaseorder o ON o.id = line.order_id
WHERE o.sent_at >= %(since)s AND r.received_at >= o.sent_at
UNION ALL
SELECT o.supplier_id, line.sku_id, o.id, GREATEST((%(today)s::date - o.sent_at::date), 0)::float8, TRUE,
       line.quantity::float8, (COALESCE(line.promised_on, line.need_by) - o.sent_at::date)::float8
FROM procurement_purchaseorderline line
JOIN procurement_purchaseorder o ON o.id = line.order_id
WHERE o.sent_at >= %(since)s AND o.status IN ('sent', 'confirmed', 'partially_received')
  AND line.status <> 'rejected' AND line.received_quantity = 0 AND line.quantity > 0
ORDER BY 1, 2, 3, 4
"""
