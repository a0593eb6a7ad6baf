"""Transfer before buy: how much of a need comes out of another place's surplus and how much is bought.

A unit moved costs its carriage and waits in transit; a unit bought costs its price, which a surplus unit has cost
already, and may come later: what comes later is short for longer. The surplus is taken where it is cheapest to bring.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from procurement.engine.errors import ParameterError
from procurement.engine.explanation import Derivation, Term


@dataclass(frozen=True, slots=True)
class Source:
    """A place with more than it needs: `surplus` units, cost to bring a unit and a transfer, days it takes."""

    key: str
    surplus: float
    unit_cost: float = 0.0
    fixed_cost: float = 0.0
    days: float = 0.0


@dataclass(frozen=True, slots=True)
class Need:
    """Units needed, days until they are bought in, money: price, part of it a unit of surplus is still worth where it
    is (1 = it will be sold there anyway), cost of a unit short a day, packs."""

    quantity: float
    buy_unit_cost: float
    buy_days: float
    buy_fixed_cost: float = 0.0
    kept_worth: float = 0.0
    shortage_cost_per_day: float = 0.0
    transfer_pack: float = 1.0
    buy_pack: float = 1.0
    buy_minimum: float = 0.0


@dataclass(frozen=True, slots=True)
class TransferOrBuy:
    """Units from each source in the order asked, units bought, and the terms they come from."""

    transfers: tuple[float, ...]
    buy: float
    cost: float
    explanation: tuple[Term, ...]


def transfer_or_buy(need: Need, sources: Sequence[Source]) -> TransferOrBuy:
    """The cheapest mix over every number of sources in the order of their cost a unit; on ties less is moved.

    100 needed at 5 a unit to buy, one source with 60 to spare at 1 a unit and 20 a transfer → 60 moved, 40 bought.
    """
    _check(need, sources)
    ranked = sorted(range(len(sources)), key=lambda n: (_landed(need, sources[n]), n))
    best: tuple[float, list[float]] | None = None
    for chosen in _choices(ranked):
        taken = _taken(need, sources, chosen)
        cost = _cost(need, sources, taken)
        if best is None or cost < best[0] - 1e-9 * max(1.0, abs(best[0])):
            best = cost, taken
    taken = best[1] if best else []
    return _explained(need, sources, taken)


def _choices(ranked: Sequence[int]) -> list[list[int]]:
    """Which sources to use: all sets of up to ten, in order of size; of more sources only the cheapest few together."""
    if len(ranked) > 10:
        return [list(ranked[:k]) for k in range(len(ranked) + 1)]
    sets = [[n for bit, n in enumerate(ranked) if mask >> bit & 1] for mask in range(1 << len(ranked))]
    return sorted(sets, key=len)


def _landed(need: Need, source: Source) -> float:
    """What a unit from this source costs: carriage, its worth where it is, and being short until it comes."""
    return source.unit_cost + need.kept_worth * need.buy_unit_cost + need.shortage_cost_per_day * source.days


def _bought(need: Need) -> float:
    """What a bought unit costs: its price and being short until it comes."""
    return need.buy_unit_cost + need.shortage_cost_per_day * need.buy_days


def _taken(need: Need, sources: Sequence[Source], chosen: Sequence[int]) -> list[float]:
    taken, open_units = [0.0] * len(sources), need.quantity
    for n in chosen:
        if _landed(need, sources[n]) >= _bought(need):
            continue
        packs = math.floor(min(sources[n].surplus, open_units) / need.transfer_pack + 1e-9)
        taken[n] = packs * need.transfer_pack
        open_units -= taken[n]
    return taken


def _to_buy(need: Need, taken: Sequence[float]) -> float:
    missing = need.quantity - math.fsum(taken)
    if missing <= 1e-9:
        return 0.0
    packs = math.ceil(max(missing, need.buy_minimum) / need.buy_pack - 1e-9)
    return packs * need.buy_pack


def _cost(need: Need, sources: Sequence[Source], taken: Sequence[float]) -> float:
    buy = _to_buy(need, taken)
    missing = max(need.quantity - math.fsum(taken), 0.0)
    late = need.shortage_cost_per_day * need.buy_days * missing
    bought = (need.buy_fixed_cost + need.buy_unit_cost * buy + late) if buy else 0.0
    return bought + math.fsum(
        source.fixed_cost + _landed(need, source) * units
        for source, units in zip(sources, taken, strict=True)
        if units > 0.0
    )


def _explained(need: Need, sources: Sequence[Source], taken: Sequence[float]) -> TransferOrBuy:
    terms = Derivation()
    terms.given("need", "N", need.quantity, "units", "plan")
    terms.given("transfer_pack", "n", need.transfer_pack, "units", "policy")
    terms.given("price", "c", need.buy_unit_cost, "money/unit", "supplier item")
    terms.given("buy_days", "L", need.buy_days, "days", "supplier item")
    terms.given("buy_fixed_cost", "K", need.buy_fixed_cost, "money", "supplier item")
    terms.given("kept_worth", "v", need.kept_worth, "share", "policy")
    terms.given("shortage_cost", "p", need.shortage_cost_per_day, "money/unit/day", "policy")
    terms.given("buy_pack", "m", need.buy_pack, "units", "supplier item")
    terms.given("buy_minimum", "M", need.buy_minimum, "units", "supplier item")
    moved, costs, still = [], [], "need"
    used = [n for n in sorted(range(len(sources)), key=lambda n: (_landed(need, sources[n]), n)) if taken[n] > 0.0]
    for number, n in enumerate(used, start=1):
        moved.append(f"moved_{number}")
        costs.append(f"moving_cost_{number}")
        _source_terms(terms, sources[n], number, still)
        still = f"still_needed_{number}"
    _buying_terms(terms, still)
    terms.derive("cost", "C", " + ".join([*costs, "buying_cost"]), "money")
    transfers = tuple(taken)
    return TransferOrBuy(transfers, terms.values["bought"], terms.values["cost"], tuple(terms.terms))


def _source_terms(terms: Derivation, source: Source, number: int, still: str) -> None:
    terms.given(f"surplus_{number}", f"s{number}", source.surplus, "units", source.key)
    terms.given(f"carriage_{number}", f"t{number}", source.unit_cost, "money/unit", source.key)
    terms.given(f"transfer_cost_{number}", f"k{number}", source.fixed_cost, "money", source.key)
    terms.given(f"transfer_days_{number}", f"l{number}", source.days, "days", source.key)
    moved = f"round_down(min({still}, surplus_{number}), transfer_pack)"
    terms.derive(f"moved_{number}", f"q{number}", moved, "units")
    unit = f"(carriage_{number} + kept_worth * price + shortage_cost * transfer_days_{number})"
    terms.derive(f"moving_cost_{number}", f"C{number}", f"transfer_cost_{number} + {unit} * moved_{number}", "money")
    terms.derive(f"still_needed_{number}", f"N{number}", f"{still} - moved_{number}", "units")


def _buying_terms(terms: Derivation, still: str) -> None:
    if terms.values[still] <= 1e-9:
        terms.given("bought", "B", 0.0, "units", "plan")
        terms.given("buying_cost", "Cb", 0.0, "money", "plan")
        return
    terms.derive("bought", "B", f"round_up(max({still}, buy_minimum), buy_pack)", "units")
    late = f"shortage_cost * buy_days * {still}"
    terms.derive("buying_cost", "Cb", f"buy_fixed_cost + price * bought + {late}", "money")


def _check(need: Need, sources: Sequence[Source]) -> None:
    for name in ("quantity", "buy_unit_cost", "buy_days", "buy_fixed_cost", "kept_worth", "shortage_cost_per_day",
                 "buy_minimum"):  # fmt: skip
        if not math.isfinite(getattr(need, name)) or getattr(need, name) < 0.0:
            raise ParameterError(name, "must be a finite number, at least 0")
    for name in ("transfer_pack", "buy_pack"):
        if not math.isfinite(getattr(need, name)) or getattr(need, name) <= 0.0:
            raise ParameterError(name, "must be above 0")
    for source in sources:
        for name in ("surplus", "unit_cost", "fixed_cost", "days"):
            if not math.isfinite(getattr(source, name)) or getattr(source, name) < 0.0:
                raise ParameterError(f"sources[{source.key}].{name}", "must be a finite number, at least 0")
