"""Where incoming stock should go: by rules, in order, with the reason; split over bins when one has no room.

1. a bin that holds the same SKU and lot already; 2. an empty bin; 3. a bin it shares with other goods. Within a rule
the nearest by walking order comes first. Room is a bin's capacity less what lies there and what open tasks bring there.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from config.kernel.fields import plain
from warehouses.models import Location, StockLevel, Task

STORING = (Location.Kind.PICKING, Location.Kind.STORAGE)
SAME, EMPTY, SHARED = "same_stock", "empty", "shared"
RULES = (SAME, EMPTY, SHARED)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """So many units to this bin, by this rule; `room` is what would still fit (None: no limit)."""

    location: Location
    quantity: Decimal
    rule: str
    room: Decimal | None

    @property
    def reason(self) -> str:
        words = {
            SAME: _("The same SKU and lot lie there already."),
            EMPTY: _("The nearest empty bin with room."),
            SHARED: _("No empty bin is left: the nearest one with room."),
        }
        room = "" if self.room is None else " " + _("Room for %s.") % plain(self.room)
        return words[self.rule] + room


@dataclass(frozen=True, slots=True)
class PutawayPlan:
    """`overflow`: units no bin has room for."""

    suggestions: list[Suggestion]
    overflow: Decimal


@dataclass(slots=True)
class Bins:
    """The bins of a warehouse with their room; what is planned takes room, so plans of one run share it."""

    locations: list[Location]
    filled: dict[int, Decimal]
    stock: dict[tuple[int, int | None], set[int]] = field(default_factory=lambda: defaultdict(set))
    """(sku, lot) → the bins it lies in."""

    @classmethod
    def of(cls, warehouse_id: int, sku_ids: Iterable[int]) -> "Bins":
        """Four queries, whatever the number of bins and SKUs."""
        places = Location.objects.filter(warehouse=warehouse_id, level=Location.Level.BIN, kind__in=STORING)
        locations = list(places.filter(is_active=True).select_related("warehouse").order_by("sequence", "code"))
        levels = StockLevel.objects.filter(location__in=places, on_hand__gt=0).order_by()
        tasks = Task.objects.filter(warehouse=warehouse_id, state__in=Task.WAITING, to_location__in=places).order_by()
        filled: dict[int, Decimal] = defaultdict(Decimal)
        for pk, units in levels.values_list("location_id").annotate(Sum("on_hand")):
            filled[pk] += units
        bins = cls(locations, filled)
        wanted = list(sku_ids)
        for sku, lot, pk in levels.filter(sku__in=wanted).values_list("sku_id", "lot_id", "location_id"):
            bins.stock[sku, lot].add(pk)
        for sku, lot, pk, units in tasks.values_list("sku_id", "lot_id", "to_location_id").annotate(Sum("quantity")):
            bins.stock[sku, lot].add(pk)
            filled[pk] += units or _NOTHING
        return bins

    def plan(self, sku_id: int, lot_id: int | None, quantity: Decimal, *, leaving: int | None = None) -> PutawayPlan:
        """Place the quantity; the bin it is `leaving` is no place for it."""
        suggestions: list[Suggestion] = []
        left = quantity
        same, empty = self.stock.get((sku_id, lot_id), set()), {p.pk for p in self.locations if not self.filled[p.pk]}
        for rule in RULES:
            for place in self.locations:
                if not left:
                    break
                is_same, is_empty = place.pk in same, place.pk in empty
                fits = {SAME: is_same, EMPTY: is_empty and not is_same, SHARED: not is_same and not is_empty}[rule]
                room = self._room(place)
                part = left if room is None else min(left, room)
                if fits and part > 0 and place.pk != leaving:
                    suggestions.append(Suggestion(place, part, rule, room))
                    left -= part
        for suggestion in suggestions:
            self.filled[suggestion.location.pk] += suggestion.quantity
            self.stock[sku_id, lot_id].add(suggestion.location.pk)
        return PutawayPlan(suggestions, left)

    def _room(self, place: Location) -> Decimal | None:
        if place.capacity_units is None:
            return None
        return max(place.capacity_units - self.filled[place.pk], _NOTHING)


def putaway_suggestions(*, sku_id: int, lot_id: int | None, quantity: Decimal, warehouse_id: int) -> PutawayPlan:
    """Where these units should go."""
    return Bins.of(warehouse_id, [sku_id]).plan(sku_id, lot_id, quantity)
