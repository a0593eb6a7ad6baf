"""Which SKUs a recommender should push or hold back now: free stock, arrivals and expected demand of all at once.

A constant number of queries for any number of SKUs; the score is `forecasting.engine.recommending`. Demand is that of
all channels in the warehouses that serve the channel: they sell from the same stock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from catalog.models import Channel, Listing, Sku
from forecasting.selectors import latest_run
from forecasting.selectors.expected import Expected, expected_of
from warehouses.models import Warehouse
from warehouses.selectors.promising import listed_buffers
from warehouses.selectors.supply import SupplyBook, read_supply

if TYPE_CHECKING:
    from forecasting.engine.recommending import Advice

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Recommendable:
    """A SKU's advice; `margin` = (price − cost) / price decides between equal scores."""

    sku_id: int
    code: str
    score: float
    verdict: str
    reasons: tuple[str, ...]
    margin: float
    free: float
    arriving: float
    next_arrival: date | None
    expected: float
    protection_days: int | None
    cover_days: float | None

    @property
    def rank(self) -> tuple[float, float, str]:
        return (-self.score, -self.margin, self.code)


@dataclass(frozen=True, slots=True)
class _Item:
    sku_id: int
    code: str
    is_phase_out: bool
    is_for_sale: bool
    price: float
    cost: float


def recommendable_skus(
    *,
    now: datetime,
    channel: Channel | None = None,
    warehouse: Warehouse | None = None,
    category_id: int | None = None,
    actor_skus: Any = None,
) -> list[Recommendable]:
    """Every SKU that could be recommended, the ones to push first (then the larger margin, then the code).

    With a channel: what is listed there, and what is promised to it; without one: every SKU, and all that is free.
    `category_id` takes the categories below it too. `actor_skus` limits to the SKUs of a queryset.
    """
    items = _items(channel, category_id, actor_skus)
    if not items:
        return []
    ids = [item.sku_id for item in items]
    with_safety = channel is not None and channel.holds_back_safety_stock
    book = read_supply(ids, now=now, with_safety=with_safety, channel_ids=[channel.pk] if channel else [])
    places = _places(book, channel, warehouse)
    free = _free(book, channel, warehouse, ids, places)
    expected = expected_of(latest_run(), ids, places=places, now=now)
    advised = _advised(items, free, book, places, expected, timezone.localdate(now))
    return sorted(advised, key=lambda one: one.rank)


def _items(channel: Channel | None, category_id: int | None, actor_skus: Any) -> list[_Item]:
    rows = Sku.objects.all() if actor_skus is None else actor_skus
    if category_id is not None:
        rows = rows.filter(product__category_id__in=_below(category_id))
    listings = Listing.objects.all() if channel is None else Listing.objects.filter(channel=channel)
    listed: dict[int, bool] = {}
    for sku_id, is_active in listings.order_by().values_list("sku_id", "is_active"):
        listed[sku_id] = listed.get(sku_id, False) or is_active
    columns = ("pk", "code", "status", "unit_price", "unit_cost")
    return [
        _Item(
            pk,
            code,
            status == Sku.Status.PHASE_OUT,
            status != Sku.Status.DISCONTINUED and listed.get(pk, True),
            float(price),
            float(cost),
        )
        for pk, code, status, price, cost in rows.order_by().values_list(*columns)
        if channel is None or pk in listed
    ]


def _below(category_id: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, [category_id])
        return [pk for (pk,) in cursor.fetchall()]


def _places(book: SupplyBook, channel: Channel | None, warehouse: Warehouse | None) -> frozenset[int]:
    """The warehouses that count."""
    if channel is not None:
        served = book.reach.get(channel.pk, frozenset())
    else:
        served = frozenset(Warehouse.objects.filter(is_active=True).values_list("pk", flat=True))
    return served if warehouse is None else served & {warehouse.pk}


def _free(
    book: SupplyBook,
    channel: Channel | None,
    warehouse: Warehouse | None,
    sku_ids: Sequence[int],
    places: frozenset[int],
) -> dict[int, float]:
    """sku id → units that may be promised now: to the channel, and in the warehouse, where they are named."""
    if channel is None:
        return {sku_id: _here(book, sku_id, places) for sku_id in sku_ids}
    buffers = listed_buffers(channel.pk, book)
    promised = {sku_id: _promised(book, channel, sku_id, buffers, places) for sku_id in sku_ids}
    if warehouse is None:
        return promised
    return {
        sku_id: units if sku_id in book.parts else min(units, _here(book, sku_id, places))
        for sku_id, units in promised.items()
    }


