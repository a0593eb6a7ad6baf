"""What is free of the levels we hold locked, as one channel may take it: quotas of other channels are not eaten.

Within a warehouse what is taken first is its picking rule's choice (FEFO, FIFO, nearest bin); receiving comes last.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from warehouses.engine.quotas import Protection, Quota
from warehouses.locks import FreeLevel, locked_free_quotas, locked_quotas, locked_usable_levels
from warehouses.models import ChannelQuota, ChannelRoute, Location, StockLevel, Warehouse

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Decimal(0)
_RECEIVING = Location.Kind.RECEIVING.value
_NEAREST, _FIFO = Warehouse.PickingRule.NEAREST.value, Warehouse.PickingRule.FIFO.value


@dataclass(slots=True)
class OpenQuota:
    """What remains of a channel's quota, which any of the warehouses that serve the channel may fill."""

    pk: int
    channel_id: int
    remaining: Decimal
    warehouses: frozenset[int]


@dataclass(frozen=True, slots=True)
class FreeStock:
    """Taking from it makes it smaller, so lines of one SKU (and kits with common parts) share it.

    Where a SKU has quotas, `channel_id` takes no more than leaves the quotas of others as they are, from its own first.
    """

    levels: Mapping[tuple[int, int], list[FreeLevel]]
    """(sku id, warehouse id) → levels in the order they are taken."""
    taken: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    quotas: Mapping[int, Sequence[OpenQuota]] = field(default_factory=dict)
    channel_id: int | None = None
    quota_used: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """quota id → units taken of it."""

    @classmethod
    def of(cls, levels: Iterable[StockLevel]) -> "FreeStock":
        """Of levels as model instances; they need their location (with its warehouse) and lot loaded."""
        return cls(grouped([_free_level(level) for level in levels]))

    def for_channel(self, channel_id: int) -> "FreeStock":
        """The same stock, as another channel may take it."""
        return replace(self, channel_id=channel_id) if self.quotas else self

    def available(self, sku_id: int, warehouse_id: int) -> Decimal:
        free = self._there(sku_id, warehouse_id)
        if free and self._is_protected(sku_id):
            return self._protection(sku_id).allowed(warehouse_id)  # type: ignore[no-any-return]
        return free

    def available_together(self, sku_id: int, warehouse_ids: Sequence[int]) -> dict[int, Decimal]:
        """Warehouse id → units, for the warehouses that know the SKU; all of it may be taken at once."""
        known = [w for w in warehouse_ids if (sku_id, w) in self.levels]
        if self._is_protected(sku_id):
            return self._protection(sku_id).allowed_together(known)  # type: ignore[return-value]
        return {w: self._there(sku_id, w) for w in known}

    def take(self, sku_id: int, warehouse_id: int, quantity: Decimal) -> dict[int, Decimal]:
        """Up to `quantity` units, level id → units."""
        if self._is_protected(sku_id):
            quantity = min(quantity, self.available(sku_id, warehouse_id))
        parts: dict[int, Decimal] = {}
        left = quantity
        for level in self.levels.get((sku_id, warehouse_id), ()):
            if left <= 0:
                break
            part = min(level.on_hand - level.reserved - self.taken[level.pk], left)
            if part > 0:
                parts[level.pk] = part
                self.taken[level.pk] += part
                left -= part
        for quota in self.quotas.get(sku_id, ()):
            if quota.channel_id == self.channel_id and warehouse_id in quota.warehouses:
                used = min(quota.remaining, quantity - left)
                quota.remaining -= used
                self.quota_used[quota.pk] += used
        return parts

    def choose(self, sku_id: int, warehouse_ids: Sequence[int], quantity: Decimal) -> int:
        """The first warehouse that can serve the whole quantity; if none can, the (first) one with most."""
        free = {warehouse: self.available(sku_id, warehouse) for warehouse in warehouse_ids}
        whole = (warehouse for warehouse in warehouse_ids if free[warehouse] >= quantity)
        return next(whole, max(warehouse_ids, key=free.__getitem__))

    def _there(self, sku_id: int, warehouse_id: int) -> Decimal:
        free = _NOTHING
        for level in self.levels.get((sku_id, warehouse_id), ()):
            free += level.on_hand - level.reserved
            if self.taken:
                free -= self.taken.get(level.pk, _NOTHING)
        return free

    def _is_protected(self, sku_id: int) -> bool:
        return bool(self.quotas) and self.channel_id is not None and sku_id in self.quotas

    def _protection(self, sku_id: int) -> Protection:
        free = {w: self._there(sku, w) for sku, w in self.levels if sku == sku_id}
        own = None
        others = []
        for quota in self.quotas[sku_id]:
            said = Quota(quota.channel_id, quota.remaining, quota.warehouses)  # type: ignore[arg-type]
            if quota.channel_id == self.channel_id:
                own = said
            else:
                others.append(said)
        return Protection(free, others, own)  # type: ignore[arg-type]


