"""The ways out of a stock that is too much, each priced on the same stock and days, and the one that brings most back.

Keep it, mark it down, send the excess to another warehouse, give it back to the supplier, or write it off. What a way
takes away leaves the rest to sell at full price. Every sum is a term, so the comparison can be calculated again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from procurement.engine.clearance.markdown import LADDER, MarkdownPlan, best_markdown, one_discount
from procurement.engine.errors import ParameterError
from procurement.engine.explanation import Derivation, Term
from procurement.engine.expressions import WHOLE_TOLERANCE, round_down

KEEP, MARKDOWN, TRANSFER, RETURN, WRITE_OFF = "keep", "markdown", "transfer", "return", "write_off"
#: On ties the way that changes least.
_ORDER = (KEEP, TRANSFER, RETURN, MARKDOWN, WRITE_OFF)
_AMOUNTS = (
    "stock", "excess", "price", "daily_mean", "daily_sd", "days", "elasticity", "unit_cost", "holding_cost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A warehouse that could take units: its name, how many of `units` it would sell beyond its own stock in the same
    days (`sold`), the price there, and what moving costs (a unit, and once)."""

    name: str
    units: float
    sold: float
    price: float
    unit_cost: float = 0.0
    fixed_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class ClearanceCase:
    """A stock of which `excess` units will not sell within `days` at full price. Money a unit, demand a day, units.

    `salvage` is what a unit left at the end brings (below 0: disposal costs, also of what is written off),
    `return_value` what the supplier pays back (None: takes nothing back), `return_fixed_cost` what sending it costs,
    `pack` what transfers and returns go in.
    """

    key: str
    stock: float
    excess: float
    price: float
    daily_mean: float
    daily_sd: float
    days: float
    elasticity: float
    unit_cost: float = 0.0
    holding_cost: float = 0.0
    salvage: float = 0.0
    return_value: float | None = None
    return_fixed_cost: float = 0.0
    pack: float = 1.0
    elsewhere: tuple[Elsewhere, ...] = ()
    ladder: tuple[float, ...] = field(default=LADDER)


@dataclass(frozen=True, slots=True)
class WayOut:
    """One way: what the whole stock brings by it, units it takes away, the discount, the warehouse, and its terms."""

    way: str
    recovery: float
    units: float
    explanation: tuple[Term, ...]
    discount: float | None = None
    target: str = ""
    sell_through_days: float | None = None


def weigh_ways_out(case: ClearanceCase) -> list[WayOut]:
    """All ways that are open, the best first; `keep` is always among them. Raises ParameterError naming the field.

    Worked: 100 units, 2 ± 1 a day for 20 days at 10.00, held at 0.003 a day: kept 395.20; 40 % off at ε = 2 brings
    565.65, 60 given back at 3.00 bring 542.29.
    """
    _check(case)
    found = [_kept(case), _marked_down(case), *(_transferred(case, place) for place in case.elsewhere)]
    found.append(_written_off(case))
    if case.return_value is not None:
        found.append(_returned(case, case.return_value))
    open_ways = [way for way in found if way is not None]
    return sorted(open_ways, key=lambda way: (-way.recovery, _ORDER.index(way.way), way.target))


def _priced(case: ClearanceCase, stock: float, discount: float = 0.0) -> MarkdownPlan:
    return one_discount(discount, stock=stock, **_common(case))


def _common(case: ClearanceCase) -> dict[str, float]:
    names = ("price", "daily_mean", "daily_sd", "days", "elasticity", "holding_cost", "salvage")
    return {name: getattr(case, name) for name in names}


def _selling(derivation: Derivation, case: ClearanceCase, stock: float, plan: MarkdownPlan) -> float:
    """The terms of what `stock` brings by selling: revenue, salvage of what is left, holding in between."""
    given = derivation.given
    given("price", "p", case.price, "money per unit", "price list")
    given("discount", "δ", plan.discounts[0], "share", "way out")
    given("clearance_stock", "I", stock, "units", "stock")
    given("clearance_days", "T", case.days, "days", "way out")
    given("expected_sales", "E[min(D,I)]", plan.sold, "units", "forecast")
    given("salvage_value", "v", case.salvage, "money per unit", "policy")
    given("holding_cost_per_unit_day", "h", case.holding_cost, "money", "policy")
    derivation.derive("expected_left", "L", "clearance_stock - expected_sales", "units")
    derivation.derive("expected_revenue", "R", "price * (1 - discount) * expected_sales", "money")
    held = "holding_cost_per_unit_day * clearance_days * (clearance_stock + expected_left) / 2"
    derivation.derive("clearance_holding_cost", "H", held, "money")
    return derivation.derive(
        "selling_recovery", "S", "expected_revenue + salvage_value * expected_left - clearance_holding_cost", "money"
    )


def _kept(case: ClearanceCase) -> WayOut:
    derivation, plan = Derivation(), _priced(case, case.stock)
    _selling(derivation, case, case.stock, plan)
    recovery = derivation.derive("recovery", "V", "selling_recovery", "money")
    return WayOut(KEEP, recovery, 0.0, tuple(derivation.terms), sell_through_days=plan.sell_through_days)


