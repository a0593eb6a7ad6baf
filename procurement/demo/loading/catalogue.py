"""The demo company's catalogue: categories, products, SKUs, channels with their prices, and the calendar."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product as pairs

import numpy as np

from catalog.models import CalendarEvent, Category, Channel, Listing, Product, Sku
from procurement.demo import catalogue as made
from procurement.demo import events
from procurement.demo.loading.copying import pounds
from procurement.demo.world import DemoWorld

_KIND = {
    "holiday": CalendarEvent.Kind.HOLIDAY,
    "promotion": CalendarEvent.Kind.PROMOTION,
    "peak": CalendarEvent.Kind.PROMOTION,  # a peak is a promotion without a discount
    "closure": CalendarEvent.Kind.CLOSURE,
}


def load_catalogue(world: DemoWorld, *, today: date) -> list[Sku]:
    """Categories, products and SKUs; the SKUs in the world's order."""
    categories = {row.code: Category(code=row.code, name=row.name) for row in world.categories}
    Category.objects.bulk_create(categories.values())
    products = {
        row.code: Product(code=row.code, name=row.name, category=categories[row.category]) for row in world.products
    }
    Product.objects.bulk_create(products.values())
    return Sku.objects.bulk_create(
        Sku(
            code=row.code,
            name=row.name,
            product=products[row.product],
            barcode=row.gtin,
            status=_status(row, today),
            unit_price=pounds(row.list_price_pence),
            unit_cost=pounds(row.unit_cost_pence),
            weight_kg=Decimal(row.weight_g).scaleb(-3),
            volume_litres=Decimal(row.volume_cm3).scaleb(-3),
            launched_on=row.launched_on,
            discontinued_on=row.discontinued_on,
        )
        for row in world.skus
    )


def _status(sku: made.Sku, today: date) -> str:
    if sku.discontinued_on is None:
        return Sku.Status.ACTIVE
    return Sku.Status.DISCONTINUED if sku.discontinued_on < today else Sku.Status.PHASE_OUT


def load_channels(world: DemoWorld, skus: list[Sku]) -> list[Channel]:
    """Channels, and a listing for every SKU at the price that holds on the last day of the history."""
    channels = Channel.objects.bulk_create(
        Channel(
            code=row.code,
            name=row.name,
            kind=row.kind,
            currency=row.currency,
            time_zone=row.time_zone,
            priority=10 * place,
        )
        for place, row in enumerate(world.channels, start=1)
    )
    in_force = world.prices[world.prices["valid_from"] <= np.datetime64(world.end_day, "D")]
    price = {(sku, channel): pence for sku, channel, _, pence in in_force.tolist()}  # in time order: the last one stays
    Listing.objects.bulk_create(
        Listing(
            channel=channels[channel],
            sku=skus[sku],
            external_id=skus[sku].barcode if channels[channel].kind == Channel.Kind.MARKETPLACE else skus[sku].code,
            unit_price=pounds(pence),
            is_active=skus[sku].status != Sku.Status.DISCONTINUED,
        )
        for (sku, channel), pence in price.items()
    )
    return channels


def load_calendar(world: DemoWorld, *, skus: list[Sku], channels: list[Channel]) -> int:
    """One row for every channel and category (or SKU) that an event names; returns how many rows."""
    sku_at = {row.code: row for row in skus}
    channel_at = {row.code: row for row in channels}
    category_at = {row.code: row for row in Category.objects.all()}
    rows = []
    for event in world.events:
        for channel, category, sku in _scopes(event):
            rows.append(
                CalendarEvent(
                    kind=_KIND[event.kind],
                    name=_name(event),
                    starts_on=event.starts_on,
                    ends_on=event.ends_on,
                    channel=channel_at[channel] if channel else None,
                    category=category_at[category] if category else None,
                    sku=sku_at[sku] if sku else None,
                    discount=Decimal(event.discount_percent).scaleb(-2),
                )
            )
    return len(CalendarEvent.objects.bulk_create(rows))


def _scopes(event: events.CalendarEvent) -> Iterator[tuple[str | None, str | None, str | None]]:
    """(channel, category, SKU) of each row; None where the event does not restrict."""
    yield from pairs(event.channels or (None,), event.categories or (None,), event.skus or (None,))


def _name(event: events.CalendarEvent) -> str:
    place = event.country or event.warehouse
    return f"{event.name} ({place})" if place else event.name
