"""Looking words up in the small tables first, so that the big ones are only asked by indexed ids."""

from django.db.models import Q

from catalog.models import Channel, Sku
from warehouses.models import SalesOrder

# A word that fits more SKUs than this says too little to search a million rows with.
MOST_SKUS = 200


def skus_like(term: str) -> list[int]:
    """Ids of SKUs whose code is or starts with the term, or whose barcode is it."""
    exact = list(Sku.objects.filter(Q(code__iexact=term) | Q(barcode=term)).values_list("pk", flat=True)[:MOST_SKUS])
    return exact or list(Sku.objects.filter(code__istartswith=term).values_list("pk", flat=True)[:MOST_SKUS])


def orders_numbered(term: str) -> list[int]:
    """Ids of orders with this number in any channel; the channels are named so that the unique index serves."""
    channels = list(Channel.objects.values_list("pk", flat=True))
    return list(SalesOrder.objects.filter(channel_id__in=channels, external_id=term).values_list("pk", flat=True))
