"""What goes into a joint order and what comes out."""

import math
from dataclasses import dataclass, field

from procurement.engine.errors import ParameterError
from procurement.engine.quantiles import QuantileCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """What a lot costs beyond the long-run average: h·(x₀ + q)²/(2d) − g·q/d, as in `lot_sizing.derive_cheapest_lot`.

    `cycle_stock` x₀ = position − s + undershoot before the order; g `average_cost_per_day`, h
    `holding_cost_per_unit_day`, d `mean_daily_demand`.
    """

    average_cost_per_day: float
    holding_cost_per_unit_day: float
    mean_daily_demand: float
    cycle_stock: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JointLine:
    """One item of the order; the demand D of its interval is `curve`.

    Expected cost of ordering q: price(q)·q + `holding_cost`·E[(x − D)⁺] + `stockout_cost`·E[(D − x)⁺] with x =
    `position` + q, both costs a unit and interval; plus `line_cost` if q > 0, plus `long_run` if given.
    `replacement_cost` is what a unit left over saves, and a unit short costs, at the next order (0: a leftover is worth
    nothing).
    `price_breaks` (from units, unit cost) hold for all units, with `is_incremental` for the units above. q is 0 or a
    multiple of `pack` (of `pallet`, if given) from `minimum` to `maximum`. A service target, or `must_order`, forbids
    ordering less. `shelf_life_days` allows x ≤ days × `mean_daily_demand`. `volume` and `weight` are of one unit.
    """

    id: str
    curve: QuantileCurve
    position: float = 0.0
    unit_cost: float = 0.0
    price_breaks: tuple[tuple[float, float], ...] = ()
    is_incremental: bool = False
    minimum: float = 0.0
    maximum: float = math.inf
    pack: float = 1.0
    pallet: float | None = None
    volume: float = 0.0
    weight: float = 0.0
    holding_cost: float = 0.0
    stockout_cost: float = 0.0
    replacement_cost: float = 0.0
    line_cost: float = 0.0
    must_order: bool = False
    in_budget: bool = True
    cycle_service_level: float | None = None
    fill_rate: float | None = None
    shelf_life_days: float | None = None
    mean_daily_demand: float | None = None
    long_run: LongRun | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.pack) and self.pack > 0.0):
            raise ParameterError("pack", f"must be above 0 (line {self.id})")
        if self.minimum > self.maximum:
            text = f"{self.maximum:g} is below the minimum of {self.minimum:g} (line {self.id})"
            raise ParameterError("maximum", text)
        if self.pallet is not None:
            packs = self.pallet / self.pack
            if packs < 1.0 or abs(packs - round(packs)) > 1e-9 * packs:
                raise ParameterError("pallet", f"must be a multiple of the pack of {self.pack:g} (line {self.id})")
        if self.shelf_life_days is not None and self.mean_daily_demand is None:
            raise ParameterError("mean_daily_demand", f"is missing beside shelf_life_days (line {self.id})")

    @property
    def step(self) -> float:
        """Every quantity is a multiple of this."""
        return self.pallet or self.pack


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """The supplier's side: `fixed_cost` of an order with anything on it, `freight` unless its value reaches
    `free_freight_from`, the least value of an order, the most units of one. Value = what the lines cost to buy."""

    fixed_cost: float = 0.0
    minimum_value: float = 0.0
    freight: float = 0.0
    free_freight_from: float = math.inf
    capacity: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What one container holds, how many may be used, and what each one costs."""

    volume: float = math.inf
    weight: float = math.inf
    count: int = 1
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the warehouse still takes in."""

    units: float = math.inf
    volume: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A limit that several orders may share, by its `name`: on what the lines that are `members` cost to buy (`of`
    value) or on their units. `price` charges each unit taken from it, in cost and bound too."""

    name: str
    limit: float
    members: tuple[bool, ...]
    of: str = "value"
    price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JointProblem:
    """One order. `budget` bounds what the lines `in_budget` cost to buy, each of the `pools` what its own members take.
    `time_limit` is in seconds of solving, `gap` the relative gap at which the search may stop, `start` quantities to
    begin from, such as the last answer."""

    lines: tuple[JointLine, ...]
    terms: OrderTerms = field(default_factory=OrderTerms)
    container: Container | None = None
    room: Room = field(default_factory=Room)
    budget: float = math.inf
    pools: tuple[Pool, ...] = ()
    time_limit: float = 30.0
    gap: float = 1e-6
    start: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """How far a constraint is used; `saved_per_unit`: what one more unit of it would save at the margin (the dual)."""

    name: str
    limit: float
    used: float
    slack: float
    saved_per_unit: float
    is_binding: bool


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A constraint that cannot be kept, and by how much it would have to give way."""

    name: str
    limit: float
    needed: float

    @property
    def relax_by(self) -> float:
        return abs(self.needed - self.limit)


@dataclass(frozen=True, slots=True)
class JointAnswer:
    """`status`: optimal (within the gap asked for), feasible (time ran out), infeasible. Infeasible: `relaxations` say
    what has to give, and the quantities are those that need the least of it. `gap` = (cost − bound) / |cost|; `spent`
    is what the budget's lines cost to buy, `taken` what is taken from each pool."""

    quantities: tuple[float, ...]
    cost: float
    bound: float
    gap: float
    status: str
    usages: tuple[Usage, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    seconds: float = 0.0
    spent: float = 0.0
    taken: tuple[float, ...] = ()

    @property
    def binding_constraints(self) -> tuple[str, ...]:
        return tuple(usage.name for usage in self.usages if usage.is_binding)
