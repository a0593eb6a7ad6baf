"""Sales as numbers and words: what was promised and has no stock behind it yet, and why a warehouse was chosen."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext as _

from warehouses.models import Location, Reservation, SalesOrder, SalesOrderLine, StockLevel, Warehouse

BACKORDERED = F("quantity") - F("reserved_quantity") - F("shipped_quantity") - F("cancelled_quantity")
"""Units of a line that are owed and not reserved."""


def waiting_lines(sku_ids: Iterable[int] | None = None) -> QuerySet[SalesOrderLine]:
    """Lines of open orders with units that are owed and not reserved, with `backordered`; of kits the parts."""
    lines = SalesOrderLine.objects.filter(order__status__in=SalesOrder.OPEN, order__is_history=False, is_kit=False)
    if sku_ids is not None:
        lines = lines.filter(sku_id__in=list(sku_ids))
    return lines.annotate(backordered=BACKORDERED).filter(backordered__gt=0)


def backordered_quantities(sku_ids: Iterable[int] | None = None) -> dict[tuple[int, int], Decimal]:
    """(sku id, warehouse id) → units backordered; pairs with none are left out."""
    rows = waiting_lines(sku_ids).order_by().values("sku_id", "warehouse_id").annotate(total=Sum("backordered"))
    return {(row["sku_id"], row["warehouse_id"]): row["total"] for row in rows}


def waiting_units(sku_ids: Collection[int]) -> list[tuple[int, int, int | None, Decimal]]:
    """(sku id, warehouse id, channel id, units backordered) in one query; with a channel what may come from any of its
    warehouses (see `services.reservations.reserve_backorders`), without one what waits for its own warehouse alone."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(sku_ids), [str(status) for status in SalesOrder.OPEN]])
        return cursor.fetchall()  # type: ignore[no-any-return]


_WAITING = """
SELECT line.sku_id, line.warehouse_id,
       CASE WHEN (channel.allows_split OR NOT place.is_active) AND NOT coalesce(
                placed.sourcing->'named' @> to_jsonb(coalesce(kit.line_number, line.line_number)), false)
            THEN channel.id END,
       sum(line.quantity - line.reserved_quantity - line.shipped_quantity - line.cancelled_quantity)
FROM warehouses_salesorderline line
JOIN warehouses_salesorder placed ON placed.id = line.order_id
JOIN catalog_channel channel ON channel.id = placed.channel_id
JOIN warehouses_warehouse place ON place.id = line.warehouse_id
LEFT JOIN warehouses_salesorderline kit ON kit.id = line.kit_line_id
WHERE line.sku_id = ANY(%s) AND placed.status = ANY(%s) AND NOT placed.is_history AND NOT line.is_kit
  AND line.quantity > line.reserved_quantity + line.shipped_quantity + line.cancelled_quantity
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 NULLS FIRST
"""


def reserved_by_warehouse(lines: Sequence[SalesOrderLine]) -> dict[Warehouse, dict[int, Decimal]]:
    """Warehouse → line number → units reserved there, of all an order's lines; of kits the whole kits."""
    held: dict[Warehouse, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rows = Reservation.objects.filter(line__in=[line.pk for line in lines])
    for row in rows.select_related("level__location__warehouse").order_by("level__location__warehouse__code", "pk"):
        held[row.level.location.warehouse][row.line_id] += row.quantity  # type: ignore[index]
    parts: dict[int, list[SalesOrderLine]] = defaultdict(list)
    for line in lines:
        if line.kit_line_id:
            parts[line.kit_line_id].append(line)
    return {
        place: {
            line.line_number: units
            for line in lines
            if not line.kit_line_id
            and (
                units := min(
                    (there[part.pk] // (part.units_per_kit or 1) for part in parts[line.pk]), default=Decimal(0)
                )
                if line.is_kit
                else there[line.pk]
            )
        }
        for place, there in held.items()
    }


def left_in_packing(warehouse_id: int | None = None) -> QuerySet[StockLevel]:
    """Levels in packing with `for_nobody`: picked units whose order was cancelled. They wait to be put back."""
    levels = StockLevel.objects.filter(location__kind=Location.Kind.PACKING, on_hand__gt=F("reserved"))
    if warehouse_id is not None:
        levels = levels.filter(location__warehouse=warehouse_id)
    return levels.annotate(for_nobody=F("on_hand") - F("reserved")).order_by("pk")


def sourcing_sentences(order: SalesOrder) -> list[str]:
    """What `services.sourcing` wrote down on the order, for people; nothing for orders taken in before it did."""
    said: Mapping[str, Any] = order.sourcing or {}
    sentences = [_reason(reason) for reason in said.get("reasons", ())]
    if named := said.get("named"):
        lines = ", ".join(str(number) for number in named)
        sentences.append(_("The channel named the warehouse (line %(lines)s).") % {"lines": lines})
    if quota := said.get("quota"):
        units = sum((Decimal(units) for units in quota.values()), Decimal(0))
        sentences.append(_("%(units)s came from the channel's quota.") % {"units": f"{units.normalize():f}"})
    return [sentence for sentence in sentences if sentence]


def _reason(reason: Mapping[str, Any]) -> str:
    """The codes are those of `warehouses.engine.sourcing_types.Reason`."""
    words = {**reason, "warehouses": ", ".join(reason.get("warehouses", ()))}
    match reason.get("code"):
        case "chosen":
            return _("%(warehouse)s sends %(units)s, at a cost of %(cost)s.") % words
        case "alternative":
            return _("Next best: %(warehouses)s with %(units)s, at a cost of %(cost)s.") % words
        case "not_routed":
            return _("%(warehouse)s does not serve this channel.") % words
        case "no_capacity":
            return _("%(warehouse)s has no orders left for this day.") % words
        case "no_stock":
            return _("%(warehouse)s has nothing of it free.") % words
        case "would_add_parcel":
            return _("%(warehouse)s could send %(units)s, with one parcel more.") % words
        case "serves_less":
            return _("%(warehouse)s has only %(units)s, and the order comes in one parcel.") % words
        case "costs_more":
            return _("%(warehouse)s would cost more: %(cost)s.") % words
        case "ranks_later":
            return _("%(warehouse)s comes later in the channel's ranking.") % words
        case "waits":
            return _("%(quantity)s of line %(line)s wait for stock at %(warehouse)s.") % words
    return ""