def _here(book: SupplyBook, sku_id: int, places: frozenset[int]) -> float:
    positions = book.positions.get(sku_id, {})
    free = sum(max(float(p.usable) - float(p.reserved), 0.0) for place, p in positions.items() if place in places)
    return max(free - sum(float(units) for place, _c, units in book.owed.get(sku_id, ()) if place in places), 0.0)


def _promised(
    book: SupplyBook, channel: Channel, sku_id: int, buffers: Mapping[int, Any], places: frozenset[int]
) -> float:
    """`SupplyBook.availability` now. Where nothing waits, nothing is kept for others and it is no kit, that is what is
    free less the buffer: worked out without the picture of it."""
    if sku_id in book.quotas or sku_id in book.owed or sku_id in book.parts:
        return float(book.availability(channel, sku_id, buffers=buffers).now)
    own = buffers.get(sku_id)
    kept = float(channel.buffer_quantity if own is None else own)
    served = book.reach.get(channel.pk, frozenset())
    if channel.holds_back_safety_stock:
        kept += sum(float(book.safety.get((sku_id, place), 0)) for place in served)
    there = [p for place, p in book.positions.get(sku_id, {}).items() if place in served]
    return max(sum(float(p.usable) - float(p.reserved) for p in there) - kept, 0.0)


def _advised(
    items: Sequence[_Item],
    free: Mapping[int, float],
    book: SupplyBook,
    places: Collection[int],
    expected: Mapping[int, Expected],
    today: date,
) -> list[Recommendable]:
    import numpy as np

    from forecasting.engine.recommending import REASONS, VERDICTS, Situation, advise

    n = len(items)
    nothing = Expected(0, (0.0,))
    demand, until, arriving = np.zeros(n), np.zeros(n), np.zeros(n)
    nearest: list[date | None] = [None] * n
    for row, item in enumerate(items):
        due = expected.get(item.sku_id, nothing)
        demand[row] = until[row] = due.over(due.protection_days)
        for inbound in book.inbound.get(item.sku_id, ()):
            days = (inbound.on - today).days
            if inbound.warehouse_id in places and 0 <= days <= due.protection_days:
                arriving[row] += float(inbound.quantity)
                if nearest[row] is None:
                    nearest[row], until[row] = inbound.on, due.over(days)
    advice: Advice = advise(
        Situation(
            np.array([free[item.sku_id] for item in items]),
            arriving,
            demand,
            until,
            np.array([item.is_phase_out for item in items]),
            np.array([item.is_for_sale for item in items]),
            np.array([item.sku_id in expected for item in items]),
        )
    )
    score, verdict = advice.score.round(_DIGITS).tolist(), advice.verdict.tolist()
    marks = (advice.reasons @ (1 << np.arange(len(REASONS)))).tolist()
    names = {mark: tuple(name for k, name in enumerate(REASONS) if mark >> k & 1) for mark in set(marks)}
    return [
        Recommendable(
            sku_id=item.sku_id,
            code=item.code,
            score=score[row],
            verdict=VERDICTS[verdict[row]],
            reasons=names[marks[row]],
            margin=round((item.price - item.cost) / item.price, _DIGITS) if item.price > 0 else 0.0,
            free=free[item.sku_id],
            arriving=float(arriving[row]),
            next_arrival=nearest[row],
            expected=round(float(demand[row]), 3),
            protection_days=expected[item.sku_id].protection_days if item.sku_id in expected else None,
            cover_days=_cover_days(free[item.sku_id], expected.get(item.sku_id)),
        )
        for row, item in enumerate(items)
    ]


def _cover_days(free: float, due: Expected | None) -> float | None:
    """Days that what is free lasts at the expected rate; None without demand."""
    if due is None or (total := due.over(due.protection_days)) <= 0:
        return None
    return round(free / total * due.protection_days, 1)


_BELOW = """
WITH RECURSIVE below AS (
    SELECT id FROM catalog_category WHERE id = %s
    UNION SELECT child.id FROM catalog_category child JOIN below ON child.parent_id = below.id
)
SELECT id FROM below
"""
