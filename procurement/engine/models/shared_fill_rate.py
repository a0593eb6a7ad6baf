"""One fill rate for many items together, at the least stock value: the file's form of `policies.shared_target`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from procurement.engine.errors import ParameterError
from procurement.engine.models.model import Model
from procurement.engine.parameters import choice, number, optional, read_inputs, required, table
from procurement.engine.quantiles import QuantileCurve

if TYPE_CHECKING:
    from procurement.engine.policies.types import PolicyBatch

MOST_LINES = 20_000
_LARGE = 1e12
_amount = number(at_least=0, at_most=_LARGE)
_share = number(above=0, below=1)


def _identity(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ParameterError(name, "must be a text or a whole number")
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLineInputs:
    """One item: `quantiles` of demand over `lead_time` + `review_period` days, `mean_demand` and `demand_sd` of a day.
    `value` is what a unit served is worth, `unit_price` where it is left out."""

    id: str = required(_identity)
    quantiles: tuple[tuple[float, float], ...] = required(table(_share, _amount))
    unit_cost: float = required(number(above=0, at_most=_LARGE))
    unit_price: float | None = optional(number(above=0, at_most=_LARGE))
    value: float | None = optional(number(above=0, at_most=_LARGE))
    mean_demand: float = required(_amount)
    lead_time: float = required(number(at_least=0, at_most=3650))
    review_period: float = required(number(above=0, at_most=3650))
    demand_sd: float | None = optional(_amount)


def _lines(name: str, value: Any) -> tuple[SharedLineInputs, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ParameterError(name, "must be a list of at least one line")
    if len(value) > MOST_LINES:
        raise ParameterError(name, f"holds {len(value)} lines; at most {MOST_LINES} share a target")
    lines = []
    for place, row in enumerate(value):
        if not isinstance(row, Mapping):
            raise ParameterError(name, f"line {place + 1} must be an object")
        try:
            lines.append(read_inputs(SharedLineInputs, row))
        except ParameterError as error:
            who = f"line {str(row.get('id', place + 1))[:40]}"
            raise ParameterError(error.parameter, f"{error.message} ({who})") from error
    if len({line.id for line in lines}) < len(lines):
        raise ParameterError("id", "of two lines is the same")
    if len({tuple(p for p, _units in line.quantiles) for line in lines}) > 1:
        raise ParameterError("quantiles", "must have the same probabilities on every line")
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFillRateInputs:
    """`fill_rate` of all lines together, by value or by units; `unmet_demand` is lost unless said otherwise."""

    lines: tuple[SharedLineInputs, ...] = required(_lines)
    fill_rate: float = required(number(at_least=0.5, below=1))
    weights: str = optional(choice("value", "units"), "value")
    unmet_demand: str = optional(choice("lost", "backordered"), "lost")

    def __post_init__(self) -> None:
        if self.weights == "value":
            for line in self.lines:
                if line.value is None and line.unit_price is None:
                    raise ParameterError("unit_price", f"or value is missing, by which lines weigh (line {line.id})")
        if not any(line.mean_demand for line in self.lines):
            raise ParameterError("mean_demand", "is 0 on every line")


def solve_shared_fill_rate(inputs: SharedFillRateInputs) -> dict[str, Any]:
    """Order-up-to levels in whole units, with every line's cycle service level, weight and own fill rate."""
    import numpy as np

    from procurement.engine.policies.shared_target import share_fill_rate, spread_factors, spread_out

    lines, batch = inputs.lines, _batch(inputs)
    worth = np.array(
        [1.0 if inputs.weights == "units" else float(line.value or line.unit_price or 0) for line in lines]
    )
    price = np.array([float(line.unit_price or line.value or line.unit_cost) for line in lines])
    daily_sd = np.array([np.nan if line.demand_sd is None else line.demand_sd for line in lines])
    batch = spread_out(batch, spread_factors(batch, daily_sd, price))
    found = share_fill_rate(batch, worth, batch.unit_cost, inputs.fill_rate)

    def told(values: Any) -> dict[str, float]:
        return {line.id: float(value) for line, value in zip(lines, values, strict=True)}

    return {
        "order_up_to_levels": {name: int(level) for name, level in told(found.levels.order_up_to_level).items()},
        "cycle_service_levels": told(found.service_level),
        "fill_rates": told(found.levels.fill_rate),
        "weights": told(found.weight),
        "fill_rate": found.fill_rate,
        "multiplier": found.multiplier,
        "stock_value_at_levels": float((found.levels.order_up_to_level * batch.unit_cost).sum()),
    }


def _batch(inputs: SharedFillRateInputs) -> "PolicyBatch":
    import numpy as np

    from procurement.engine.policies.types import POLICY_MODELS, batch_of

    lines = inputs.lines

    def column(name: str) -> Any:
        return np.array([getattr(line, name) for line in lines], dtype=float)

    days = column("lead_time") + column("review_period")
    curves = [QuantileCurve.through(dict(line.quantiles)) for line in lines]
    return batch_of(
        np.array(curves[0].probabilities),
        np.array([curve.units for curve in curves]),
        protection_mean=column("mean_demand") * days,
        mean_daily_demand=column("mean_demand"),
        lead_time_days=column("lead_time"),
        review_days=column("review_period"),
        unit_cost=column("unit_cost"),
        is_lost=inputs.unmet_demand == "lost",
        model=POLICY_MODELS.index("order_up_to"),
    )


MODELS = (
    Model(
        "shared_fill_rate",
        SharedFillRateInputs,
        solve_shared_fill_rate,
        "Lagrange: equal marginal cost of serving; Snyder & Shen, section 4.3 for one item",
    ),
)
