"""What a replay puts on trial: the SKUs and warehouses, each with today's policy and the challenger's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from catalog.models import Category
from forecasting.models import Forecast
from forecasting.selectors import latest_run
from procurement.models import PolicyReplay
from procurement.services.aims import Pair, PlannedItem, planned_items
from procurement.services.policy_book import changed_policy

CLASSES_FIRST = ("A", "B", "C", "")


@dataclass(frozen=True, slots=True)
class Trial:
    pair: Pair
    today: PlannedItem
    challenger: PlannedItem
    sharing: int
    segment: str


def trials_of(replay: PolicyReplay, *, today: date) -> list[Trial]:
    """By SKU and warehouse. With a policy: where it is the narrowest that fits; else by category (and those below it),
    SKU and warehouse, of all that is bought. Ten queries."""
    planned = planned_items(today=today)
    sharing = Counter((one.item.supplier_id, warehouse) for (_sku, warehouse), one in planned.items())
    categories = categories_below(replay.category_id) if replay.category_id else set()
    segments = _segments()
    return [
        Trial(
            pair,
            one,
            changed_item(one, replay.changes),
            sharing[one.item.supplier_id, pair[1]],
            segments.get(pair, ""),
        )
        for pair, one in sorted(planned.items())
        if _is_meant(replay, pair, one, categories)
    ]


def changed_item(planned: PlannedItem, changes: Mapping[str, Any]) -> PlannedItem:
    return replace(planned, policy=changed_policy(planned.policy, changes)) if changes else planned


def _is_meant(replay: PolicyReplay, pair: Pair, planned: PlannedItem, categories: set[int]) -> bool:
    if replay.policy_id and planned.policy.pk != replay.policy_id:
        return False
    return (
        replay.sku_id in (None, pair[0])
        and replay.warehouse_id in (None, pair[1])
        and (not categories or planned.item.sku.product.category_id in categories)
    )


def categories_below(category_id: int) -> set[int]:
    """The category and all below it."""
    children: dict[int | None, list[int]] = {}
    for pk, parent in Category.objects.values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(pk)
    found, waiting = set(), [category_id]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children.get(one, [])
    return found


def _segments() -> dict[Pair, str]:
    """Value and demand class by the run in force, as "A lumpy"."""
    rows = Forecast.objects.filter(run=latest_run()).values_list("sku", "warehouse", "value_class", "demand_class")
    return {(sku, place): f"{value} {demand}".strip() for sku, place, value, demand in rows.iterator(chunk_size=10_000)}
