"""Finding SKUs by what was typed into a search box, before a large table is asked for them."""

from django.db.models import Q

from catalog.models import Sku

_MOST = 200


def sku_ids(term: str) -> list[int]:
    """Those with this code; else those whose code begins so, or whose name contains it."""
    exact = list(Sku.objects.filter(code__iexact=term).values_list("pk", flat=True))
    if exact:
        return exact
    like = Sku.objects.filter(Q(code__istartswith=term) | Q(name__icontains=term))
    return list(like.order_by("code").values_list("pk", flat=True)[:_MOST])
