"""What stands on the floor when the demo begins: lots with their days, picking bins that are filled, a transfer under
way, a count sheet, kits on offer, and what is kept for a channel. All through the services, as people do it.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from catalog.models import Category, Channel, KitPart, Listing, Product, Sku
from warehouses.models import Location, Lot, StockLevel, StockMovement, Task, Warehouse
from warehouses.services.channel_events import ToldEvent, ToldLine, receive_events
from warehouses.services.count_sheets import CountChoice, make_count_sheet
from warehouses.services.moves import StockMove, move_stock
from warehouses.services.picking import release_wave
from warehouses.services.quotas import set_quota
from warehouses.services.stock import Move, post_movements
from warehouses.services.transfers import TransferItem, create_transfer, reserve_transfer, ship_transfer

LASTING = ("Candle", "Diffuser")  # what has a best-before day
KITS = (("GIFT-HEARTH", "Hearth gift set", ("LGT", "TXT")), ("GIFT-TABLE", "Table gift set", ("TAB", "KIT")))
PICKED_FAST = 10
_BUFFERS = {Channel.Kind.MARKETPLACE: 2, Channel.Kind.WHOLESALE: 0, Channel.Kind.WEB_SHOP: 1}


def load_present(*, today: date, now: datetime, actor: Any) -> dict[str, int]:
    """Returns how many of each; to be called when all history is there."""
    for channel in Channel.objects.order_by("pk"):
        channel.buffer_quantity = Decimal(_BUFFERS.get(channel.kind, 0))  # type: ignore[call-overload]
        channel.save(update_fields=["buffer_quantity"])
    return {
        "lots": _load_lots(today=today, now=now),
        "kits": _load_kits(today),
        "picking bins": _fill_picking_bins(now=now, actor=actor),
        "transfers": _send_transfer(today=today, now=now, actor=actor),
        "quotas": _keep_for_a_channel(now=now, actor=actor),
        "count sheets": _open_count_sheet(now=now, actor=actor),
        "tasks": _send_to_the_floor(now=now, actor=actor),
        "channel events": _tell_events(now=now, actor=actor),
    }


def _free_levels() -> list[StockLevel]:
    """Levels with the most that nobody holds first."""
    levels = StockLevel.objects.filter(lot=None, on_hand__gt=0).select_related("sku", "location__warehouse")
    return sorted(levels, key=lambda level: (level.reserved - level.on_hand, level.pk))


def _load_lots(*, today: date, now: datetime) -> int:
    """What is free of candles and the like gets two lots; the older one is used up first."""
    moves: list[Move] = []
    lots: dict[tuple[int, str], Lot] = {}
    for level in _free_levels():
        free = level.on_hand - level.reserved
        if free < 2 or not any(word in level.sku.name for word in LASTING):
            continue
        older = free // 3 or Decimal(1)
        for code, days, units in (("L2504", 75, older), ("L2509", 240, free - older)):
            lot = lots.get((level.sku_id, code))
            if lot is None:
                expires_on, received_on = today + timedelta(days=days), today - timedelta(days=400 - days)
                lot = Lot.objects.create(sku=level.sku, code=code, expires_on=expires_on, received_on=received_on)
                lots[level.sku_id, code] = lot
            for sign, lot_id, half in ((-1, None, "out"), (1, lot.pk, "in")):
                moves.append(
                    Move(
                        kind=StockMovement.Kind.MOVE,
                        sku_id=level.sku_id,
                        location_id=level.location_id,
                        lot_id=lot_id,
                        quantity=sign * units,
                        reason="lots written down",
                        idempotency_key=f"demo:lot:{level.pk}:{code}:{half}",
                        is_internal=True,
                    )
                )
    post_movements(moves, happened_at=now)
    return len(lots)


def _load_kits(today: date) -> int:
    category = Category.objects.order_by("pk").first()
    shop = Channel.objects.filter(kind=Channel.Kind.WEB_SHOP).order_by("pk").first()
    for code, name, categories in KITS:
        parts = [
            Sku.objects.filter(product__category__code=part, status=Sku.Status.ACTIVE).order_by("pk")[0]
            for part in categories
        ]
        price = sum((part.unit_price for part in parts), Decimal(0)) * Decimal("0.9")
        kit = Sku.objects.create(
            code=code,
            name=name,
            product=Product.objects.create(code=code, name=name, category=category),
            is_kit=True,
            unit_price=price.quantize(Decimal("0.01")),
            unit_cost=sum((part.unit_cost for part in parts), Decimal(0)),
            launched_on=today,
        )
        KitPart.objects.bulk_create(KitPart(kit=kit, part=part, quantity=1) for part in parts)
        if shop:
            Listing.objects.create(channel=shop, sku=kit, external_id=code, unit_price=kit.unit_price)
    return len(KITS)


def _fill_picking_bins(*, now: datetime, actor: Any) -> int:
    """The fullest bins of the first warehouse feed its picking bins."""
    warehouse = Warehouse.objects.order_by("pk")[0]
    bins = Location.objects.filter(warehouse=warehouse, kind=Location.Kind.PICKING, level=Location.Level.BIN)
    full = [level for level in _free_levels() if level.location.warehouse_id == warehouse.pk]
    moves = [
        StockMove(level.sku_id, level.location_id, place.pk, max((level.on_hand - level.reserved) // 4, Decimal(1)))
        for level, place in zip(full[:PICKED_FAST], bins.order_by("sequence")[:PICKED_FAST], strict=False)
    ]
    move_stock(moves, key="demo:picking", now=now, actor=actor, reason="picking bins filled")
    return len(moves)


def _send_transfer(*, today: date, now: datetime, actor: Any) -> int:
    """Three SKUs are on their way from the first warehouse to the second."""
    source, destination = Warehouse.objects.order_by("pk")[:2]
    kept = set(StockLevel.objects.filter(location__warehouse=destination).values_list("sku_id", flat=True))
    full = [row for row in _free_levels() if row.location.warehouse_id == source.pk and row.sku_id in kept]
    one_each = list({row.sku_id: row for row in reversed(full)}.values())[-3:]
    items = [TransferItem(row.sku.code, (row.on_hand - row.reserved) // 10 or Decimal(1)) for row in one_each]
    transfer, _is_new = create_transfer(
        items,
        source_code=source.code,
        destination_code=destination.code,
        key="demo:transfer",
        now=now,
        actor=actor,
        expected_on=today + timedelta(days=2),
    )
    reserve_transfer(transfer.pk, now=now, actor=actor)
    ship_transfer(transfer.pk, key="demo:transfer", now=now, actor=actor)
    return 1


def _keep_for_a_channel(*, now: datetime, actor: Any) -> int:
    channel = Channel.objects.filter(kind=Channel.Kind.WHOLESALE).order_by("pk").first()
    level = next(iter(_free_levels()), None)
    if channel is None or level is None:
        return 0
    units = (level.on_hand - level.reserved) // 5 or Decimal(1)
    until = now + timedelta(days=30)
    set_quota(
        channel_code=channel.code, sku_code=level.sku.code, quantity=units, now=now, expires_at=until, actor=actor
    )
    return 1


def _open_count_sheet(*, now: datetime, actor: Any) -> int:
    warehouse = Warehouse.objects.order_by("pk")[1]
    aisle = Location.objects.filter(warehouse=warehouse, level=Location.Level.AISLE).order_by("code")[0]
    make_count_sheet(warehouse.code, CountChoice(location_codes=(aisle.code,)), key="demo:count", now=now, actor=actor)
    return 1


def _send_to_the_floor(*, now: datetime, actor: Any) -> int:
    """The oldest orders of the first warehouse are released for picking."""
    warehouse = Warehouse.objects.order_by("pk")[0]
    release_wave(warehouse.code, now=now, actor=actor, limit=4)
    return Task.objects.count()


def _tell_events(*, now: datetime, actor: Any) -> int:
    """The marketplace tells of a return for an order nobody has told of yet: it waits in the channel's report."""
    market = Channel.objects.filter(kind=Channel.Kind.MARKETPLACE).order_by("pk").first()
    sku = Sku.objects.order_by("pk")[0]
    if market is None:
        return 0
    line = ToldLine(quantity=Decimal(1), sku_code=sku.code, restock=True)
    event = ToldEvent("demo-event-1", "returned", "M-UNKNOWN", now - timedelta(hours=3), [line])
    receive_events(market.code, [event], now=now, actor=actor)
    return 1
