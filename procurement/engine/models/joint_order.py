"""One order of many lines under everything that couples them: the file's form of `procurement.engine.joint`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, read_inputs, required, table
from procurement.engine.quantiles import QuantileCurve

if TYPE_CHECKING:
    from procurement.engine.joint import JointAnswer, JointLine, JointProblem

MOST_LINES = 2000
_LARGE = 1e12
_amount = number(at_least=0, at_most=_LARGE)
_share = number(above=0, below=1)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(name, "must be true or false")
    return value


def _pairs(name: str, value: Any) -> tuple[tuple[float, float], ...]:
    """[[from units, unit cost], …], or the same as an object, or a list of objects with two values each."""
    if isinstance(value, Mapping):
        return table(number(at_least=0), _amount)(name, value)
    if not isinstance(value, list | tuple):
        raise ParameterError(name, "must be a list of [from units, unit cost]")
    pairs = [tuple(pair.values()) if isinstance(pair, Mapping) else pair for pair in value]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise ParameterError(name, "must be a list of [from units, unit cost]")
    read = sorted((_amount(name, start), _amount(name, cost)) for start, cost in pairs)
    if len({start for start, _cost in read}) < len(read):
        raise ParameterError(name, "holds the same quantity twice")
    return tuple(read)


def _identity(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ParameterError(name, "must be a text or a whole number")
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInputs:
    """One line; see `procurement.engine.joint.JointLine` for what each number means."""

    id: str = required(_identity)
    forecast_quantiles: tuple[tuple[float, float], ...] = required(table(_share, _amount))
    position: float = optional(number(at_least=-_LARGE, at_most=_LARGE), 0.0)
    unit_cost: float = required(_amount)
    price_breaks: tuple[tuple[float, float], ...] = optional(_pairs, ())
    incremental: bool = optional(_flag, False)
    minimum: float = optional(_amount, 0.0)
    maximum: float | None = optional(_amount)
    pack: float = optional(number(above=0, at_most=_LARGE), 1.0)
    pallet: float | None = optional(number(above=0, at_most=_LARGE))
    volume: float = optional(_amount, 0.0)
    weight: float = optional(_amount, 0.0)
    holding_cost: float = optional(_amount, 0.0)
    stockout_cost: float = optional(_amount, 0.0)
    replacement_cost: float = optional(_amount, 0.0)
    must_order: bool = optional(_flag, False)
    cycle_service_level: float | None = optional(_share)
    fill_rate: float | None = optional(_share)
    shelf_life_days: float | None = optional(_amount)
    mean_daily_demand: float | None = optional(_amount)

    def __post_init__(self) -> None:
        if self.replacement_cost > min([self.unit_cost, *(cost for _start, cost in self.price_breaks)]):
            raise ParameterError("replacement_cost", "is above the cheapest unit cost: buying would never end")

    def line(self) -> "JointLine":
        from procurement.engine.joint import JointLine

        names = (
            "id", "position", "unit_cost", "price_breaks", "minimum", "pack", "pallet", "volume", "weight",
            "must_order", "holding_cost", "stockout_cost", "replacement_cost", "cycle_service_level", "fill_rate",
            "shelf_life_days", "mean_daily_demand",
        )  # fmt: skip
        return JointLine(
            **{name: getattr(self, name) for name in names},
            curve=QuantileCurve.through(dict(self.forecast_quantiles), "forecast_quantiles"),
            is_incremental=self.incremental,
            maximum=math.inf if self.maximum is None else self.maximum,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierInputs:
    """The supplier's terms for one order."""

    fixed_cost: float = optional(_amount, 0.0)
    minimum_value: float = optional(_amount, 0.0)
    free_freight_from: float | None = optional(_amount)
    freight: float = optional(_amount, 0.0)
    capacity: float | None = optional(_amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInputs:
    """What a container holds; at most `count` of them, at `cost` each."""

    volume: float | None = optional(number(above=0, at_most=_LARGE))
    weight: float | None = optional(number(above=0, at_most=_LARGE))
    count: float = optional(number(at_least=1, at_most=50), 1.0)
    cost: float = optional(_amount, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomInputs:
    """What the warehouse still takes in."""

    units: float | None = optional(_amount)
    volume: float | None = optional(_amount)


def _nested(shape: type) -> Any:
    """An object read with the parameters of `shape`; an error names the inner parameter."""

    def parse(name: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ParameterError(name, "must be an object")
        return read_inputs(shape, value)

    return parse


def _lines(name: str, value: Any) -> tuple[LineInputs, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ParameterError(name, "must be a list of at least one line")
    if len(value) > MOST_LINES:
        raise ParameterError(name, f"holds {len(value)} lines; at most {MOST_LINES} are solved together")
    lines = []
    for place, row in enumerate(value):
        if not isinstance(row, Mapping):
            raise ParameterError(name, f"line {place + 1} must be an object")
        try:
            lines.append(read_inputs(LineInputs, row))
        except ParameterError as error:
            who = f"line {str(row.get('id', place + 1))[:40]}"
            raise ParameterError(error.parameter, f"{error.message} ({who})") from error
    if len({line.id for line in lines}) < len(lines):
        raise ParameterError("id", "of two lines is the same")
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointOrderInputs:
    """The order: its lines and what they share."""

    lines: tuple[LineInputs, ...] = required(_lines)
    supplier: SupplierInputs | None = optional(_nested(SupplierInputs))  # noqa: RUF009
    container: ContainerInputs | None = optional(_nested(ContainerInputs))  # noqa: RUF009
    warehouse: RoomInputs | None = optional(_nested(RoomInputs))  # noqa: RUF009
    budget: float | None = optional(_amount)
    time_limit: float = optional(number(above=0, at_most=600), 30.0)
    gap: float = optional(number(at_least=0, below=1), 1e-6)


def solve_joint_order(inputs: JointOrderInputs) -> dict[str, Any]:
    """Least expected cost; an order that cannot be is an error that names the limits to relax and by how much."""
    from procurement.engine.joint import solve_joint

    answer = solve_joint(_problem(inputs))
    if answer.status == "infeasible":
        raise _infeasible(answer)
    return {
        "quantities": {line.id: _plain(q) for line, q in zip(inputs.lines, answer.quantities, strict=True)},
        "cost": answer.cost,
        "lower_bound": answer.bound,
        "gap": answer.gap,
        "status": answer.status,
        "binding_constraints": list(answer.binding_constraints),
        "constraints": {
            usage.name: {
                "limit": usage.limit, "used": usage.used, "slack": usage.slack, "saved_per_unit": usage.saved_per_unit,
            }
            for usage in answer.usages
        },
    }  # fmt: skip


def _problem(inputs: JointOrderInputs) -> "JointProblem":
    from procurement.engine.joint import Container, JointProblem, OrderTerms, Room

    supplier, box = inputs.supplier or SupplierInputs(), inputs.container
    room = inputs.warehouse or RoomInputs()
    return JointProblem(
        lines=tuple(line.line() for line in inputs.lines),
        terms=OrderTerms(
            fixed_cost=supplier.fixed_cost,
            minimum_value=supplier.minimum_value,
            freight=supplier.freight,
            free_freight_from=_or_none(supplier.free_freight_from),
            capacity=_or_none(supplier.capacity),
        ),
        container=None
        if box is None
        else Container(volume=_or_none(box.volume), weight=_or_none(box.weight), count=int(box.count), cost=box.cost),
        room=Room(units=_or_none(room.units), volume=_or_none(room.volume)),
        budget=_or_none(inputs.budget),
        time_limit=inputs.time_limit,
        gap=inputs.gap,
    )


def _or_none(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _infeasible(answer: "JointAnswer") -> ParameterError:
    """`budget`: cannot be kept: 120 more is needed (limit 100, needed 220)."""
    parts = []
    for relaxation in answer.relaxations:
        direction = "more" if relaxation.needed > relaxation.limit else "less"
        amount = f"{relaxation.relax_by:.10g} {direction}"
        parts.append(f"{relaxation.name}: {amount} (limit {relaxation.limit:.10g}, needed {relaxation.needed:.10g})")
    name = answer.relaxations[0].name.split(" of ")[0] if answer.relaxations else "inputs"
    return ParameterError(name, "no order keeps every constraint; relax " + "; ".join(parts))


def _plain(units: float) -> float | int:
    return int(units) if units.is_integer() else units


MODELS = (
    Model(
        "joint_order",
        JointOrderInputs,
        solve_joint_order,
        "Dantzig & Wolfe (1960), column generation; SOS1 of Beale & Tomlin (1970); HiGHS, Huangfu & Hall (2018)",
    ),
)
