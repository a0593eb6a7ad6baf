"""What holds for each SKU and warehouse when it is planned: supplier item, policy, lead time, review period."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from catalog.models import Category, Sku
from procurement.models import Policy, SupplierItem
from warehouses.models import Warehouse

Pair = tuple[int, int]

# Without a supplier item nothing can be proposed, but the forecast still needs an interval to look over.
DEFAULT_PROTECTION_DAYS = 21
DEFAULT_POLICY = Policy(name="default", service_level=Decimal("0.95"), holding_cost_rate=Decimal("0.25"))


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """The preferred supplier item of a SKU, and the policy for it at one warehouse."""

    item: SupplierItem
    policy: Policy
    price_breaks: tuple[tuple[Decimal, Decimal], ...]

    @property
    def lead_time_days(self) -> int:
        own = self.item.lead_time_days
        return own if own is not None else self.item.supplier.lead_time_days

    @property
    def review_days(self) -> int:
        return self.policy.review_days or self.item.supplier.review_days

    @property
    def protection_days(self) -> int:
        """Lead time + review period: what is ordered at the next review arrives after this many days."""
        return self.lead_time_days + self.review_days


def planned_items(sku_ids: Collection[int] | None = None) -> dict[Pair, PlannedItem]:
    """(sku id, warehouse id) → what holds for it, for every SKU bought (of those named) and every active warehouse; 5
    queries."""
    bought = SupplierItem.objects.filter(
        is_preferred=True, is_active=True, supplier__is_active=True, sku__status__in=Sku.PLANNED
    )
    if sku_ids is not None:
        bought = bought.filter(sku_id__in=list(sku_ids))
    items = list(bought.select_related("supplier", "sku__product").prefetch_related("price_breaks"))
    policies = _PolicyBook(Policy.objects.all(), dict(Category.objects.values_list("pk", "parent_id")))
    warehouses = list(Warehouse.objects.filter(is_active=True).values_list("pk", flat=True))
    planned = {}
    for item in items:
        breaks = tuple((b.minimum_quantity, b.unit_cost) for b in item.price_breaks.all())
        for warehouse in warehouses:
            policy = policies.find(item.sku_id, item.sku.product.category_id, warehouse)
            planned[(item.sku_id, warehouse)] = PlannedItem(item, policy, breaks)
    return planned


def protection_days_of(items: dict[Pair, PlannedItem]) -> dict[Pair, int]:
    return {pair: planned.protection_days for pair, planned in items.items()}


class _PolicyBook:
    """Finds the narrowest policy: SKU + warehouse, SKU, category (its own, then its parents'), warehouse, all.

    Within a category the one for the warehouse comes first.
    """

    def __init__(self, policies: Iterable[Policy], parents: Mapping[int, int | None]) -> None:
        self._parents = parents
        self._by_scope: dict[tuple[int | None, int | None, int | None], Policy] = {
            (policy.sku_id, policy.category_id, policy.warehouse_id): policy for policy in policies
        }

    def find(self, sku_id: int, category_id: int | None, warehouse_id: int) -> Policy:
        scopes: list[tuple[int | None, int | None]] = [(sku_id, None)]
        scopes += [(None, category) for category in self._upwards(category_id)]
        for sku, category in [*scopes, (None, None)]:
            for warehouse in (warehouse_id, None):
                if policy := self._by_scope.get((sku, category, warehouse)):
                    return policy
        return DEFAULT_POLICY

    def _upwards(self, category_id: int | None) -> Iterator[int]:
        seen: set[int] = set()
        while category_id is not None and category_id not in seen:  # a circle of parents ends where it began
            seen.add(category_id)
            yield category_id
            category_id = self._parents.get(category_id)
