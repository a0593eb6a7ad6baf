"""What must be known to take in an order, read in one statement; what only some orders need, in one more each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from catalog.models import KitPart, PackUnit
from warehouses.models import StockRules, Warehouse


class ChannelFacts(NamedTuple):
    pk: int
    code: str
    currency: str
    is_active: bool
    allows_backorders: bool
    allows_split: bool


class SkuFacts(NamedTuple):
    pk: int
    code: str
    status: str
    is_kit: bool
    unit: str
    weight_kg: Decimal
    has_quota: bool
    """Some channel has a quota of it that was not released; of a kit, perhaps of its parts."""


class Place(NamedTuple):
    """A warehouse that may serve the order."""

    pk: int
    code: str
    rank: int
    latitude: Decimal | None
    longitude: Decimal | None
    orders_a_day: int | None
    time_zone: str


@dataclass(slots=True)
class SaleFacts:
    channel: ChannelFacts | None
    known_id: int | None
    """The order recorded under this number."""
    skus: dict[str, SkuFacts]
    routes: list[Place]
    split_penalty: Decimal
    has_rates: bool
    named: dict[str, Place] = field(default_factory=dict)
    packs: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    """(SKU id, unit) → units of the SKU in it."""
    parts: dict[int, list[tuple[SkuFacts, Decimal]]] = field(default_factory=dict)
    """Of a kit: its parts, and how many units of each are in one kit."""


def sale_facts(
    channel_code: str, external_id: str, sku_codes: Collection[str], named: Collection[str], units: Collection[str]
) -> SaleFacts:
    """`named`: the warehouses that lines name, `units`: the units they are ordered in. Unknown names are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"number": external_id, "skus": list(sku_codes), "channel": channel_code})
        *head, known_id, skus, routes, penalty, has_rates = cursor.fetchone()
    facts = SaleFacts(
        channel=ChannelFacts(*head) if head[0] is not None else None,
        known_id=known_id,
        skus={row[1]: _sku(row) for row in skus or ()},
        routes=[_place(row) for row in routes or ()],
        split_penalty=StockRules._meta.get_field("split_penalty").default if penalty is None else Decimal(penalty),
        has_rates=has_rates,
    )
    if named:
        rows = Warehouse.objects.filter(code__in=named, is_active=True)
        facts.named = {row[1]: Place(*row) for row in rows.values_list(*_PLACE)}
    if units:
        found = PackUnit.objects.filter(sku_id__in=[sku.pk for sku in facts.skus.values()], code__in=units)
        facts.packs = {(sku, code): held for sku, code, held in found.values_list("sku_id", "code", "units")}
    if kits := [sku.pk for sku in facts.skus.values() if sku.is_kit]:
        _read_parts(facts, kits)
    return facts


def _read_parts(facts: SaleFacts, kits: Collection[int]) -> None:
    rows = KitPart.objects.filter(kit__in=kits).order_by("kit", "pk")
    columns = ("pk", "code", "status", "is_kit", "unit", "weight_kg")
    for kit_id, quantity, *part in rows.values_list("kit_id", "quantity", *(f"part__{name}" for name in columns)):
        facts.parts.setdefault(kit_id, []).append((_sku([*part, True]), quantity))


def _sku(row: Any) -> SkuFacts:
    pk, code, status, is_kit, unit, weight, has_quota = row
    return SkuFacts(pk, code, status, is_kit, unit, Decimal(weight or 0), has_quota)


def _place(row: Any) -> Place:
    pk, code, rank, latitude, longitude, *rest = row
    if latitude is None:
        return Place(pk, code, rank, None, None, *rest)
    return Place(pk, code, rank, Decimal(latitude), Decimal(longitude), *rest)


_PLACE = ("pk", "code", "pk", "latitude", "longitude", "orders_a_day", "time_zone")  # a named one has no rank

_FACTS = """
SELECT channel.id, channel.code, channel.currency, channel.is_active, channel.allows_backorders, channel.allows_split,
  (SELECT known.id FROM warehouses_salesorder known
   WHERE known.channel_id = channel.id AND known.external_id = %(number)s),
  (SELECT json_agg(json_build_array(sku.id, sku.code, sku.status, sku.is_kit, sku.unit, sku.weight_kg::text,
     EXISTS (SELECT FROM warehouses_channelquota quota WHERE quota.sku_id = sku.id AND quota.released_at IS NULL)))
   FROM catalog_sku sku WHERE sku.code = ANY(%(skus)s)),
  (SELECT json_agg(json_build_array(warehouse.id, warehouse.code, route.rank, warehouse.latitude::text,
     warehouse.longitude::text, warehouse.orders_a_day, warehouse.time_zone) ORDER BY route.rank, route.id)
   FROM warehouses_channelroute route JOIN warehouses_warehouse warehouse ON warehouse.id = route.warehouse_id
   WHERE route.channel_id = channel.id AND warehouse.is_active),
  (SELECT rules.split_penalty::text FROM warehouses_stockrules rules WHERE rules.id = 1),
  EXISTS (SELECT FROM warehouses_shippingrate)
FROM (SELECT) AS one LEFT JOIN catalog_channel channel ON channel.code = %(channel)s
"""
