"""Which policy holds for a SKU and warehouse: the narrowest that fits."""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from decimal import Decimal
from typing import Any

from procurement.models import Policy

DEFAULT_POLICY = Policy(name="default", service_level=Decimal("0.95"), holding_cost_rate=Decimal("0.25"))


class PolicyBook:
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


def changed_policy(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """A copy with these fields otherwise, not to be saved. Numbers of JSON become what the fields hold."""
    changed = copy(policy)
    for name, value in changes.items():
        field: Any = Policy._meta.get_field(name)
        setattr(changed, field.attname, None if value is None else field.to_python(str(value)))
    return changed
