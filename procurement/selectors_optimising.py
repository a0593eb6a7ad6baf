"""What the advice of the plan still brings to or takes from a warehouse."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import F

from procurement.models import TransferProposal
from warehouses.models import Transfer, TransferLine

Pair = tuple[int, int]
"""(sku id, warehouse id)"""


def open_transfer_quantities() -> Mapping[Pair, Decimal]:
    """Units that open transfer proposals and transfers not shipped yet would bring to (+) or take from (−) a warehouse.

    Two queries. What has shipped is in transit at the target, what is held is reserved at the source: neither is told
    twice.
    """
    found = defaultdict(Decimal, unshipped_transfer_quantities())
    rows = TransferProposal.objects.filter(status=TransferProposal.Status.OPEN)
    for sku, source, target, quantity in rows.values_list("sku_id", "source_id", "target_id", "quantity"):
        found[sku, source] -= quantity
        found[sku, target] += quantity
    return {pair: units for pair, units in found.items() if units}


def unshipped_transfer_quantities() -> Mapping[Pair, Decimal]:
    """The same of transfers alone, draft or reserved: all that is not shipped to come, all that is not held to go."""
    found: dict[Pair, Decimal] = defaultdict(Decimal)
    waiting = (Transfer.Status.DRAFT, Transfer.Status.RESERVED)
    rows = TransferLine.objects.filter(transfer__status__in=waiting).values_list(
        "sku_id",
        "transfer__source_id",
        "transfer__destination_id",
        F("quantity") - F("shipped_quantity"),
        "reserved_quantity",
    )
    for sku, source, target, quantity, held in rows:
        found[sku, source] -= quantity - held
        found[sku, target] += quantity
    return {pair: units for pair, units in found.items() if units}
