"""What couples the lines of an order: the supplier's terms, room in the warehouse, and the budgets of the day."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import F, Sum

from catalog.models import Category
from procurement.models import BuyingBudget, PurchaseOrder, PurchaseOrderLine, Supplier
from procurement.services.aims import PlannedItem
from warehouses.models import StockLevel, Warehouse

if TYPE_CHECKING:
    from procurement.engine.joint import Container, OrderTerms

Group = tuple[int, int]
"""(supplier id, warehouse id): what is ordered together."""
Rooms = Mapping[int, tuple[str, float]]
"""Warehouse id → (code, units it still takes)."""


def is_coupled(supplier: Supplier) -> bool:
    """Do this supplier's own terms tie the lines of an order together?"""
    return bool(
        supplier.minimum_order_value
        or (supplier.freight_cost and supplier.free_freight_from)
        or supplier.container_litres
        or supplier.container_kg
        or supplier.order_capacity
    )


def terms_of(supplier: Supplier) -> "OrderTerms":
    from procurement.engine.joint import OrderTerms

    return OrderTerms(
        fixed_cost=float(supplier.fixed_order_cost),
        minimum_value=float(supplier.minimum_order_value),
        freight=float(supplier.freight_cost),
        free_freight_from=_limit(supplier.free_freight_from),
        capacity=_limit(supplier.order_capacity),
    )


def container_of(supplier: Supplier) -> "Container | None":
    from procurement.engine.joint import Container

    if not (supplier.container_litres or supplier.container_kg):
        return None
    return Container(
        volume=_limit(supplier.container_litres),
        weight=_limit(supplier.container_kg),
        count=min(supplier.containers_at_most, 50),
        cost=float(supplier.container_cost),
    )


def _limit(amount: Decimal | None) -> float:
    return math.inf if amount is None else float(amount)


def rooms(warehouse_ids: Iterable[int]) -> Rooms:
    """Of those with a limit: capacity − on hand − on order; 3 queries."""
    limited = Warehouse.objects.filter(pk__in=set(warehouse_ids), capacity_units__isnull=False)
    limits = {pk: (code, units) for pk, code, units in limited.values_list("pk", "code", "capacity_units")}
    if not limits:
        return {}
    held = dict(
        StockLevel.objects.filter(location__warehouse__in=limits)
        .values_list("location__warehouse")
        .annotate(units=Sum("on_hand"))
    )
    coming = dict(
        PurchaseOrderLine.objects.filter(order__warehouse__in=limits, order__status__in=PurchaseOrder.OPEN)
        .exclude(status=PurchaseOrderLine.Status.REJECTED)
        .values_list("order__warehouse")
        .annotate(units=Sum(F("quantity") - F("received_quantity")))
    )
    return {
        pk: (code, max(0.0, float(limit - held.get(pk, Decimal(0)) - coming.get(pk, Decimal(0)))))
        for pk, (code, limit) in limits.items()
    }


@dataclass(frozen=True, slots=True)
class OpenBudget:
    """A budget that holds today, what is left of it, and whom it concerns."""

    budget: BuyingBudget
    left: float
    categories: frozenset[int]

    def concerns(self, group: Group, supplier: Supplier) -> bool:
        row = self.budget
        return (
            row.supplier_id in (None, group[0])
            and row.warehouse_id in (None, group[1])
            and row.currency == supplier.currency
        )

    def covers(self, planned: PlannedItem) -> bool:
        return not self.categories or planned.item.sku.product.category_id in self.categories


def open_budgets(today: date) -> list[OpenBudget]:
    """Budgets of today, less what was ordered (or drafted) on their days; 3 queries."""
    budgets = list(BuyingBudget.objects.filter(starts_on__lte=today, ends_on__gte=today).order_by("pk"))
    if not budgets:
        return []
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    first = min(budget.starts_on for budget in budgets)
    spent = list(
        PurchaseOrderLine.objects.filter(order__created_at__date__gte=first)
        .exclude(order__status=PurchaseOrder.Status.CANCELLED)
        .values_list(
            "order__created_at__date", "order__supplier", "order__warehouse", "order__currency",
            "sku__product__category",
        )
        .annotate(spent=Sum(F("quantity") * F("unit_cost")))
    )  # fmt: skip
    return [_opened(budget, _below(budget.category_id, parents), spent) for budget in budgets]


def _opened(budget: BuyingBudget, categories: frozenset[int], spent: list[tuple[Any, ...]]) -> OpenBudget:
    used = sum(
        value
        for day, supplier, warehouse, currency, category, value in spent
        if budget.starts_on <= day <= budget.ends_on
        and currency == budget.currency
        and budget.supplier_id in (None, supplier)
        and budget.warehouse_id in (None, warehouse)
        and (not categories or category in categories)
    )
    return OpenBudget(budget, max(0.0, float(budget.amount - used)), categories)


def _below(category: int | None, parents: Mapping[int, int | None]) -> frozenset[int]:
    """The category and all under it; empty for none."""
    if category is None:
        return frozenset()
    found = {category}
    while True:
        more = {pk for pk, parent in parents.items() if parent in found} - found
        if not more:
            return frozenset(found)
        found |= more
