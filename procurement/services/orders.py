"""The buyer's side of a purchase order (step 10 of the story): fill the draft, approve, send, cancel, close short."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.errors import NotFound, PermissionRefused, ValidationFailed
from config.kernel.fields import money, plain
from config.kernel.transactions import one_transaction
from procurement.locks import locked_lines, locked_order, locked_order_of_line
from procurement.models import PurchaseOrder, PurchaseOrderLine, Supplier, SupplierItem
from procurement.notifications import mail_supplier_on_commit
from procurement.services.drafts import Wanted, add_lines, open_draft
from procurement.services.pricing import items_of, quantity_fault, unit_cost_for
from procurement.services.states import Action, advance, next_status, record
from warehouses.models import Warehouse


@one_transaction
def add_to_draft(
    supplier_id: int,
    *,
    warehouse_id: int,
    sku_id: int,
    quantity: Decimal,
    actor: Any,
    now: datetime,
    need_by: date | None = None,
) -> PurchaseOrderLine:
    """Put a SKU on the open draft of this supplier and warehouse by hand; a SKU already there gets the sum.

    `need_by` defaults to today + lead time. Raises NotFound, ValidationFailed (not sold by this supplier; minimum
    order quantity, pack size) and Conflict (supplier not active).
    """
    supplier = Supplier.objects.filter(pk=supplier_id).first()
    if supplier is None or not Warehouse.objects.filter(pk=warehouse_id, is_active=True).exists():
        raise NotFound(_("There is no such supplier or warehouse."))
    item = _sold_item(supplier, sku_id)
    _refuse_bad_quantity(item, quantity)
    if need_by is None:
        days = supplier.lead_time_days if item.lead_time_days is None else item.lead_time_days
        need_by = timezone.localdate(now) + timedelta(days=days)
    draft = open_draft(supplier, warehouse_id=warehouse_id, actor=actor, now=now)
    return add_lines(draft, [Wanted(item, quantity, need_by)], actor=actor, now=now)[0]


@one_transaction
def change_draft_line(
    line_id: int, *, quantity: Decimal, actor: Any, now: datetime, need_by: date | None = None
) -> PurchaseOrderLine:
    """Another quantity (and day) for a line of a draft, at the price of that quantity.

    Raises NotFound, ValidationFailed (minimum order quantity, pack size), Conflict (no longer a draft).
    """
    order, _lines, line = locked_order_of_line(line_id)
    next_status(order, Action.EDIT)
    item = _sold_item(order.supplier, line.sku_id)
    _refuse_bad_quantity(item, quantity)
    before = line.quantity
    line.quantity = line.original_quantity = quantity
    line.unit_cost = unit_cost_for(item, quantity)
    line.need_by = need_by or line.need_by
    line.save(update_fields=["quantity", "original_quantity", "unit_cost", "need_by"])
    detail = {"sku": line.sku.code, "from": plain(before), "to": plain(quantity)}
    record(order, "line_changed", actor=actor, now=now, **detail)
    return line


@one_transaction
def remove_draft_line(line_id: int, *, actor: Any, now: datetime) -> PurchaseOrder:
    """Take a line off a draft. Its proposal stays decided; the next plan proposes anew what is still needed."""
    order, _lines, line = locked_order_of_line(line_id)
    next_status(order, Action.EDIT)
    line.delete()
    record(order, "line_removed", actor=actor, now=now, sku=line.sku.code, quantity=plain(line.quantity))
    return order


@one_transaction
def approve_order(
    order_id: int,
    *,
    actor: Any,
    now: datetime,
    override_minimum: bool = False,
    second_person_above: Decimal | None = None,
) -> PurchaseOrder:
    """Approve a draft: from here on it counts as on order.

    Raises Conflict (wrong state), ValidationFailed (no lines; below the supplier's minimum order value, with code
    "below_minimum_order_value", unless `override_minimum`) and PermissionRefused when the order is worth more than
    `second_person_above` (in the order's currency) and the actor is the one who opened it.
    """
    order = locked_order(order_id)
    next_status(order, Action.APPROVE)
    lines = locked_lines(order)
    if not lines:
        raise ValidationFailed(_("%(order)s has no lines; add some or cancel it.") % {"order": order.number})
    value = sum((line.value for line in lines), Decimal(0))
    _refuse_below_minimum(order, value, override=override_minimum)
    if second_person_above is not None and value > second_person_above and order.created_by_id == actor.pk:
        raise PermissionRefused(
            _("%(order)s is worth more than %(limit)s %(currency)s; somebody else has to approve it.")
            % {"order": order.number, "limit": money(second_person_above), "currency": order.currency}
        )
    advance(order, Action.APPROVE, actor=actor, now=now, value=str(money(value)), below_minimum=override_minimum)
    return order


@one_transaction
def send_order(order_id: int, *, actor: Any, now: datetime) -> PurchaseOrder:
    """Send an approved order: the supplier sees it in the portal and, once the transaction is committed, gets a mail.

    A mail that fails undoes nothing: it is logged and noted in the order's events. Raises NotFound and Conflict.
    """
    order = locked_order(order_id)
    advance(order, Action.SEND, actor=actor, now=now)
    mail_supplier_on_commit(order, "order_sent", now=now)
    return order


@one_transaction
def cancel_order(order_id: int, *, actor: Any, now: datetime, reason: str = "") -> PurchaseOrder:
    """Cancel an order of which nothing was received. Its proposals stay decided; the next plan proposes anew.

    A supplier who has seen the order is told by mail. Raises NotFound and Conflict.
    """
    order = locked_order(order_id)
    advance(order, Action.CANCEL, actor=actor, now=now, reason=reason)
    if order.sent_at:
        mail_supplier_on_commit(order, "order_cancelled", now=now)
    return order


@one_transaction
def close_short(order_id: int, *, actor: Any, now: datetime, reason: str = "") -> PurchaseOrder:
    """The rest will not come: every line's quantity becomes what was received, and the order counts as received.

    Raises NotFound and Conflict (only a partially received order can be closed short).
    """
    order = locked_order(order_id)
    next_status(order, Action.CLOSE_SHORT)
    dropped = []
    for line in locked_lines(order):
        if line.outstanding_quantity:
            dropped.append({"sku": line.sku.code, "quantity": plain(line.outstanding_quantity)})
            line.quantity = line.received_quantity
            line.save(update_fields=["quantity"])
    advance(order, Action.CLOSE_SHORT, actor=actor, now=now, reason=reason, dropped=dropped)
    return order


def _sold_item(supplier: Supplier, sku_id: int) -> SupplierItem:
    item = items_of(supplier.pk, [sku_id]).get(sku_id)
    if item is None:
        sku = Sku.objects.filter(pk=sku_id).first()
        if sku is None:
            raise NotFound(_("There is no such SKU."))
        raise ValidationFailed(
            _("%(supplier)s does not sell %(sku)s; add it to its items first.")
            % {"supplier": supplier.name, "sku": sku.code}
        )
    return item


def _refuse_bad_quantity(item: SupplierItem, quantity: Decimal) -> None:
    fault = quantity_fault(item, quantity)
    if fault:
        raise ValidationFailed(f"{item.sku.code}: {fault}.")


def _refuse_below_minimum(order: PurchaseOrder, value: Decimal, *, override: bool) -> None:
    minimum = order.supplier.minimum_order_value
    if override or value >= minimum:
        return
    raise ValidationFailed(
        _(
            "%(order)s is worth %(value)s %(currency)s, %(short_by)s below the supplier's minimum order value of "
            "%(minimum)s; add lines or approve anyway."
        )
        % {
            "order": order.number,
            "value": money(value),
            "currency": order.currency,
            "short_by": money(minimum - value),
            "minimum": money(minimum),
        },
        code="below_minimum_order_value",
    )
