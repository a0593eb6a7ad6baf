"""What tests of orders share: a sale in one line, a kit, and how an order's lines stand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from catalog.models import KitPart, Sku
from tests.cast import NOW, make_sku
from warehouses.models import SalesOrder, StockLevel
from warehouses.services.sales import Sale, SaleLine, record_sale


def line(
    sku_code: str, quantity: Any = 1, price: Any = "9.00", warehouse: str | None = None, unit: str = ""
) -> SaleLine:
    return SaleLine(sku_code, Decimal(quantity), Decimal(price), warehouse, unit)


def sale(*lines: SaleLine | tuple[str, int], number: str = "W-1", channel: str = "WEB", **more: Any) -> Sale:
    said = [one if isinstance(one, SaleLine) else line(*one) for one in lines]
    return Sale(channel, number, more.pop("ordered_at", NOW), said, **more)


def sell(*lines: SaleLine | tuple[str, int], **more: Any) -> SalesOrder:
    return record_sale(sale(*lines, **more), now=NOW)[0]


def make_kit(code: str, *parts: tuple[Sku, int]) -> Sku:
    kit = make_sku(code, is_kit=True)
    for part, quantity in parts:
        KitPart.objects.create(kit=kit, part=part, quantity=Decimal(quantity))
    return kit


def counters(order: SalesOrder, *names: str) -> list[tuple[Any, ...]]:
    """(line number, SKU, then "quantity" or the counters named) of every line, parts of kits last."""
    rows = order.lines.select_related("sku").order_by("line_number")
    fields = [name if name == "quantity" else f"{name}_quantity" for name in names]
    return [(row.line_number, row.sku.code, *(int(getattr(row, field)) for field in fields)) for row in rows]


def standing(sku: Sku, location: Any, **more: Any) -> tuple[int, int]:
    """(on hand, reserved) of a level."""
    level = StockLevel.objects.get(sku=sku, location=location, **more)
    return int(level.on_hand), int(level.reserved)


def status(order: SalesOrder) -> str:
    return SalesOrder.objects.get(pk=order.pk).status


def shortages(items: Sequence[Any]) -> list[tuple[int, str, str]]:
    return [(item["line"], item["sku"], item["short_by"]) for item in items]
