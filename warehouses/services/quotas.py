"""Ring-fenced quotas: set, raised, lowered, released, expired, and given back.

How takers of stock keep to them: warehouses.services.free_stock.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Channel, Sku
from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_document, locked_quotas
from warehouses.models import Cart, ChannelQuota
from warehouses.services.availability import note_changes
from warehouses.services.backorders import reserve_backorders
from warehouses.services.reservations import use_quotas
from warehouses.services.stock import is_storable

EXPIRED_AT_ONCE = 200


@one_transaction
def set_quota(
    *,
    channel_code: str,
    sku_code: str,
    quantity: Decimal,
    now: datetime,
    expires_at: datetime | None = None,
    actor: Any = None,
) -> tuple[ChannelQuota, bool]:
    """Keep so many units of the SKU for the channel; (quota, True) when it is new, else the open one is changed.

    It may be set ahead of the stock: what arrives later fills it. An order that is being taken in at this moment counts
    as taken before. Locks the open quota. Raises ValidationFailed with every fault; lowering it below what was used of
    it is one. What becomes free by a lower quota goes to whoever waits for it.
    """
    channel = Channel.objects.filter(code=channel_code).first()
    sku = Sku.objects.filter(code=sku_code).first()
    items = [*_name_faults(channel, sku), *_value_faults(quantity, expires_at, now)]
    if items:
        raise ValidationFailed(_("The quota cannot be set."), items=items)
    assert channel is not None  # noqa: S101 (refused above)
    assert sku is not None  # noqa: S101
    quota = _open_quota(channel.pk, sku.pk)
    if quota and quota.expires_at and quota.expires_at <= now:
        quota.released_at = now
        quota.save(update_fields=["released_at"])
        quota = None
    if quota is None:
        quota, is_new = _made_quota(channel.pk, sku.pk, quantity, expires_at)
    else:
        is_new = False
    if not is_new:
        if quantity < quota.used:
            message = _("%s of it were used already; set it no lower.") % plain(quota.used)
            raise ValidationFailed(_("The quota cannot be set."), items=[{"field": "quantity", "message": message}])
        quota.quantity, quota.expires_at = quantity, expires_at
        quota.save(update_fields=["quantity", "expires_at"])
        reserve_backorders([sku.pk], now=now)
    note_changes([sku.pk])
    return quota, is_new


@one_transaction
def release_quota(quota_id: int, *, now: datetime, actor: Any = None) -> ChannelQuota:
    """Give what is left of the quota to everybody, first to whoever waits. Raises NotFound, Conflict (released)."""
    quota = locked_document(ChannelQuota, quota_id, missing=_("There is no such quota."))
    if quota.released_at is not None:
        raise Conflict(_("This quota was released already."), code="wrong_state")
    _release([quota], now=now)
    return quota  # type: ignore[no-any-return]


@one_transaction
def expire_quotas(*, now: datetime) -> int:
    """Release the quotas whose time is over; what another transaction holds is left to the next time."""
    due = ChannelQuota.objects.filter(released_at=None, expires_at__lte=now).order_by("pk")
    quotas = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[:EXPIRED_AT_ONCE])
    if quotas:
        _release(quotas, now=now)
    return len(quotas)


def give_back(carts: Iterable[Cart]) -> None:
    """What these carts (locked) used of their channels' quotas is there again, and the carts say so.

    Locks the quotas: to be called before the levels are locked, in the transaction that frees the units.
    """
    used: dict[int, Decimal] = defaultdict(Decimal)
    holding = [cart for cart in carts if cart.quota_used]
    for cart in holding:
        for pk, units in cart.quota_used.items():
            used[int(pk)] += Decimal(units)
        cart.quota_used = {}
    if holding:
        skus = set(ChannelQuota.objects.filter(pk__in=used).values_list("sku_id", flat=True))
        use_quotas({quota.pk: -min(used[quota.pk], quota.used) for quota in locked_quotas(skus)})
        Cart.objects.filter(pk__in=[cart.pk for cart in holding]).update(quota_used={})


def _release(quotas: list[ChannelQuota], *, now: datetime) -> None:
    for quota in quotas:
        quota.released_at = now
    ChannelQuota.objects.bulk_update(quotas, ["released_at"])
    sku_ids = sorted({quota.sku_id for quota in quotas})
    note_changes(sku_ids)
    reserve_backorders(sku_ids, now=now)


def _open_quota(channel_id: int, sku_id: int) -> ChannelQuota | None:
    return next((q for q in locked_quotas([sku_id]) if q.channel_id == channel_id), None)


def _made_quota(
    channel_id: int, sku_id: int, quantity: Decimal, expires_at: datetime | None
) -> tuple[ChannelQuota, bool]:
    try:
        with transaction.atomic():
            return (
                ChannelQuota.objects.create(
                    channel_id=channel_id, sku_id=sku_id, quantity=quantity, expires_at=expires_at
                ),
                True,
            )
    except IntegrityError:  # a twin was faster: the insert has waited until its transaction ended
        if quota := _open_quota(channel_id, sku_id):
            return quota, False
        raise


def _name_faults(channel: Channel | None, sku: Sku | None) -> list[dict[str, Any]]:
    items = []
    if channel is None:
        items.append({"field": "channel_code", "message": _("There is no such channel.")})
    if sku is None:
        items.append({"field": "sku_code", "message": _("There is no such SKU.")})
    elif sku.is_kit:
        items.append({"field": "sku_code", "message": _("A kit has no stock of its own; set quotas for its parts.")})
    return items


def _value_faults(quantity: Decimal, expires_at: datetime | None, now: datetime) -> list[dict[str, Any]]:
    items = []
    if not is_storable(quantity):
        message = _("At most eleven digits before the point and three after it.")
        items.append({"field": "quantity", "message": message})
    elif quantity <= 0:
        message = _("The quantity must be above zero; release the quota to end it.")
        items.append({"field": "quantity", "message": message})
    if expires_at is not None and expires_at.tzinfo is None:
        items.append({"field": "expires_at", "message": _("The time needs its time zone.")})
    elif expires_at is not None and expires_at <= now:
        items.append({"field": "expires_at", "message": _("The end lies in the past.")})
    return items
