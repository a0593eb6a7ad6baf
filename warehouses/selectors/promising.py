"""Available to promise: how much of a SKU a channel may offer, now and by a day; in a constant number of queries
however many SKUs are asked for (the mathematics: warehouses.engine.promising)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from catalog.models import Channel, Listing
from config.kernel.lookups import is_one_of
from warehouses.selectors.supply import Availability, SupplyBook, read_supply


def available_to_promise(
    channel: Channel, sku_ids: Collection[int], *, now: datetime, buffers: Mapping[int, Decimal | None] | None = None
) -> dict[int, Availability]:
    """sku id → what the channel may offer of it; `buffers` of its listings are read when they are not given."""
    book = read_supply(sku_ids, now=now, with_safety=channel.holds_back_safety_stock, channel_ids=[channel.pk])
    if buffers is None:
        buffers = listed_buffers(channel.pk, book)
    return {sku_id: book.availability(channel, sku_id, buffers=buffers) for sku_id in sku_ids}


def listed_availability(listings: Sequence[Listing], *, now: datetime) -> dict[int, Availability]:
    """listing id → what its channel may offer; the supply of all their SKUs is read once."""
    channels = {listing.channel_id: listing.channel for listing in listings}
    book = read_supply(
        {listing.sku_id for listing in listings},
        now=now,
        with_safety=any(channel.holds_back_safety_stock for channel in channels.values()),
        channel_ids=list(channels),
    )
    buffers: dict[int, dict[int, Decimal | None]] = {channel_id: {} for channel_id in channels}
    wanted = {*book.positions, *book.parts}
    own = Listing.objects.filter(
        is_one_of("sku_id", wanted), channel_id__in=list(channels), buffer_quantity__isnull=False
    )
    for channel_id, sku_id, quantity in own.values_list("channel_id", "sku_id", "buffer_quantity"):
        buffers[channel_id][sku_id] = quantity
    return {
        listing.pk: book.availability(channels[listing.channel_id], listing.sku_id, buffers=buffers[listing.channel_id])
        for listing in listings
    }


def listed_buffers(channel_id: int, book: SupplyBook) -> dict[int, Decimal | None]:
    """sku id → the buffer of its listing in the channel, where it has its own; for every SKU of the book."""
    rows = Listing.objects.filter(channel_id=channel_id, buffer_quantity__isnull=False)
    wanted = {*book.positions, *book.parts, *(part.part_id for parts in book.parts.values() for part in parts)}
    return dict(rows.filter(is_one_of("sku_id", wanted)).order_by().values_list("sku_id", "buffer_quantity"))
