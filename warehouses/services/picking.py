"""Orders go to the floor: released one by one or in waves, picked bin by bin into packing, put back when called off.

Lock order: the order → its tasks → stock levels.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.transactions import one_transaction
from warehouses.locks import locked_order
from warehouses.models import (
    Location,
    Reservation,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    StockStatus,
    Task,
    Warehouse,
)
from warehouses.services.order_states import require_open
from warehouses.services.pick_tasks import (
    make_pick_tasks,
    order_reference,
    packing_bin,
    pick_tasks_follow,
    settle_picking,
    to_pick,
    waiting_picks,
    was_released,
)
from warehouses.services.putaway import put_back_tasks

__all__ = ["goods_to_put_back", "on_order_cancelled", "packing_bin", "release_for_picking", "release_orders"]

MOST_RELEASED = 500
_NOTHING = Decimal(0)


@one_transaction
def release_for_picking(
    order_id: int, *, warehouse_code: str | None = None, priority: int = 100, now: datetime, actor: Any = None
) -> list[Task]:
    """Send what is reserved for the order to the floor; its waiting pick tasks. Again makes no second ones.

    Only what lies in `warehouse_code`, when it is named. Locks the order. Raises NotFound, and Conflict when the order
    is done or nothing of it is reserved.
    """
    order = locked_order(order_id)
    require_open(order)
    rows = _rows_of([order.pk], _warehouse(warehouse_code))
    make_pick_tasks(rows, priority=priority, now=now)
    settle_picking(order)
    tasks = Task.objects.filter(
        kind=Task.Kind.PICK, state__in=Task.WAITING, subject_id__in=list(rows.values_list("pk", flat=True))
    )
    if not tasks and not order.lines.filter(picked_quantity__gt=0).exists():
        raise Conflict(_("Nothing of the order %s is reserved there.") % order.external_id, code="nothing_reserved")
    return list(tasks.order_by("pk"))


@one_transaction
def release_orders(order_ids: Sequence[int], *, now: datetime, **choices: Any) -> list[Task]:
    """Release these orders, all or none. Raises Conflict naming every order that cannot be."""
    tasks, items = [], []
    for order_id in sorted(set(order_ids)):
        try:
            tasks += release_for_picking(order_id, now=now, **choices)
        except (Conflict, NotFound) as error:
            items.append({"order": order_id, "message": str(error), "code": error.code})
    if items:
        named = "; ".join(f"{item['order']}: {item['message']}" for item in items[:20])
        raise Conflict(_("Not released: %s") % named, items=items, code="not_released")
    return tasks


@one_transaction
def release_wave(
    warehouse_code: str, *, limit: int, priority: int = 100, now: datetime, actor: Any = None
) -> list[Task]:
    """Release up to `limit` orders that hold stock in this warehouse and are not on the floor yet: by the priority of
    their channel, then oldest first. Orders that are being worked on elsewhere are passed over."""
    if not 1 <= limit <= MOST_RELEASED:
        message = _("From 1 to %d.") % MOST_RELEASED
        raise ValidationFailed(message, items=[{"field": "limit", "message": message}])
    warehouse = _warehouse(warehouse_code)
    ready = Reservation.objects.filter(line__order=OuterRef("pk"), level__location__warehouse=warehouse)
    ready = ready.exclude(level__location__kind=Location.Kind.PACKING).exclude(waiting_picks())
    orders = SalesOrder.objects.filter(Exists(ready), status__in=SalesOrder.OPEN, is_history=False)
    first = orders.order_by("channel__priority", "ordered_at", "pk").values_list("pk", flat=True)[:limit]
    locked = list(
        SalesOrder.objects.filter(pk__in=list(first), status__in=SalesOrder.OPEN)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
    )
    tasks = make_pick_tasks(_rows_of([order.pk for order in locked], warehouse), priority=priority, now=now)
    for order in locked:
        settle_picking(order)
    return tasks


def on_order_cancelled(order: SalesOrder, *, now: datetime) -> list[Task]:
    """What cancelling an order or a part of it (locked, its stock let go) means on the floor: picks with no reservation
    are cancelled, and what lies in packing for nobody is to be carried back; the tasks for that."""
    if not was_released(order):
        return []
    pick_tasks_follow([order.pk], now=now)
    goods = goods_to_put_back(sku_ids=SalesOrderLine.objects.filter(order=order).values_list("sku_id", flat=True))
    return put_back_tasks(goods, reference=order_reference(order), note=_("Its order was cancelled."), now=now)


def goods_to_put_back(
    *, sku_ids: Iterable[int] | None = None, warehouse: Warehouse | None = None
) -> list[tuple[StockLevel, Decimal]]:
    """What lies in packing and is reserved for nobody, less what waiting tasks carry away already."""
    levels = StockLevel.objects.filter(
        location__kind=Location.Kind.PACKING, status=StockStatus.AVAILABLE, on_hand__gt=F("reserved")
    )
    if sku_ids is not None:
        levels = levels.filter(sku_id__in=list(sku_ids))
    if warehouse is not None:
        levels = levels.filter(location__warehouse=warehouse)
    found = list(levels.select_related("sku", "lot", "location__warehouse").order_by("pk"))
    # Read after the levels: a rival's tasks are committed with what freed the stock.
    carried = {
        (sku, lot, place): units
        for sku, lot, place, units in Task.objects.filter(
            state__in=Task.WAITING,
            from_location__in={level.location_id for level in found},
            status=StockStatus.AVAILABLE,
        )
        .order_by()
        .values_list("sku_id", "lot_id", "from_location_id")
        .annotate(units=Sum("quantity", default=_NOTHING))
    }
    left = [(lv, lv.on_hand - lv.reserved - carried.get(_place(lv), _NOTHING)) for lv in found]
    return [(level, units) for level, units in left if units > 0]


def _place(level: StockLevel) -> tuple[int, int | None, int]:
    return level.sku_id, level.lot_id, level.location_id


def _warehouse(code: str | None) -> Warehouse | None:
    if code is None:
        return None
    warehouse = Warehouse.objects.filter(code=code).first()
    if warehouse is None:
        raise NotFound(_("There is no such warehouse."))
    return warehouse


def _rows_of(order_ids: Iterable[int], warehouse: Warehouse | None) -> QuerySet[Reservation]:
    rows = to_pick(order_ids)
    return rows if warehouse is None else rows.filter(level__location__warehouse=warehouse)
