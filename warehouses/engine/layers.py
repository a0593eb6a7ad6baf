"""What stock is worth: open cost layers, taken oldest first (FIFO), or one pool at its moving average (AVCO).

Value is carried, never recomputed: what leaves takes its share of the layer it comes from, and the last unit takes what
is left, so no rounding remains. A movement's value is fixed when it is posted; one that is booked late takes from the
layers that are open then, and nothing posted before has to be posted again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

CENT_OF_A_CENT = Decimal("0.0001")
NOTHING = Decimal(0)


@dataclass(slots=True)
class Layer:
    """Open units of one cost. `id` is None for a layer of this posting; `key` names the movement that made it."""

    id: int | None
    remaining: Decimal
    value: Decimal
    received_at: datetime | None = None
    quantity: Decimal = NOTHING
    key: str = ""
    is_changed: bool = False

    def take(self, quantity: Decimal) -> Decimal:
        """The value of `quantity` units of it, which leave. The last unit leaves with all that is left."""
        if quantity == self.remaining:
            taken = self.value
        else:
            taken = min(rounded(self.value * quantity / self.remaining), self.value)
        self.remaining -= quantity
        self.value -= taken
        self.is_changed = True
        return taken


@dataclass(slots=True)
class Pool:
    """All units of one SKU in one warehouse: quantity and value, and the open layers that were read, oldest first."""

    quantity: Decimal
    value: Decimal
    is_average: bool
    standard_cost: Decimal = NOTHING
    layers: list[Layer] = field(default_factory=list)

    def unit_cost(self) -> Decimal:
        """What a unit costs that comes in without a cost of its own: today's average, else the SKU's unit cost.

        >>> Pool(Decimal(4), Decimal(10), is_average=False).unit_cost()
        Decimal('2.5000')
        """
        return rounded(self.value / self.quantity) if self.quantity else self.standard_cost

    def receive(self, quantity: Decimal, value: Decimal, *, received_at: datetime, key: str) -> None:
        """Take units in: a layer of their own, or more of the one pool."""
        if self.is_average and self.layers:
            layer = self.layers[0]
            layer.remaining += quantity
            layer.quantity += quantity
            layer.value += value
            layer.is_changed = True
        else:
            self.layers.append(Layer(None, quantity, value, received_at, quantity, key))
        self.quantity += quantity
        self.value += value

    def issue(self, quantity: Decimal) -> Decimal:
        """The value of units that leave, oldest layer first. Raises ValueError when the layers hold fewer.

        Worked: layers of 10 at 2.00 and 10 at 3.00; 12 units leave with 10 × 2.00 + 2 × 3.00 = 26.00.
        """
        value, left = NOTHING, quantity
        for layer in self.layers:
            if not left:
                break
            part = min(left, layer.remaining)
            if part:
                value += layer.take(part)
                left -= part
        if left:
            raise ValueError(f"{left} units are in no layer")
        self.quantity -= quantity
        self.value -= value
        return value

    def changed(self) -> Iterator[Layer]:
        """Layers that stood before this posting and are smaller or larger now."""
        return (layer for layer in self.layers if layer.id is not None and layer.is_changed)

    def made(self) -> Iterator[Layer]:
        """Layers of this posting. One that was used up at once is kept as well: it says what came in."""
        return (layer for layer in self.layers if layer.id is None)


def rounded(amount: Decimal) -> Decimal:
    """An amount as it is stored: four digits after the point, half up."""
    return amount.quantize(CENT_OF_A_CENT, rounding=ROUND_HALF_UP)


def shared(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """`total` split in proportion to the weights, as it is stored; what is rounded off one share is in the next.

    >>> shared(Decimal(10), [Decimal(1), Decimal(1), Decimal(1)])
    [Decimal('3.3333'), Decimal('3.3334'), Decimal('3.3333')]
    """
    whole = sum(weights, NOTHING)
    if not weights:
        return []
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    shares, reached, given = [], NOTHING, NOTHING
    for weight in weights:
        reached += weight
        upto = total if reached == whole else rounded(total * reached / whole)
        shares.append(upto - given)
        given = upto
    return shares
