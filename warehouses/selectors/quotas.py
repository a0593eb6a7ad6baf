"""Which quotas hold, and which warehouses may serve them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from warehouses.models import ChannelQuota, ChannelRoute


def is_live(quota: ChannelQuota, now: datetime) -> bool:
    """Whether something is still kept by it."""
    is_over = quota.released_at is not None or (quota.expires_at is not None and quota.expires_at <= now)
    return not is_over and quota.quantity > quota.used


def warehouses_of(channel_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """channel id → the active warehouses that serve it."""
    routes = ChannelRoute.objects.filter(channel_id__in=list(channel_ids), warehouse__is_active=True)
    found: dict[int, set[int]] = defaultdict(set)
    for channel_id, warehouse_id in routes.values_list("channel_id", "warehouse_id"):
        found[channel_id].add(warehouse_id)
    return {channel_id: frozenset(warehouses) for channel_id, warehouses in found.items()}
