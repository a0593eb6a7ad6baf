"""Carts: stock held for a shopper for some minutes, until it is ordered, let go, or the time is over.

Lock order: the cart → its lines → quotas → levels, all levels at once (see warehouses.locks).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Channel, KitPart, Sku
from config.kernel.errors import Conflict, InsufficientStock
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_document, locked_levels, locked_quotas
from warehouses.models import Cart, CartLine, ChannelRoute, Reservation, StockLevel
from warehouses.selectors.company import stock_rules
from warehouses.selectors.stock import usable
from warehouses.services.availability import note_changes
from warehouses.services.backorders import reserve_backorders
from warehouses.services.cart_checks import CartItem, WantedLine, checked_items, refuse_time, short_of
from warehouses.services.free_stock import FreeStock, locked_free_stock, open_quotas
from warehouses.services.quotas import give_back
from warehouses.services.reservations import hold, release, use_quotas

EXPIRED_AT_ONCE = 100

_State = Cart.State
_NOTHING = Decimal(0)


def hold_cart(
    *,
    channel_code: str,
    external_id: str,
    lines: Sequence[CartItem],
    now: datetime,
    ttl_minutes: int | None = None,
    actor: Any = None,
) -> tuple[Cart, bool]:
    """Hold the stock of a cart until `now` + `ttl_minutes` (the company's rule when None); (cart, is it new).

    All of its lines or nothing. The cart again with the same lines only lasts longer; with other lines its stock is
    held anew. Units that are kept for other channels are not taken; kits are held as their parts. When stock is short,
    the SKUs' carts whose time is over are ended first. Raises ValidationFailed with every fault, InsufficientStock
    naming every short line (what was held before stays held), Conflict when the cart was ordered.
    """

    def attempt() -> tuple[Cart, bool]:
        return _hold(channel_code, external_id, lines, ttl_minutes, now=now)

    try:
        return attempt()
    except InsufficientStock as short:
        if not expire_due_carts(stocked_skus([str(item["sku"]) for item in short.items]), now=now):
            raise
    return attempt()


@one_transaction
def renew_cart(cart_id: int, *, now: datetime, ttl_minutes: int | None = None) -> Cart:
    """The cart holds its stock from now on for so long again. Raises NotFound, Conflict (it holds nothing any more)."""
    refuse_time(ttl_minutes)
    cart = _locked_cart(cart_id)
    _require_held(cart)
    cart.expires_at = _expiry(now, ttl_minutes)
    cart.save(update_fields=["expires_at"])
    return cart


@one_transaction
def release_cart(cart_id: int, *, now: datetime, actor: Any = None) -> Cart:
    """Let the cart's stock go, to whoever waits for it. Raises NotFound, Conflict (it holds nothing any more)."""
    cart = _locked_cart(cart_id)
    _require_held(cart)
    _end([cart], _State.RELEASED, now=now)
    return cart


def expire_carts(*, now: datetime) -> int:
    """End every cart whose time is over; how many. In portions, each a transaction."""
    ended = 0
    while portion := _expire_some(None, now=now):
        ended += portion
    return ended


def expire_due_carts(sku_ids: Collection[int], *, now: datetime) -> int:
    """End the carts whose time is over and that hold any of these SKUs (stocked ones, not kits); how many.

    For whoever comes up short, in or before a transaction that holds no level yet: carts are locked before levels.
    """
    return _expire_some(sorted(sku_ids), now=now) if sku_ids else 0


def take_over_cart(
    channel_id: int,
    external_id: str,
    *,
    sku_ids: Collection[int],
    warehouse_ids: Collection[int],
    now: datetime,
) -> Cart | None:
    """Free what the cart holds, in the order's own transaction and right before the order reserves: nobody comes
    between. Returns the cart, now ordered; None when it holds nothing (unknown, released, expired, ordered before):
    an order is never refused because of its cart.

    Locks the cart, then the quotas and all levels of `sku_ids` in `warehouse_ids` together with the cart's own, so that
    the order may lock these again and finds the units free.
    """
    cart = (
        Cart.objects.select_for_update(of=("self",), no_key=True)
        .filter(channel_id=channel_id, external_id=external_id, state=_State.HELD)
        .first()
    )
    if cart is None:
        return None
    _free([cart], sku_ids=sku_ids, warehouse_ids=warehouse_ids, now=now)
    cart.state = _State.ORDERED
    cart.save(update_fields=["state"])
    return cart


@one_transaction
def _hold(
    channel_code: str, external_id: str, items: Sequence[CartItem], ttl_minutes: int | None, *, now: datetime
) -> tuple[Cart, bool]:
    channel = Channel.objects.filter(code=channel_code).first()
    routes = _routes(channel)
    wanted = checked_items(channel, external_id, items, ttl_minutes, routes)
    assert channel is not None  # noqa: S101 (the check has refused the cart)
    cart, is_new = _opened(channel, external_id, _expiry(now, ttl_minutes))
    if cart.state == _State.ORDERED:
        raise Conflict(_("This cart was ordered already."), code="wrong_state")
    is_same = (
        not is_new and cart.state == _State.HELD and _lines_of(cart) == _as_kept(wanted) and _holds_all(cart, wanted)
    )
    cart.expires_at = _expiry(now, ttl_minutes)
    if not is_same:
        if not is_new:
            sku_ids = {part for line in wanted for part, _units in line.parts}
            _free([cart], sku_ids=sku_ids, warehouse_ids=routes, now=now)
            cart.lines.all().delete()
        _reserve(cart, wanted, routes, allows_split=channel.allows_split, now=now)
        cart.state = _State.HELD
    cart.save(update_fields=["expires_at", "state", "quota_used"])
    return cart, is_new


def _reserve(
    cart: Cart, wanted: Sequence[WantedLine], routes: Sequence[int], *, allows_split: bool, now: datetime
) -> None:
    sku_ids = sorted({part for line in wanted for part, _units in line.parts})
    free = locked_free_stock(sku_ids, routes, now=now, channel_id=cart.channel_id)
    taken: list[dict[int, Decimal]] = []
    shortages = []
    for line in wanted:
        available = _available(free, line, routes, allows_split=allows_split)
        if available < line.quantity:
            shortages.append((line, max(available, _NOTHING)))
            continue
        taken.append(_taken(free, line, routes, allows_split=allows_split))
    if shortages:
        raise short_of(shortages)
    rows = CartLine.objects.bulk_create(
        CartLine(
            cart=cart,
            line_number=line.number,
            sku=line.sku,
            quantity=line.quantity,
            parts={str(part): plain(units) for part, units in line.parts} if line.sku.is_kit else {},
        )
        for line in wanted
    )
    hold(list(zip(rows, taken, strict=True)))
    use_quotas(free.quota_used)
    cart.quota_used = {str(pk): plain(units) for pk, units in free.quota_used.items() if units}
    note_changes(part for line in wanted if line.sku.is_kit for part, _units in line.parts)


def _available(free: FreeStock, line: WantedLine, routes: Sequence[int], *, allows_split: bool) -> Decimal:
    """How many of the line there are, of one warehouse where the channel wants a single parcel; each kit whole."""
    there: Collection[Decimal]
    if line.sku.is_kit:
        there = _kits(free, line, routes, allows_split=allows_split).values()
    elif allows_split:
        there = free.available_together(line.sku.pk, routes).values()
    else:
        there = [free.available(line.sku.pk, w) for w in routes]
    return sum(there, _NOTHING) if allows_split else max(there, default=_NOTHING)


def _kits(free: FreeStock, line: WantedLine, routes: Sequence[int], *, allows_split: bool) -> dict[int, Decimal]:
    """Warehouse → whole kits whose parts all lie there: all of them may be taken, or those of one warehouse."""
    units = [
        (free.available_together(part, routes) if allows_split else {w: free.available(part, w) for w in routes}, each)
        for part, each in line.parts
    ]
    return {w: min(there.get(w, _NOTHING) // each for there, each in units) for w in routes}


def _taken(free: FreeStock, line: WantedLine, routes: Sequence[int], *, allows_split: bool) -> dict[int, Decimal]:
    """Level id → units for the line; of a kit for its parts, kit by kit of one warehouse."""
    if not line.sku.is_kit:
        return _take(free, line.sku.pk, routes, line.quantity)
    parts: dict[int, Decimal] = defaultdict(Decimal)
    left, kits = line.quantity, _kits(free, line, routes, allows_split=allows_split)
    for warehouse in sorted(routes, key=lambda w: kits[w] < line.quantity):
        here = min(left, kits[warehouse])
        left -= here
        for sku_id, each in line.parts if here else ():
            for level_id, units in free.take(sku_id, warehouse, here * each).items():
                parts[level_id] += units
    return parts


def _take(free: FreeStock, sku_id: int, routes: Sequence[int], quantity: Decimal) -> dict[int, Decimal]:
    """From the first warehouse that has it all, else from one after the other."""
    whole = free.choose(sku_id, routes, quantity)
    parts: dict[int, Decimal] = {}
    for warehouse in [whole, *(w for w in routes if w != whole)]:
        left = quantity - sum(parts.values(), _NOTHING)
        if left:
            parts |= free.take(sku_id, warehouse, left)
    return parts


@one_transaction
def _expire_some(sku_ids: Sequence[int] | None, *, now: datetime) -> int:
    """Carts that somebody else is working on are left to him or to the next time."""
    due = Cart.objects.filter(state=_State.HELD, expires_at__lte=now)
    if sku_ids is not None:
        holding = CartLine.objects.filter(reservations__level__sku_id__in=sku_ids).values("cart_id")
        due = due.filter(pk__in=holding)
    carts = list(due.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)[:EXPIRED_AT_ONCE])
    if carts:
        _end(carts, _State.EXPIRED, now=now)
    return len(carts)


def _end(carts: Sequence[Cart], state: str, *, now: datetime) -> None:
    """Free what the carts (locked) hold, and give it to whoever waits."""
    freed = _free(carts, sku_ids=(), warehouse_ids=(), now=now)
    for cart in carts:
        cart.state = state
    Cart.objects.filter(pk__in=[cart.pk for cart in carts]).update(state=state)
    if freed:
        reserve_backorders(freed, now=now)


def _free(
    carts: Sequence[Cart], *, sku_ids: Collection[int], warehouse_ids: Collection[int], now: datetime
) -> set[int]:
    """Let go of everything these carts (locked) hold; the SKUs it was. Locks quotas, then every level that is needed
    now or next (`sku_ids` in `warehouse_ids` and wherever quotas of them lie) at once, in primary-key order."""
    lines = list(CartLine.objects.filter(cart__in=carts).order_by("pk"))
    held = list(Reservation.objects.filter(cart_line__in=lines).select_related("level"))
    freed = {row.level.sku_id for row in held}
    locked_quotas({*sku_ids, *freed})
    give_back(carts)
    quotas = open_quotas(locked_quotas({*sku_ids, *freed}), now=now)
    places = set(warehouse_ids).union(*(quota.warehouses for rows in quotas.values() for quota in rows))
    needed = Q(pk__in=[row.level_id for row in held])
    if sku_ids:
        needed |= usable(timezone.localdate(now)) & Q(sku_id__in=list(sku_ids), location__warehouse_id__in=places)
    locked_levels(StockLevel.objects.filter(needed))
    release(lines)
    return freed


def _opened(channel: Channel, external_id: str, expires_at: datetime) -> tuple[Cart, bool]:
    """The cart of this number, locked; made when it is not there."""
    carts = Cart.objects.select_for_update(of=("self",), no_key=True).filter(channel=channel, external_id=external_id)
    if cart := carts.first():
        return cart, False
    try:
        with transaction.atomic():
            return Cart.objects.create(channel=channel, external_id=external_id, expires_at=expires_at), True
    except IntegrityError:  # a twin was faster: the insert has waited until its transaction ended
        if cart := carts.first():
            return cart, False
        raise


def _locked_cart(cart_id: int) -> Cart:
    return locked_document(Cart, cart_id, missing=_("There is no such cart."))  # type: ignore[no-any-return]


def _require_held(cart: Cart) -> None:
    if cart.state != _State.HELD:
        named = {"cart": cart.external_id, "state": str(cart.get_state_display()).lower()}
        raise Conflict(_("Cart %(cart)s is %(state)s and holds nothing any more.") % named, code="wrong_state")


def _expiry(now: datetime, ttl_minutes: int | None) -> datetime:
    return now + timedelta(minutes=stock_rules().cart_minutes if ttl_minutes is None else ttl_minutes)


def _lines_of(cart: Cart) -> list[tuple[int, int, Decimal, Mapping[str, str]]]:
    rows = cart.lines.order_by("line_number").values_list("line_number", "sku_id", "quantity", "parts")
    return list(rows)


def _holds_all(cart: Cart, wanted: Sequence[WantedLine]) -> bool:
    """Not where units were let go meanwhile, because they were damaged or blocked."""
    held = Reservation.objects.filter(cart_line__cart=cart).aggregate(units=Sum("quantity"))["units"] or _NOTHING
    units = [line.quantity * each for line in wanted for _part, each in line.parts]
    return bool(held == sum(units, _NOTHING))


def _as_kept(wanted: Sequence[WantedLine]) -> list[tuple[int, int, Decimal, Mapping[str, str]]]:
    return [
        (
            line.number,
            line.sku.pk,
            line.quantity,
            {str(part): plain(units) for part, units in line.parts} if line.sku.is_kit else {},
        )
        for line in wanted
    ]


def _routes(channel: Channel | None) -> list[int]:
    routes = ChannelRoute.objects.filter(channel=channel, warehouse__is_active=True).order_by("rank", "pk")
    return list(routes.values_list("warehouse_id", flat=True)) if channel else []


def cart_skus(cart: Cart) -> set[int]:
    """The stocked SKUs of the cart's lines: of kits the parts."""
    rows = cart.lines.values_list("sku_id", "parts")
    return {sku for sku_id, parts in rows for sku in (map(int, parts) if parts else (sku_id,))}


def stocked_skus(codes: Collection[str]) -> set[int]:
    """The stocked SKUs behind these codes: of kits the parts."""
    skus = dict(Sku.objects.filter(code__in=codes).values_list("pk", "is_kit"))
    kits = [pk for pk, is_kit in skus.items() if is_kit]
    parts = KitPart.objects.filter(kit__in=kits).values_list("part_id", flat=True) if kits else ()
    return {*(pk for pk, is_kit in skus.items() if not is_kit), *parts}
