"""What a transfer proposal says, term by term: the shortage it avoids, what moving costs, what is saved."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from forecasting.models import ForecastRun
from procurement.models import TransferProposal

if TYPE_CHECKING:
    from procurement.engine.echelon.rebalancing import Move, Place, Rebalancing
    from procurement.engine.explanation import Derivation


def proposal_of(
    run: ForecastRun,
    sku: int,
    ends: tuple[int, int],
    places: "Sequence[Place]",
    answer: "Rebalancing",
    move: "Move",
) -> TransferProposal:
    """The proposal of one move: what it adds when all other moves of the SKU are made as well."""
    from procurement.engine.explanation import to_records

    terms = _derived(places, answer, move)
    values = terms.values
    return TransferProposal(
        run=run,
        sku_id=sku,
        source_id=ends[0],
        target_id=ends[1],
        quantity=Decimal(repr(move.quantity)),
        cost=_money(values["moving_cost"]),
        saving=_money(values["saving"]),
        shortage_avoided=values["shortage_avoided"],
        explanation=to_records(tuple(terms.terms)),
    )


def _derived(places: "Sequence[Place]", answer: "Rebalancing", move: "Move") -> "Derivation":
    from procurement.engine.explanation import Derivation
    from procurement.engine.quantiles import QuantileCurve

    terms = Derivation()
    terms.given("moved", "q", move.quantity, "units", "plan")
    for name, index, sign in (("source", move.lane.source, -1.0), ("target", move.lane.target, 1.0)):
        place = places[index]
        after = place.stock + sum(
            (one.lane.target == index) * one.quantity - (one.lane.source == index) * one.quantity
            for one in answer.moves
        )
        curve, mark = QuantileCurve.through(place.quantiles), name[0]
        without = terms.given(f"{name}_stock", f"x{mark}", after - sign * move.quantity, "units", "stock")
        terms.derive(f"{name}_stock_after", f"y{mark}", f"{name}_stock {'+' if sign > 0 else '-'} moved", "units")
        terms.given(f"{name}_short", f"n{mark}", curve.expected_shortage(without), "units", "forecast")
        terms.given(f"{name}_short_after", f"m{mark}", curve.expected_shortage(after), "units", "forecast")
        terms.given(f"{name}_shortage_cost", f"p{mark}", place.shortage_cost, "money per unit", "policy")
        terms.given(f"{name}_holding_cost", f"h{mark}", place.holding_cost, "money per unit", "policy")
        terms.derive(f"{name}_avoided", f"a{mark}", f"{name}_short - {name}_short_after", "units")
        held = f"({name}_stock - {name}_stock_after + {name}_avoided)"
        gained = f"{name}_shortage_cost * {name}_avoided + {name}_holding_cost * {held}"
        terms.derive(f"{name}_gain", f"g{mark}", gained, "money")
    terms.given("carriage", "c", move.lane.unit_cost, "money per unit", "transfers")
    terms.given("transfer_cost", "k", move.lane.fixed_cost, "money", "transfers")
    terms.derive("moving_cost", "C", "transfer_cost + carriage * moved", "money")
    terms.derive("shortage_avoided", "a", "source_avoided + target_avoided", "units")
    terms.derive("saving", "V", "source_gain + target_gain - moving_cost", "money")
    return terms


def _money(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
