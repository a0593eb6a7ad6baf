"""What holds for each SKU and warehouse when it is planned: supplier item, policy, lead time, review period."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from catalog.models import Category, Sku
from config.kernel.lookups import is_one_of
from procurement.models import LeadTimeProfile, Policy, SupplierItem
from procurement.services.order_days import Span, closures_of, first_order_day, review_days_between_orders
from procurement.services.policy_book import DEFAULT_POLICY, PolicyBook, changed_policy
from warehouses.models import Warehouse

__all__ = [
    "DEFAULT_POLICY",
    "DEFAULT_PROTECTION_DAYS",
    "LearnedLeadTime",
    "Pair",
    "PlannedItem",
    "planned_items",
    "policy_source",
    "protection_days_of",
    "sku_chunks",
]

Pair = tuple[int, int]
PolicySource = Callable[[Collection[int]], Mapping[int | Pair, Mapping[str, Any]]]
"""SKU ids → for some of them (in one warehouse or all), fields of the policy that hold otherwise for now."""

# Without a supplier item nothing can be proposed, but the forecast still needs an interval to look over.
DEFAULT_PROTECTION_DAYS = 21
CHUNK = 5000
_policy_sources: list[PolicySource] = []


@dataclass(frozen=True, slots=True)
class LearnedLeadTime:
    """What the receipts say of a supplier's item: mean and standard deviation in days, and of how many deliveries."""

    mean_days: float
    sd_days: float
    deliveries: int


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """The preferred supplier item of a SKU, and the policy for it at one warehouse."""

    item: SupplierItem
    policy: Policy
    price_breaks: tuple[tuple[Decimal, Decimal], ...]
    learned: LearnedLeadTime | None = None
    closures: tuple[Span, ...] = ()
    today: date | None = None

    @property
    def promised_lead_time_days(self) -> int:
        own = self.item.lead_time_days
        return own if own is not None else self.item.supplier.lead_time_days

    @property
    def lead_time_days(self) -> int:
        """Whole days: the interval a forecast is made over has no parts of days, and errs on the longer side."""
        return self.promised_lead_time_days if self.learned is None else math.ceil(self.learned.mean_days - 1e-9)

    @property
    def lead_time_sd_days(self) -> float:
        return float(self.item.supplier.lead_time_sd_days) if self.learned is None else self.learned.sd_days

    @property
    def review_days(self) -> int:
        """The review period, or longer where the supplier takes no orders so often."""
        asked, supplier = self.policy.review_days or self.item.supplier.review_days, self.item.supplier
        if self.today is None or not (supplier.order_weekdays or self.closures):
            return asked
        return review_days_between_orders(asked, supplier.order_weekdays, self.closures, self.today)

    @property
    def protection_days(self) -> int:
        """Lead time + review period: what is ordered at the next review arrives after this many days."""
        return self.lead_time_days + self.review_days

    def need_by(self, today: date) -> date:
        """The day on which an order of the next order day arrives."""
        ordered = first_order_day(self.item.supplier.order_weekdays, self.closures, today)
        return ordered + timedelta(days=self.lead_time_days)


def policy_source(source: PolicySource) -> PolicySource:
    """Have every plan ask `source` which SKUs have a changed policy for now (an experiment's challenger)."""
    if source not in _policy_sources:
        _policy_sources.append(source)
    return source


def planned_items(sku_ids: Collection[int] | None = None, *, today: date | None = None) -> dict[Pair, PlannedItem]:
    """(sku id, warehouse id) → what holds for it, for every SKU bought (of those named) and every active warehouse.

    With `today` the suppliers' closures count. At most 7 queries, and those of the policy sources.
    """
    items = list(_bought(sku_ids).select_related("supplier", "sku__product").prefetch_related("price_breaks"))
    policies = PolicyBook(Policy.objects.all(), dict(Category.objects.values_list("pk", "parent_id")))
    warehouses = list(Warehouse.objects.filter(is_active=True).values_list("pk", flat=True))
    learned = _learned(items)
    closures = closures_of({item.supplier_id for item in items}, today) if today else {}
    changes = _policy_changes([item.sku_id for item in items])
    planned = {}
    for item in items:
        breaks = tuple((b.minimum_quantity, b.unit_cost) for b in item.price_breaks.all())
        closed = tuple(closures.get(item.supplier_id, ()))
        for warehouse in warehouses:
            policy = policies.find(item.sku_id, item.sku.product.category_id, warehouse)
            if changed := changes.get((item.sku_id, warehouse)) or changes.get(item.sku_id):
                policy = changed_policy(policy, changed)
            planned[(item.sku_id, warehouse)] = PlannedItem(item, policy, breaks, learned.get(item.pk), closed, today)
    return planned


def protection_days_of(*, today: date | None = None) -> dict[Pair, int]:
    """(sku id, warehouse id) → days, for all that is bought; read by chunks, so that only the numbers stay."""
    skus = sorted(_bought(None).values_list("sku_id", flat=True))
    days: dict[Pair, int] = {}
    for chunk in sku_chunks(skus):
        days |= {pair: planned.protection_days for pair, planned in planned_items(chunk, today=today).items()}
    return days


def sku_chunks(sku_ids: Sequence[int], size: int = CHUNK) -> Iterator[Sequence[int]]:
    for begin in range(0, len(sku_ids), size):
        yield sku_ids[begin : begin + size]


def _bought(sku_ids: Collection[int] | None) -> Any:
    rows = SupplierItem.objects.filter(
        is_preferred=True, is_active=True, supplier__is_active=True, sku__status__in=Sku.PLANNED
    )
    return rows if sku_ids is None else rows.filter(is_one_of("sku_id", sku_ids))


def _learned(items: Sequence[SupplierItem]) -> dict[int, LearnedLeadTime]:
    """Item id → its own profile, else its supplier's; nothing where the supplier has delivered nothing yet, or where
    its stated lead times are to be used. One query."""
    suppliers = {item.supplier_id for item in items if item.supplier.uses_learned_lead_times}
    if not suppliers:
        return {}
    rows = LeadTimeProfile.objects.filter(supplier__in=suppliers, deliveries__gt=0)
    profiles: dict[tuple[int, int | None], LearnedLeadTime] = {
        (supplier, sku): LearnedLeadTime(mean, sd, deliveries)
        for supplier, sku, mean, sd, deliveries in rows.values_list(
            "supplier_id", "sku_id", "mean_days", "sd_days", "deliveries"
        )
    }
    found = {}
    for item in items:
        profile = profiles.get((item.supplier_id, item.sku_id))
        if profile is None and item.lead_time_days is None:
            profile = profiles.get((item.supplier_id, None))
        if profile is not None and item.supplier_id in suppliers:
            found[item.pk] = profile
    return found


def _policy_changes(sku_ids: Collection[int]) -> dict[int | Pair, Mapping[str, Any]]:
    changes: dict[int | Pair, Mapping[str, Any]] = {}
    for source in _policy_sources:
        changes |= source(sku_ids)
    return changes
