"""The floor of MAIN for the tests of tasks: bins in walking order, orders released, tasks claimed and done."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.cast import NOW, World
from warehouses.models import Location, SalesOrder, SalesOrderLine, StockLevel, Task
from warehouses.services.picking import release_for_picking
from warehouses.services.sales import Sale, SaleLine, record_sale
from warehouses.services.tasks import claim_task, claim_tasks, complete_task


def make_bin(world: World, code: str, *, sequence: int, kind: str = "storage", capacity: int | None = None) -> Location:
    return Location.objects.create(
        warehouse=world.main, code=code, kind=kind, sequence=sequence, capacity_units=capacity
    )


def order_of(number: str, *lines: tuple[str, int], channel: str = "WEB") -> SalesOrder:
    rows = [SaleLine(sku, Decimal(quantity), Decimal("9.00")) for sku, quantity in lines]
    return record_sale(Sale(channel, number, NOW, rows), now=NOW)[0]


def released(number: str, *lines: tuple[str, int]) -> tuple[SalesOrder, list[Task]]:
    order = order_of(number, *lines)
    tasks = release_for_picking(order.pk, now=NOW)
    order.refresh_from_db()
    return order, tasks


def claim(limit: int = 1, *, now: datetime = NOW, **more: Any) -> list[Task]:
    return claim_tasks("robot-1", warehouse_code="MAIN", limit=limit, now=now, **more)


def do(task: Task, quantity: int | str | None = None, *, now: datetime = NOW, **more: Any) -> Task:
    """Claim this task and complete it."""
    claimed = claim_task(task.number, worker="robot-1", now=now)
    units = None if quantity is None else Decimal(quantity)
    assert claimed.lease_token is not None
    return complete_task(task.number, lease_token=claimed.lease_token, quantity=units, now=now, **more)


def lies(sku: Any, location: Location, **more: Any) -> tuple[int, int] | None:
    """(on hand, reserved)"""
    level = StockLevel.objects.filter(sku=sku, location=location, **{"status": "available", **more}).first()
    return level and (int(level.on_hand), int(level.reserved))


def packing(world: World) -> Location:
    return Location.objects.get(warehouse=world.main, kind="packing")


def status(order: SalesOrder) -> str:
    return SalesOrder.objects.get(pk=order.pk).status


def counters(order: SalesOrder) -> list[tuple[int, ...]]:
    """(ordered, reserved, picked, shipped) of each line."""
    names = ("quantity", "reserved_quantity", "picked_quantity", "shipped_quantity")
    lines = SalesOrderLine.objects.filter(order=order).order_by("line_number")
    return [tuple(map(int, row)) for row in lines.values_list(*names)]
