"""Kits put together out of their parts, and taken apart again. Not a cent comes or goes.

Kits are normally sold as their parts; this is for those that are packed beforehand and lie in stock as one.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import KitPart, Sku
from config.kernel.errors import Conflict, InsufficientStock, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_levels
from warehouses.models import Location, StockLevel, StockMovement, StockStatus
from warehouses.selectors.stock import usable
from warehouses.services.backorders import reserve_backorders
from warehouses.services.reservations import FreeStock
from warehouses.services.stock import Move, is_storable, post_movements

MAX_KEY = 255
_Kind = StockMovement.Kind


@one_transaction
def assemble_kit(
    kit_id: int, *, quantity: Decimal, location_id: int, key: str, now: datetime, actor: Any = None
) -> Sequence[StockMovement]:
    """Take the parts of `quantity` kits out of the location's warehouse, by its picking rule, and put the kits there.

    The kits are worth what the parts were worth. Once a key. Locks the parts' levels and the kit's. Raises NotFound (no
    such kit), ValidationFailed, InsufficientStock naming every part that is short, Conflict for a key used otherwise.
    """
    kit, parts, place = _checked(kit_id, quantity, location_id, key)
    start = f"assembly:{_digest(key)}:"
    if posted := _posted(start, kit, quantity, place):
        return posted
    levels = locked_levels(_levels(kit, parts, place, now=now).select_related("location__warehouse", "lot"))
    free = FreeStock.of(level for level in levels if level.sku_id != kit.pk)
    moves, short = [], []
    for part in parts:
        needed = part.quantity * quantity
        available = free.available(part.part_id, place.warehouse_id)
        if available < needed:
            short.append(_shortage(part, needed, available))
        by_id = {level.pk: level for level in levels}
        for level_id, units in free.take(part.part_id, place.warehouse_id, needed).items():
            level = by_id[level_id]
            moves.append(
                Move(
                    kind=_Kind.ASSEMBLY,
                    sku_id=level.sku_id,
                    location_id=level.location_id,
                    lot_id=level.lot_id,
                    quantity=-units,
                    reference=kit.code,
                    idempotency_key=f"{start}part:{level_id}",
                )
            )
    if short:
        named = "; ".join(_("%(sku)s: short by %(short_by)s") % item for item in short)
        raise InsufficientStock(_("Not enough parts: %(named)s.") % {"named": named}, items=short)
    moves.append(_kit_move(kit, place, quantity, start, carries=tuple(move.idempotency_key for move in moves)))
    made = post_movements(moves, happened_at=now, actor=actor)
    reserve_backorders([kit.pk], now=now)
    return made


@one_transaction
def disassemble_kit(
    kit_id: int,
    *,
    quantity: Decimal,
    location_id: int,
    key: str,
    now: datetime,
    actor: Any = None,
    lot_id: int | None = None,
) -> Sequence[StockMovement]:
    """Take free kits of a bin apart; the parts lie there, and share the kits' value by their unit costs. Once a key.

    Locks the levels. Raises as `assemble_kit`.
    """
    kit, parts, place = _checked(kit_id, quantity, location_id, key)
    start = f"assembly:{_digest(key)}:"
    if posted := _posted(start, kit, -quantity, place):
        return posted
    out = _kit_move(kit, place, -quantity, start, lot_id=lot_id)
    moves = [
        Move(
            kind=_Kind.ASSEMBLY,
            sku_id=part.part_id,
            location_id=place.pk,
            quantity=part.quantity * quantity,
            reference=kit.code,
            carries=(out.idempotency_key,),
            weight=part.part.unit_cost * part.quantity,
            idempotency_key=f"{start}part:{part.part_id}",
        )
        for part in parts
    ]
    made = post_movements([out, *moves], happened_at=now, actor=actor)
    reserve_backorders([part.part_id for part in parts], now=now)
    return made


def _checked(kit_id: int, quantity: Decimal, location_id: int, key: str) -> tuple[Sku, list[KitPart], Location]:
    kit = Sku.objects.filter(pk=kit_id, is_kit=True).first()
    if kit is None:
        raise NotFound(_("There is no such kit."))
    parts = list(KitPart.objects.filter(kit=kit).select_related("part").order_by("pk"))
    place = Location.objects.filter(pk=location_id).first()
    items = []
    if not parts:
        items.append({"field": "kit", "message": _("Nobody has said what is in this kit.")})
    if not is_storable(quantity) or quantity <= 0:
        message = _("The quantity must be above zero, with at most three digits after the point.")
        items.append({"field": "quantity", "message": message})
    elif any(not is_storable(part.quantity * quantity) for part in parts):
        items.append({"field": "quantity", "message": _("The parts of so many cannot be counted exactly.")})
    if place is None or place.kind == Location.Kind.IN_TRANSIT:
        items.append({"field": "location", "message": _("There is no such place.")})
    if not key or len(key) > MAX_KEY:
        items.append({"field": "key", "message": _("The key has 1 to %d characters.") % MAX_KEY})
    if items or place is None:
        raise ValidationFailed(_("This cannot be done: %s") % items[0]["message"], items=items)
    return kit, parts, place


def _levels(kit: Sku, parts: Sequence[KitPart], place: Location, *, now: datetime) -> Any:
    """The parts' usable levels in the warehouse, and the kit's own, so that all are locked in one order."""
    usable_parts = usable(timezone.localdate(now)) & Q(
        sku_id__in=[part.part_id for part in parts], location__warehouse=place.warehouse_id, on_hand__gt=0
    )
    own = Q(sku=kit, location=place, lot=None, status=StockStatus.AVAILABLE)
    return StockLevel.objects.filter(usable_parts | own)


def _kit_move(
    kit: Sku,
    place: Location,
    quantity: Decimal,
    start: str,
    *,
    carries: tuple[str, ...] = (),
    lot_id: int | None = None,
) -> Move:
    return Move(
        kind=_Kind.ASSEMBLY,
        sku_id=kit.pk,
        location_id=place.pk,
        lot_id=lot_id,
        quantity=quantity,
        reference=kit.code,
        carries=carries,
        idempotency_key=f"{start}kit",
    )


def _posted(start: str, kit: Sku, quantity: Decimal, place: Location) -> Sequence[StockMovement]:
    """What this key has posted, when it was the same; raises Conflict when it was something else."""
    rows = list(StockMovement.objects.filter(idempotency_key__startswith=start).order_by("pk"))
    if not rows:
        return []
    own = next((row for row in rows if row.idempotency_key == f"{start}kit"), None)
    if own is None or (own.sku_id, own.location_id, own.quantity) != (kit.pk, place.pk, quantity):
        raise Conflict(_("This key was used for something else."), code="idempotency_key_reused")
    return rows


def _shortage(part: KitPart, needed: Decimal, available: Decimal) -> dict[str, Any]:
    return {
        "sku": part.part.code,
        "requested": plain(needed),
        "available": plain(available),
        "short_by": plain(needed - available),
    }


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:48]
