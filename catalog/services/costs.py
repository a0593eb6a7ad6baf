"""What a SKU costs: the figure its stock is valued at."""

from collections.abc import Mapping
from decimal import Decimal

from catalog.models import Sku
from config.kernel.transactions import one_transaction


@one_transaction
def set_missing_unit_costs(costs: Mapping[int, Decimal]) -> int:
    """Give these SKUs their unit cost where it is 0; how many got one. A cost that is there stays. Locks those SKUs."""
    rows = Sku.objects.filter(pk__in=[pk for pk, cost in costs.items() if cost], unit_cost=0)
    skus = list(rows.order_by("pk").select_for_update(no_key=True))
    for sku in skus:
        sku.unit_cost = costs[sku.pk]
    Sku.objects.bulk_update(skus, ["unit_cost"], batch_size=1000)
    return len(skus)
