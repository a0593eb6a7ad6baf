"""A planner orders without a proposal: several SKUs at once onto the supplier's draft, and never twice by mistake."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Sku
from config.kernel.errors import Conflict, DomainError, NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.models import IdempotencyKey
from config.kernel.transactions import one_transaction
from procurement.models import PurchaseOrder
from procurement.services.orders import add_to_draft

ROUTE = "procurement.order_by_hand"
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class HandLine:
    sku_code: str
    quantity: Decimal


@one_transaction
def order_by_hand(
    supplier_id: int,
    *,
    warehouse_id: int,
    lines: Sequence[HandLine],
    key: str,
    actor: Any,
    now: datetime,
    order_id: int | None = None,
) -> tuple[PurchaseOrder, bool]:
    """Put all lines on the open draft of this supplier and warehouse, or none; (draft, True), or (it, False) when this
    key did so before.

    With `order_id`, the draft must be that order. Raises ValidationFailed with every line that cannot be ordered, and
    Conflict when the key was used with other lines or the order is no draft any more.
    """
    if not key or len(key) > MAX_KEY:
        raise ValidationFailed(_("The form was incomplete; load the page again."))
    if not lines:
        raise ValidationFailed(_("Enter at least one SKU with a quantity."))
    known = _claim(key, _fingerprint(supplier_id, warehouse_id, lines), actor)
    if known.location:
        return PurchaseOrder.objects.get(pk=int(known.location)), False
    order = _add(supplier_id, warehouse_id, lines, actor=actor, now=now)
    if order_id is not None and order.pk != order_id:
        raise Conflict(_("This order is no draft any more; load the page again."))
    IdempotencyKey.objects.filter(pk=known.pk).update(location=str(order.pk))
    return order, True


def _claim(key: str, fingerprint: str, actor: Any) -> IdempotencyKey:
    """The row of this key: new, or that of the twin, which has committed by now. Raises Conflict for other lines."""
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(caller=actor, route=ROUTE, key=key, fingerprint=fingerprint)
    except IntegrityError:
        known = IdempotencyKey.objects.get(caller=actor, route=ROUTE, key=key)
    if known.fingerprint != fingerprint:
        raise Conflict(_("This form was sent before with other lines; load the page again."))
    return known


def _fingerprint(supplier_id: int, warehouse_id: int, lines: Sequence[HandLine]) -> str:
    said = [f"{supplier_id} {warehouse_id}", *(f"{line.sku_code} {plain(line.quantity)}" for line in lines)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _skus(typed: Iterable[str]) -> dict[str, int]:
    """SKU ids by the codes as typed: exactly, else in capitals."""
    codes = set(typed)
    known = dict(Sku.objects.filter(code__in=codes | {code.upper() for code in codes}).values_list("code", "pk"))
    return {code: known.get(code) or known[code.upper()] for code in codes if code in known or code.upper() in known}


def _add(supplier_id: int, warehouse_id: int, lines: Sequence[HandLine], *, actor: Any, now: datetime) -> PurchaseOrder:
    skus = _skus(line.sku_code for line in lines)
    order, faults = None, []
    for number, line in enumerate(lines, start=1):
        try:
            if line.sku_code not in skus:
                raise NotFound(_("There is no SKU %(sku)s.") % {"sku": line.sku_code})
            order = add_to_draft(
                supplier_id,
                warehouse_id=warehouse_id,
                sku_id=skus[line.sku_code],
                quantity=line.quantity,
                actor=actor,
                now=now,
            ).order
        except DomainError as error:
            faults.append({"line": number, "sku": line.sku_code, "message": str(error)})
    if faults or order is None:
        raise ValidationFailed(_("Nothing was ordered."), items=faults)
    return order