def _marked_down(case: ClearanceCase) -> WayOut | None:
    steps = [step for step in case.ladder if step > 0.0]
    if not steps or case.daily_mean <= 0.0:
        return None
    plan = best_markdown(ladder=steps, stock=case.stock, **_common(case))
    derivation = Derivation()
    derivation.given("elasticity", "ε", case.elasticity, "", "prices paid")
    _selling(derivation, case, case.stock, plan)
    recovery = derivation.derive("recovery", "V", "selling_recovery", "money")
    terms = tuple(derivation.terms)
    return WayOut(MARKDOWN, recovery, case.stock, terms, plan.discounts[0], sell_through_days=plan.sell_through_days)


def _in_packs(case: ClearanceCase, most: float) -> float:
    return round_down(min(case.excess, most, case.stock), case.pack)


def _transferred(case: ClearanceCase, place: Elsewhere) -> WayOut | None:
    units = _in_packs(case, place.units)
    if units <= WHOLE_TOLERANCE:
        return None
    derivation = Derivation()
    plan = _priced(case, case.stock - units)
    _selling(derivation, case, case.stock - units, plan)
    derivation.given("moved_units", "x", units, "units", "way out")
    derivation.given("sold_there", "E[x]", place.sold * units / place.units, "units", "forecast")
    derivation.given("price_there", "p'", place.price, "money per unit", "price list")
    derivation.given("moving_cost_per_unit", "m", place.unit_cost, "money per unit", "transfers")
    derivation.given("moving_fixed_cost", "M", place.fixed_cost, "money", "transfers")
    there = "price_there * sold_there + salvage_value * (moved_units - sold_there)"
    derivation.derive(
        "recovery_there", "V'", f"{there} - moving_cost_per_unit * moved_units - moving_fixed_cost", "money"
    )
    recovery = derivation.derive("recovery", "V", "selling_recovery + recovery_there", "money")
    return WayOut(
        TRANSFER, recovery, units, tuple(derivation.terms), target=place.name, sell_through_days=plan.sell_through_days
    )


def _returned(case: ClearanceCase, value: float) -> WayOut | None:
    units = _in_packs(case, case.stock)
    if units <= WHOLE_TOLERANCE:
        return None
    derivation, plan = Derivation(), _priced(case, case.stock - units)
    _selling(derivation, case, case.stock - units, plan)
    derivation.given("moved_units", "x", units, "units", "way out")
    derivation.given("return_value", "r", value, "money per unit", "supplier item")
    derivation.given("moving_fixed_cost", "M", case.return_fixed_cost, "money", "supplier")
    derivation.derive("recovery_there", "V'", "return_value * moved_units - moving_fixed_cost", "money")
    recovery = derivation.derive("recovery", "V", "selling_recovery + recovery_there", "money")
    return WayOut(RETURN, recovery, units, tuple(derivation.terms), sell_through_days=plan.sell_through_days)


def _written_off(case: ClearanceCase) -> WayOut | None:
    units = min(case.excess, case.stock)
    if units <= WHOLE_TOLERANCE:
        return None
    derivation, plan = Derivation(), _priced(case, case.stock - units)
    _selling(derivation, case, case.stock - units, plan)
    derivation.given("moved_units", "x", units, "units", "way out")
    derivation.derive(
        "recovery_there", "V'", "min(salvage_value, 0) * moved_units", "money", "nothing but its disposal"
    )
    recovery = derivation.derive("recovery", "V", "selling_recovery + recovery_there", "money")
    return WayOut(WRITE_OFF, recovery, units, tuple(derivation.terms), sell_through_days=plan.sell_through_days)


def _check(case: ClearanceCase) -> None:
    for name in (
        "stock",
        "excess",
        "price",
        "daily_mean",
        "daily_sd",
        "days",
        "elasticity",
        "unit_cost",
        "holding_cost",
    ):
        value = getattr(case, name)
        if not (isfinite(value) and value >= 0.0):
            raise ParameterError(name, f"must be a number of at least 0 (item {case.key})")
    if not isfinite(case.salvage):
        raise ParameterError("salvage", f"must be a finite number (item {case.key})")
    if not (isfinite(case.pack) and case.pack > 0.0):
        raise ParameterError("pack", f"must be above 0 (item {case.key})")
    if case.excess > case.stock * (1.0 + WHOLE_TOLERANCE):
        raise ParameterError("excess", f"must not be above the stock (item {case.key})")
    _check_places(case.elsewhere, case.key)


def _check_places(places: Sequence[Elsewhere], key: str) -> None:
    for place in places:
        amounts = (place.units, place.sold, place.price, place.unit_cost, place.fixed_cost)
        if not all(isfinite(value) and value >= 0.0 for value in amounts):
            raise ParameterError("elsewhere", f"must hold numbers of at least 0 (item {key}, {place.name})")
        if place.sold > place.units * (1.0 + WHOLE_TOLERANCE):
            raise ParameterError("elsewhere", f"cannot sell more than it takes (item {key}, {place.name})")
