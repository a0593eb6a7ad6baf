"""What is known of some SKUs, whatever the channel, and each channel's own picture of it.

A channel sees the warehouses that serve it, less its buffer, the others' quotas and what waits for their stock: first
what waits in them, then what waits elsewhere for a channel that sends several parcels.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from catalog.models import Channel, KitPart, Sku
from config.kernel.lookups import is_one_of
from warehouses.engine.promising import Commitment, Promise, RingFence, Supply, SupplyPicture
from warehouses.engine.promising import available_to_promise as work_out
from warehouses.engine.quotas import Protection, Quota
from warehouses.models import ChannelQuota
from warehouses.selectors.inbound import Inbound, inbound_supply, safety_stocks
from warehouses.selectors.quotas import is_live, warehouses_of
from warehouses.selectors.sales import waiting_units
from warehouses.selectors.stock import Position, stock_positions

_NOTHING = Decimal(0)
_NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Availability:
    """What a channel may offer of a SKU. `steps`: (from this day on, units), rising; before the first it is `now`.

    `promise` is that of the SKU, or of the kit's part that allows the fewest kits (`limiting` is its code, `units` so
    many of it in one kit).
    """

    sku_id: int
    as_of: date
    now: Decimal
    steps: tuple[tuple[date, Decimal], ...]
    promise: Promise | None
    limiting: str = ""
    units: Decimal = Decimal(1)
    together: Decimal | None = None
    """Of a kit, where fewer than the parts allow lie whole in one warehouse: how many."""

    def by(self, on: date) -> Decimal:
        """Units that may be promised for the day."""
        return next((units for start, units in reversed(self.steps) if start <= on), self.now)

    def earliest(self, quantity: Decimal) -> date | None:
        """The first day for which so many may be promised; None when not yet."""
        if quantity <= self.now:
            return self.as_of
        return next((start for start, units in self.steps if units >= quantity), None)


@dataclass(frozen=True, slots=True)
class SupplyBook:
    """All that is known of some SKUs, whatever the channel."""

    as_of: date
    positions: Mapping[int, Mapping[int, Position]]
    """sku id → warehouse id → what lies there"""
    owed: Mapping[int, list[tuple[int, int | None, Decimal]]]
    """sku id → (warehouse id, channel id, units backordered); with a channel any of its warehouses may serve them"""
    inbound: Mapping[int, list[Inbound]]
    quotas: Mapping[int, list[ChannelQuota]]
    reach: Mapping[int, frozenset[int]]
    """channel id → the active warehouses that serve it"""
    safety: Mapping[tuple[int, int], Decimal]
    parts: Mapping[int, list[KitPart]]
    """kit's sku id → its parts"""
    channel_codes: Mapping[int, str]

    def availability(self, channel: Channel, sku_id: int, *, buffers: Mapping[int, Decimal | None]) -> Availability:
        """What the channel may offer of the SKU; `buffers` (sku id → units) where its listing has its own."""
        if sku_id in self.parts:
            return self._of_kit(channel, sku_id, buffers=buffers)
        promise = work_out(self.picture(channel, sku_id, buffer=_buffer(channel, buffers.get(sku_id))))
        return Availability(sku_id, self.as_of, promise.now, promise.steps, promise)

    def picture(self, channel: Channel, sku_id: int, *, buffer: Decimal) -> SupplyPicture:
        """The SKU as this channel sees it."""
        served = self.reach.get(channel.pk, frozenset())
        positions = self.positions.get(sku_id, {})
        here = [(warehouse, positions.get(warehouse, _NOWHERE)) for warehouse in sorted(served)]
        arrivals = [row for row in self.inbound.get(sku_id, ()) if row.warehouse_id in served]
        commitments = list(self._committed(sku_id, served)) if sku_id in self.owed else []
        fences: list[RingFence] = []
        freed: list[Supply] = []
        if sku_id in self.quotas:
            fences = self._fences(channel.pk, sku_id)
            more, freed = self._kept_of_arrivals(channel.pk, sku_id, arrivals, commitments)
            commitments += more
        return SupplyPicture(
            as_of=self.as_of,
            usable=sum((position.usable for _w, position in here), _NOTHING),
            reserved=sum((position.reserved for _w, position in here), _NOTHING),
            buffer=buffer,
            safety_stock=self._safety(channel, sku_id, served),
            ring_fences=tuple(fences),
            commitments=tuple(commitments),
            supplies=(*(Supply(row.on, row.quantity, row.reference) for row in arrivals), *freed),
        )

    def _committed(self, sku_id: int, served: frozenset[int]) -> Iterator[Commitment]:
        """What waits takes the free units of its own warehouse, then the next arrivals there, or, where its channel
        sends several parcels, in any of its warehouses; what is beyond takes nothing yet."""
        positions = self.positions.get(sku_id, {})
        rows = [row for row in self.inbound.get(sku_id, ()) if row.on >= self.as_of]
        free = {warehouse: max(position.available, _NOTHING) for warehouse, position in positions.items()}
        left = [row.quantity for row in rows]
        # What can only be served by one warehouse comes first.
        for warehouse, channel_id, waiting in sorted(self.owed[sku_id], key=lambda owed: owed[1] is not None):
            units = min(free.get(warehouse, _NOTHING), waiting)
            if units:
                free[warehouse] -= units
                waiting -= units
                if warehouse in served:
                    yield Commitment(units)
            reach = {warehouse, *self.reach.get(channel_id or 0, ())}
            for place, row in enumerate(rows):
                part = min(waiting, left[place]) if row.warehouse_id in reach else _NOTHING
                if part > 0:
                    left[place] -= part
                    waiting -= part
                    if row.warehouse_id in served:
                        yield Commitment(part, row.on)

    def _safety(self, channel: Channel, sku_id: int, served: frozenset[int]) -> Decimal:
        if not channel.holds_back_safety_stock:
            return _NOTHING
        return sum((self.safety.get((sku_id, warehouse), _NOTHING) for warehouse in served), _NOTHING)

    def _fences(self, channel_id: int, sku_id: int) -> list[RingFence]:
        """What each other quota takes out of what is free for this channel, the longest lasting first: so whatever is
        left of them on a day adds up to what they take together on that day."""
        quotas = self.quotas[sku_id]
        free = {warehouse: position.available for warehouse, position in self.positions.get(sku_id, {}).items()}
        own = next((self._quota(quota) for quota in quotas if quota.channel_id == channel_id), None)
        served = sorted(self.reach.get(channel_id, frozenset()))
        others = sorted((q for q in quotas if q.channel_id != channel_id), key=_last_day, reverse=True)
        fences, before = [], sum((max(free.get(w, _NOTHING), _NOTHING) for w in served), _NOTHING)
        for count, quota in enumerate(others, start=1):
            sooner = [self._quota(other) for other in others[:count]]
            protection = Protection(free, sooner, own)  # type: ignore[arg-type]
            left = sum(protection.allowed_together(served).values(), _NOTHING)
            if left < before:
                fences.append(RingFence(before - left, _expires_on(quota), self.channel_codes.get(quota.channel_id)))
            before = min(before, left)
        return fences

    def _kept_of_arrivals(
        self, channel_id: int, sku_id: int, arrivals: Iterable[Inbound], commitments: Iterable[Commitment]
    ) -> tuple[list[Commitment], list[Supply]]:
        """What quotas of others that have no stock behind them yet will take of the arrivals, until they expire."""
        positions = self.positions.get(sku_id, {})
        rows = [row for row in arrivals if row.on >= self.as_of]
        left: list[Decimal] = []
        taken: dict[date, Decimal] = defaultdict(Decimal)
        for owed in commitments:
            if owed.due is not None:
                taken[owed.due] += owed.quantity
        for row in rows:
            part = min(taken[row.on], row.quantity)
            taken[row.on] -= part
            left.append(row.quantity - part)
        kept, freed = [], []
        for quota in self.quotas[sku_id]:
            if quota.channel_id == channel_id:
                continue
            reach = self.reach.get(quota.channel_id, frozenset())
            behind = sum((max(positions[w].available, _NOTHING) for w in reach if w in positions), _NOTHING)
            missing = quota.quantity - quota.used - behind
            code, last = self.channel_codes.get(quota.channel_id), _expires_on(quota)
            for place, row in enumerate(rows):
                if missing <= 0 or (last is not None and row.on > last):
                    break
                part = min(missing, left[place]) if row.warehouse_id in reach else _NOTHING
                if part > 0:
                    kept.append(Commitment(part, row.on, ("quota", code)))
                    if last is not None:
                        freed.append(Supply(last + timedelta(days=1), part, ("quota", code)))
                    left[place] -= part
                    missing -= part
        return kept, freed

    def _quota(self, quota: ChannelQuota) -> Quota:
        return Quota(quota.channel_id, quota.quantity - quota.used, self.reach.get(quota.channel_id, frozenset()))

    def _of_kit(self, channel: Channel, kit_id: int, *, buffers: Mapping[int, Decimal | None]) -> Availability:
        """As many as its parts allow; the kit's own listing may hold back whole kits, the parts their own buffers."""
        offers = []
        for part in self.parts[kit_id]:
            promise = work_out(self.picture(channel, part.part_id, buffer=_buffer(channel, buffers.get(part.part_id))))
            offers.append((part, promise))
        if not offers:
            return Availability(kit_id, self.as_of, _NOTHING, (), None)
        kept = buffers.get(kit_id) or _NOTHING

        def kits(on: date | None) -> Decimal:
            promised = min((p.now if on is None else p.by(on)) // part.quantity for part, p in offers)
            return max(min(promised, self._kits_together(channel, kit_id, on)) - kept, _NOTHING)

        part, promise = min(offers, key=lambda offer: offer[1].now // offer[0].quantity)
        steps: list[tuple[date, Decimal]] = []
        arriving = {row.on for part, _p in offers for row in self.inbound.get(part.part_id, ()) if row.on >= self.as_of}
        for on in sorted(arriving | {start for _part, p in offers for start, _units in p.steps}):
            if kits(on) != (steps[-1][1] if steps else kits(None)):
                steps.append((on, kits(on)))
        there: Decimal | None = self._kits_together(channel, kit_id, None)
        together = there if there is not None and there < promise.now // part.quantity else None
        limit = part.part.code, part.quantity, together
        return Availability(kit_id, self.as_of, kits(None), tuple(steps), promise, *limit)

    def _kits_together(self, channel: Channel, kit_id: int, on: date | None) -> Decimal:
        """Kits whose parts all lie, or will lie by that day, in one warehouse: each leaves whole."""
        total = _NOTHING
        for warehouse in self.reach.get(channel.pk, frozenset()):
            units = []
            for part in self.parts[kit_id]:
                position = self.positions.get(part.part_id, {}).get(warehouse, _NOWHERE)
                coming = (
                    row.quantity
                    for row in self.inbound.get(part.part_id, ())
                    if on is not None and row.warehouse_id == warehouse and self.as_of <= row.on <= on
                )
                units.append((max(position.available, _NOTHING) + sum(coming, _NOTHING)) // part.quantity)
            total += min(units)
        return total


def read_supply(
    sku_ids: Collection[int], *, now: datetime, with_safety: bool, channel_ids: Collection[int]
) -> SupplyBook:
    """What is known of these SKUs and of their parts. The number of queries depends on what the house has in use
    (kits, quotas, safety stock), never on how many SKUs there are."""
    today = timezone.localdate(now)
    parts: dict[int, list[KitPart]] = {
        kit: [] for kit in Sku.objects.filter(is_one_of("pk", sku_ids), is_kit=True).values_list("pk", flat=True)
    }
    if parts:
        for part in KitPart.objects.filter(kit_id__in=list(parts)).select_related("part").order_by("pk"):
            parts[part.kit_id].append(part)
    stocked = sorted({*sku_ids, *(part.part_id for rows in parts.values() for part in rows)} - parts.keys())
    positions: dict[int, dict[int, Position]] = {sku_id: {} for sku_id in stocked}
    for (sku_id, warehouse_id), position in stock_positions(stocked, today=today).items():
        positions[sku_id][warehouse_id] = position
    owed: dict[int, list[tuple[int, int | None, Decimal]]] = {}
    for sku_id, *waiting in waiting_units(stocked):
        owed.setdefault(sku_id, []).append(tuple(waiting))  # type: ignore[arg-type]
    quotas: dict[int, list[ChannelQuota]] = defaultdict(list)
    for quota in ChannelQuota.objects.filter(is_one_of("sku_id", stocked), released_at=None).order_by("pk"):
        if is_live(quota, now):
            quotas[quota.sku_id].append(quota)
    holders = {quota.channel_id for rows in quotas.values() for quota in rows}
    return SupplyBook(
        as_of=today,
        positions=positions,
        owed=owed,
        inbound=inbound_supply(stocked),
        quotas=quotas,
        reach=warehouses_of(
            {*channel_ids, *holders, *(channel for rows in owed.values() for _w, channel, _units in rows if channel)}
        ),
        safety=safety_stocks(stocked) if with_safety else {},
        parts=parts,
        channel_codes=dict(Channel.objects.filter(pk__in=holders).values_list("pk", "code")) if holders else {},
    )


def _buffer(channel: Channel, listed: Decimal | None) -> Decimal:
    return channel.buffer_quantity if listed is None else listed


def _expires_on(quota: ChannelQuota) -> date | None:
    return timezone.localdate(quota.expires_at) if quota.expires_at else None


def _last_day(quota: ChannelQuota) -> date:
    return _expires_on(quota) or date.max