def locked_free_stock(
    sku_ids: Iterable[int], warehouse_ids: Iterable[int], *, now: datetime, channel_id: int | None = None
) -> FreeStock:
    """The usable levels of these SKUs in these warehouses, locked in primary-key order.

    With a channel the open quotas of the SKUs are locked before, and the levels of every warehouse that serves them
    too: what is kept for another channel is not there to be taken.
    """
    today = timezone.localdate(now)
    if channel_id is None:
        return FreeStock(grouped(locked_usable_levels(sku_ids, warehouse_ids, today=today)))
    sku_ids = list(sku_ids)
    quotas = open_quotas(locked_quotas(sku_ids), now=now)
    places = set(warehouse_ids).union(*(quota.warehouses for rows in quotas.values() for quota in rows))
    levels = locked_usable_levels(sku_ids, places, today=today)
    return FreeStock(grouped(levels), quotas=quotas, channel_id=channel_id)


def unbusy_free_stock(sku_ids: Collection[int], warehouse_ids: Iterable[int], *, now: datetime) -> FreeStock:
    """What can be locked without waiting (see warehouses.locks); SKUs whose quotas are busy are left out."""
    rows, busy = locked_free_quotas(sku_ids)
    quotas = open_quotas(rows, now=now)
    places = set(warehouse_ids).union(*(quota.warehouses for rows in quotas.values() for quota in rows))
    wanted = [sku_id for sku_id in sku_ids if sku_id not in busy]
    levels = locked_usable_levels(wanted, places, today=timezone.localdate(now), skip_busy=True)
    return FreeStock(grouped(levels), quotas=quotas)


def open_quotas(rows: Iterable[ChannelQuota], *, now: datetime) -> dict[int, list[OpenQuota]]:
    """By SKU id: the quotas that are not expired and not used up, with the warehouses that serve their channels."""
    rows = [row for row in rows if row.used < row.quantity and (row.expires_at is None or row.expires_at > now)]
    if not rows:
        return {}
    reach: dict[int, set[int]] = defaultdict(set)
    routes = ChannelRoute.objects.filter(channel__in={row.channel_id for row in rows}, warehouse__is_active=True)
    for channel, warehouse in routes.values_list("channel_id", "warehouse_id"):
        reach[channel].add(warehouse)
    quotas: dict[int, list[OpenQuota]] = defaultdict(list)
    for row in rows:
        left = row.quantity - row.used
        quotas[row.sku_id].append(OpenQuota(row.pk, row.channel_id, left, frozenset(reach[row.channel_id])))
    return dict(quotas)


def grouped(levels: Sequence[FreeLevel]) -> dict[tuple[int, int], list[FreeLevel]]:
    groups: dict[tuple[int, int], list[FreeLevel]] = defaultdict(list)
    for level in sorted(levels, key=_removal_order) if len(levels) > 1 else levels:
        groups[level.sku_id, level.warehouse_id].append(level)
    return dict(groups)


def removal_order(level: StockLevel) -> tuple[bool, Any, int]:
    """What is taken first of one warehouse, by its picking rule; what is still in receiving comes last."""
    return _removal_order(_free_level(level))


def _removal_order(level: FreeLevel) -> tuple[bool, Any, int]:
    came_in = level.filled_at or _LONG_AGO
    rule = level.picking_rule
    if rule == _NEAREST:
        order: Any = (level.sequence, level.code, level.expires_on or date.max)
    elif rule == _FIFO:
        order = (level.received_on or came_in.date(), came_in, level.sequence)
    else:
        order = (level.expires_on or date.max, came_in, level.sequence)
    return (level.kind == _RECEIVING, (rule, *order), level.pk)


def _free_level(level: StockLevel) -> FreeLevel:
    place, lot = level.location, level.lot
    return FreeLevel(
        level.pk,
        level.sku_id,
        place.warehouse_id,
        level.location_id,
        level.lot_id,
        level.on_hand,
        level.reserved,
        place.kind,
        place.code,
        place.sequence,
        place.warehouse.picking_rule,
        level.filled_at,
        lot.expires_on if lot else None,
        lot.received_on if lot else None,
    )
