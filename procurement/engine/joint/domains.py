"""Which quantities of a line may be ordered at all: multiples of its pack between what is least and what is most."""

import math
from dataclasses import dataclass

from procurement.engine.errors import ParameterError
from procurement.engine.expressions import WHOLE_TOLERANCE
from procurement.engine.joint.costs import bands, mean_demand
from procurement.engine.joint.types import JointLine, JointProblem, Pool, Relaxation
from procurement.engine.models.order_up_to import stock_for_shortage

_FAR = 8.3  # beyond this normal score no double tells demand from impossible
_RAREST = 1e-12
_MOST = 2.0**52


@dataclass(frozen=True, slots=True)
class Domain:
    """Multiples `low`…`high` of the step (none if low > high), and 0 unless the line `must` be ordered.

    `fault` names what keeps a line that must be ordered from being ordered.
    """

    low: int
    high: int
    must: bool
    fault: Relaxation | None = None


def domain_of(line: JointLine, problem: JointProblem) -> Domain:
    """The multiples worth pricing; what no optimum can hold (far beyond all demand and thresholds) is left out."""
    floor = service_floor(line)
    must = line.must_order or floor > 0.0
    low = max(_up(max(line.minimum, floor), line.step), 1)
    room, name = line.maximum, "maximum"
    if line.shelf_life_days is not None:
        keeps = line.shelf_life_days * (line.mean_daily_demand or 0.0) - line.position
        if keeps < room:
            room, name = max(keeps, 0.0), "shelf_life"
    high = _down(room, line.step)
    if not must:
        high = min(high, _down(_alone(line, problem), line.step))
    if must and high < low:
        return Domain(low, low, must, Relaxation(f"{name} of {line.id}", room, low * line.step))
    return Domain(low, min(high, max(low, _farthest(line, problem))), must)


def _alone(line: JointLine, problem: JointProblem) -> float:
    """What the order's limits would let this line take by itself."""
    box, cheapest = problem.container, min(price for _start, price in bands(line))
    limits = [problem.terms.capacity, problem.room.units]
    shares = [(problem.budget, cheapest if line.in_budget else 0.0), (problem.room.volume, line.volume)]
    shares += [_share_of(pool, line, problem, cheapest) for pool in problem.pools]
    if box is not None:
        shares += [(box.volume * box.count, line.volume), (box.weight * box.count, line.weight)]
    return max(0.0, min([*limits, *(limit / amount for limit, amount in shares if amount > 0.0)]))


def _share_of(pool: Pool, line: JointLine, problem: JointProblem, cheapest: float) -> tuple[float, float]:
    """(limit, what a unit of the line takes of it at least)."""
    is_member = any(own is line and own_in for own, own_in in zip(problem.lines, pool.members, strict=True))
    return pool.limit, (cheapest if pool.of == "value" else 1.0) * is_member


def service_floor(line: JointLine) -> float:
    """Least quantity that reaches the line's own service target; 0 when the position does, or there is none."""
    needed = -math.inf
    if line.cycle_service_level is not None:
        _check_share(line, "cycle_service_level", line.cycle_service_level)
        needed = line.curve.quantile(line.cycle_service_level)
    if line.fill_rate is not None:
        _check_share(line, "fill_rate", line.fill_rate)
        allowed = (1.0 - line.fill_rate) * mean_demand(line.curve)
        needed = max(needed, stock_for_shortage(line.curve, allowed))
    return max(0.0, needed - line.position)


def _check_share(line: JointLine, name: str, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise ParameterError(name, f"must lie strictly between 0 and 1 (line {line.id})")


def _farthest(line: JointLine, problem: JointProblem) -> int:
    """A multiple beyond which one more only costs: past all demand, the last break, and any value to be reached."""
    prices = bands(line)
    natural = max(_demand_beyond(line, prices) - line.position, prices[-1][0], 0.0)
    if line.long_run is not None and line.long_run.holding_cost_per_unit_day > 0.0:
        run = line.long_run
        natural = max(natural, run.average_cost_per_day / run.holding_cost_per_unit_day - run.cycle_stock)
        natural += run.mean_daily_demand * line.replacement_cost / run.holding_cost_per_unit_day
    cheapest = min(price for _start, price in prices)
    values = (problem.terms.minimum_value, problem.terms.free_freight_from)
    goal = max((value for value in values if math.isfinite(value)), default=0.0)
    reach = goal / cheapest if cheapest > 0.0 else 0.0
    return _up(natural + reach, line.step) + 1


def _demand_beyond(line: JointLine, prices: tuple[tuple[float, float], ...]) -> float:
    """No stock above this pays: where a unit more costs what it can still save, (h + p)·P(D > x) = c + h − v; far
    out on the line of a curve without a tail."""
    curve = line.curve
    if curve.tail_scale > 0.0:
        costs = min(price for _start, price in prices) + line.holding_cost - line.replacement_cost
        saves = line.holding_cost + line.stockout_cost
        chance = costs / saves if saves > 0.0 else 1.0
        return max(curve.units[-1], curve.quantile(1.0 - min(max(chance, _RAREST), 0.5)))
    slope = 0.0
    if len(curve.units) > 1:
        slope = (curve.units[-1] - curve.units[-2]) / (curve.scores[-1] - curve.scores[-2])
    return curve.units[-1] + slope * max(0.0, _FAR - curve.scores[-1])


def _up(quantity: float, step: float) -> int:
    packs = quantity / step
    return math.ceil(min(packs, _MOST) - WHOLE_TOLERANCE * max(1.0, min(abs(packs), 1e3)))


def _down(quantity: float, step: float) -> int:
    packs = min(quantity / step, _MOST)
    return math.floor(packs + WHOLE_TOLERANCE * max(1.0, min(abs(packs), 1e3)))
