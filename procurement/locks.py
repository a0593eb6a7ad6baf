"""Row locks of buying. Lock order as in `warehouses.locks`: document → its lines by primary key → stock levels.

Proposals count as documents and are taken before the draft they go into; several drafts are taken in the order of
(supplier, warehouse), each made first where it is missing.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.kernel.errors import NotFound
from procurement.models import LineResponse, Proposal, PurchaseOrder, PurchaseOrderLine


def locked_order(order_id: int) -> PurchaseOrder:
    """The purchase order with its supplier and warehouse, locked until the transaction ends. Raises NotFound."""
    _in_transaction()
    order = _orders().filter(pk=order_id).first()
    if order is None:
        raise NotFound(_("There is no such purchase order."))
    return order


def locked_draft(supplier_id: int, warehouse_id: int) -> PurchaseOrder | None:
    """The open draft of this supplier and warehouse, locked. A draft that was approved meanwhile is not returned."""
    _in_transaction()
    return _orders().filter(supplier=supplier_id, warehouse=warehouse_id, status=PurchaseOrder.Status.DRAFT).first()


def locked_lines(order: PurchaseOrder) -> list[PurchaseOrderLine]:
    """The lines of an order that is locked already, locked in primary-key order."""
    _in_transaction()
    lines = PurchaseOrderLine.objects.filter(order=order).select_related("sku").order_by("pk")
    return list(lines.select_for_update(of=("self",), no_key=True))


def locked_order_of_line(line_id: int) -> tuple[PurchaseOrder, list[PurchaseOrderLine], PurchaseOrderLine]:
    """The order of a line, all its lines, and the line itself. Raises NotFound."""
    order_id = PurchaseOrderLine.objects.filter(pk=line_id).values_list("order_id", flat=True).first()
    order = locked_order(order_id) if order_id else None
    lines = locked_lines(order) if order else []
    line = next((line for line in lines if line.pk == line_id), None)
    if order is None or line is None:
        raise NotFound(_("There is no such order line."))
    return order, lines, line


def locked_order_of_response(response_id: int) -> tuple[PurchaseOrder, list[PurchaseOrderLine], LineResponse]:
    """The order of an answer, all its lines, and the answer as it stands now that they are locked. Raises NotFound."""
    line_id = LineResponse.objects.filter(pk=response_id).values_list("line_id", flat=True).first()
    if line_id is None:
        raise NotFound(_("There is no such answer."))
    order, lines, line = locked_order_of_line(line_id)
    response = LineResponse.objects.select_for_update(of=("self",), no_key=True).get(pk=response_id)
    response.line = line
    return order, lines, response


def locked_proposals(ids: Iterable[int]) -> list[Proposal]:
    """These proposals, locked in primary-key order; fewer than asked where an id is unknown."""
    _in_transaction()
    rows = Proposal.objects.filter(pk__in=set(ids)).select_related("sku", "supplier", "warehouse").order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _orders() -> QuerySet[PurchaseOrder]:
    return PurchaseOrder.objects.select_related("supplier", "warehouse").select_for_update(of=("self",), no_key=True)


def _in_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Locks are taken inside a transaction only.")
