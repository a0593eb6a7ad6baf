"""What it costs to move goods from one warehouse to another, from the rates of the warehouse that sends.

The row for the target's country counts, else the row for anywhere; of several weight breaks the largest, as a
transfer is sent in as few parcels as it can be. cost(q) = base + km·per_km + q·weight·(per_kg + (base + km·per_km) /
up_to_kg): with a largest parcel every further one costs its base again, counted by the kilogram and so never too low.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from catalog.models import Sku
from warehouses.models import ShippingRate, Warehouse
from warehouses.selectors.distances import kilometres_between

#: Where no rate fits or the SKU's weight is unknown: a transfer, and a unit as a share of its cost, in the company's
#: currency. Handling and carriage of a parcel of ordinary goods; rates of shipping replace them.
FIXED_COST, UNIT_COST_SHARE = 10.0, 0.02


@dataclass(frozen=True, slots=True)
class MovingCost:
    """Money a transfer, whatever its size, and money a unit."""

    fixed: float
    unit: float


class MovingCosts:
    """The rates of all active warehouses, read once (two queries)."""

    def __init__(self) -> None:
        self._places = Warehouse.objects.in_bulk()
        self._rates: dict[tuple[int, str], ShippingRate] = {}
        for rate in ShippingRate.objects.filter(warehouse__is_active=True):
            key = rate.warehouse_id, rate.country
            known = self._rates.get(key)
            if known is None or _reach(rate) > _reach(known):
                self._rates[key] = rate

    def between(self, source: int, target: int, sku: Sku, unit_cost: float) -> MovingCost:
        """MovingCost of a unit of this SKU, worth `unit_cost`, from warehouse to warehouse.

        5 a parcel of up to 20 kg and 0.5 a kg, 2 kg a unit → 5 and 2·(0.5 + 5/20) = 1.5.
        """
        rate = self._rate(source, target)
        if rate is None or sku.weight_kg is None:
            return MovingCost(FIXED_COST, UNIT_COST_SHARE * unit_cost)
        parcel = float(rate.base_cost) + float(rate.cost_per_km) * self._kilometres(source, target)
        again = parcel / float(rate.up_to_kg) if rate.up_to_kg else 0.0
        return MovingCost(parcel, float(sku.weight_kg) * (float(rate.cost_per_kg) + again))

    def _rate(self, source: int, target: int) -> ShippingRate | None:
        countries: Iterable[str] = (self._places[target].country, "") if target in self._places else ("",)
        return next((rate for country in countries if (rate := self._rates.get((source, country)))), None)

    def _kilometres(self, source: int, target: int) -> float:
        """0 where a place is not known: the rate then counts without its distance, as for orders of customers."""
        return kilometres_between(self._places[source], self._places[target]) or 0.0


def _reach(rate: ShippingRate) -> Decimal:
    return Decimal("Infinity") if rate.up_to_kg is None else rate.up_to_kg
