"""The open draft of a supplier and a warehouse: found or made, and filled line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from config.kernel.fields import plain
from config.kernel.numbers import next_number
from procurement.locks import locked_draft, locked_lines
from procurement.models import Proposal, PurchaseOrder, PurchaseOrderLine, Supplier, SupplierItem
from procurement.services.pricing import unit_cost_for
from procurement.services.states import record


@dataclass(frozen=True, slots=True)
class Wanted:
    """So much of an item, by a day; `proposal` where the plan asked for it."""

    item: SupplierItem
    quantity: Decimal
    need_by: date
    proposal: Proposal | None = None


def open_draft(supplier: Supplier, *, warehouse_id: int, actor: Any, now: datetime) -> PurchaseOrder:
    """The one draft of this supplier and warehouse, made if there is none, locked. Raises Conflict.

    The database lets only one draft exist; two planners who open it at once get the same one, because the second
    INSERT waits for the first transaction and then does nothing. A rival may approve the draft between our INSERT and
    our lock; then another round opens the next one.
    """
    if not supplier.is_active:
        raise Conflict(_("Supplier %(supplier)s is not active.") % {"supplier": supplier.name})
    for _round in range(5):
        draft = locked_draft(supplier.pk, warehouse_id)
        if draft is None:
            number = next_number("procurement_order_number", "PO")
            order = PurchaseOrder(
                number=number,
                supplier=supplier,
                warehouse_id=warehouse_id,
                currency=supplier.currency,
                created_by=actor,
            )
            PurchaseOrder.objects.bulk_create([order], ignore_conflicts=True)
            draft = locked_draft(supplier.pk, warehouse_id)
            if draft is not None and draft.number == number:
                record(draft, "created", actor=actor, now=now)
        if draft is not None:
            _refuse_other_currency(draft, supplier)
            return draft
    raise Conflict(_("The draft for %(supplier)s keeps changing; try again.") % {"supplier": supplier.name})


def add_lines(order: PurchaseOrder, wanted: Sequence[Wanted], *, actor: Any, now: datetime) -> list[PurchaseOrderLine]:
    """Put `wanted` on a locked draft. A SKU that is on it already gets the sum, at the price of the sum."""
    lines = {line.sku_id: line for line in locked_lines(order)}
    known = set(lines)
    last = max((line.line_number for line in lines.values()), default=0)
    touched: dict[int, PurchaseOrderLine] = {}
    for want in wanted:
        line = lines.get(want.item.sku_id)
        if line is None:
            last += 1
            line = PurchaseOrderLine(
                order=order, line_number=last, sku=want.item.sku, quantity=Decimal(0), need_by=want.need_by
            )
            lines[want.item.sku_id] = line
        line.quantity += want.quantity
        line.original_quantity = line.quantity
        line.unit_cost = unit_cost_for(want.item, line.quantity)
        line.need_by = min(line.need_by, want.need_by)
        if line.proposal_id is None:
            line.proposal = want.proposal
        touched[line.sku_id] = line
    PurchaseOrderLine.objects.bulk_create([line for sku, line in touched.items() if sku not in known])
    PurchaseOrderLine.objects.bulk_update(
        [line for sku, line in touched.items() if sku in known],
        ["quantity", "original_quantity", "unit_cost", "need_by", "proposal"],
    )
    detail = [
        {"sku": w.item.sku.code, "quantity": plain(w.quantity), "proposal": w.proposal and w.proposal.pk}
        for w in wanted
    ]
    record(order, "lines_added", actor=actor, now=now, lines=detail)
    return list(touched.values())


def _refuse_other_currency(draft: PurchaseOrder, supplier: Supplier) -> None:
    if draft.currency != supplier.currency:
        raise Conflict(
            _("%(order)s is in %(old)s, but %(supplier)s now sells in %(new)s; approve or cancel it first.")
            % {"order": draft.number, "old": draft.currency, "supplier": supplier.name, "new": supplier.currency}
        )
