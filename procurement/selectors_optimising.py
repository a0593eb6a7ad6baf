"""What the advice of the plan still brings to or takes from a warehouse."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from procurement.models import TransferProposal

Pair = tuple[int, int]
"""(sku id, warehouse id)"""


def open_transfer_quantities() -> Mapping[Pair, Decimal]:
    """Units that open transfer proposals would bring to (+) or take from (−) a warehouse, in one query."""
    found: dict[Pair, Decimal] = defaultdict(Decimal)
    rows = TransferProposal.objects.filter(status=TransferProposal.Status.OPEN)
    for sku, source, target, quantity in rows.values_list("sku_id", "source_id", "target_id", "quantity"):
        found[sku, source] -= quantity
        found[sku, target] += quantity
    return dict(found)
