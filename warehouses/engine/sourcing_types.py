"""What goes into the choice of warehouses for an order, and what comes out: the dataclasses services speak with."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of demand: `quantity` units of `sku`, each weighing `weight_kg` (lines of one SKU weigh the same).

    A line with `parts` is a kit: `quantity` counts kits, `parts` is (SKU, quantity in one kit), `weight_kg` is of a
    whole kit, and every kit leaves complete from ONE warehouse. `splittable` False: all of the line from one warehouse.
    """

    key: Hashable
    quantity: Decimal
    sku: Hashable = None
    weight_kg: Decimal = ZERO
    parts: tuple[tuple[Hashable, Decimal], ...] = ()
    splittable: bool = True

    @property
    def skus(self) -> tuple[Hashable, ...]:
        return tuple(sku for sku, _ in self.parts) if self.parts else (self.sku,)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A warehouse that may serve the order, with what a parcel from it to this destination costs.

    `rank` breaks ties, the smallest first. A parcel costs `parcel_cost` + `cost_per_kg` × its weight. `has_capacity`:
    it can take one more order today. `routed`: the channel and the destination may be served from it at all.
    """

    key: Hashable
    rank: int = 0
    parcel_cost: Decimal = ZERO
    cost_per_kg: Decimal = ZERO
    has_capacity: bool = True
    routed: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """`quantity` of the line leaves from the warehouse now."""

    line: Hashable
    warehouse: Hashable
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Waiting:
    """`quantity` of the line is not served now and waits at the warehouse; None: no warehouse is routed."""

    line: Hashable
    warehouse: Hashable | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact behind the choice, for a service to turn into a sentence.

    chosen            warehouse, units, cost (its parcel)         one for every warehouse that serves
    alternative       warehouses, units, cost                     the best other plan compared
    not_routed, no_capacity, no_stock     warehouse               it could not serve
    would_add_parcel  warehouse, units (what it could serve)      it could help, at one parcel more
    serves_less       warehouse, units                            the order stays whole, and it has less of it
    costs_more        warehouse, cost                             it could serve as much alone, dearer
    ranks_later       warehouse, cost                             as good alone, but ranked behind
    waits             line, warehouse, quantity                   not served now
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sourcing:
    """The choice: what leaves where, what waits where, what it costs and why. `cost` includes the split penalties."""

    parts: tuple[Part, ...]
    waiting: tuple[Waiting, ...]
    cost: Decimal
    reasons: tuple[Reason, ...]

    @property
    def warehouses(self) -> tuple[Hashable, ...]:
        """Those that send a parcel."""
        return tuple(reason.params["warehouse"] for reason in self.reasons if reason.code == "chosen")
