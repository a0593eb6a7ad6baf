"""Transfer before buy, as an instance of `optimize`."""

from dataclasses import dataclass
from typing import Any

from procurement.engine.echelon.graphs import parse_identity, parse_objects
from procurement.engine.models.model import Model
from procurement.engine.parameters import number, optional, required

_amount = number(at_least=0, at_most=1e12)
_pack = number(above=0, at_most=1e12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInputs:
    """A place with more than it needs: units to spare, money a unit and a transfer, days under way."""

    id: str = required(parse_identity)
    surplus: float = required(_amount)
    unit_cost: float = optional(_amount, 0.0)
    fixed_cost: float = optional(_amount, 0.0)
    days: float = optional(_amount, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedInputs:
    """See `procurement.engine.echelon.transfer_or_buy.Need` for what each number means."""

    quantity: float = required(_amount)
    buy_unit_cost: float = required(_amount)
    buy_days: float = optional(_amount, 0.0)
    buy_fixed_cost: float = optional(_amount, 0.0)
    kept_worth: float = optional(number(at_least=0, at_most=1), 0.0)
    shortage_cost_per_day: float = optional(_amount, 0.0)
    transfer_pack: float = optional(_pack, 1.0)
    buy_pack: float = optional(_pack, 1.0)
    buy_minimum: float = optional(_amount, 0.0)
    sources: tuple[SourceInputs, ...] = optional(parse_objects(SourceInputs), ())


def solve_transfer_or_buy(inputs: NeedInputs) -> dict[str, Any]:
    """100 needed at 5 a unit, one source with 60 to spare at 1 a unit and 20 a transfer → 60 moved, 40 bought, 280."""
    from procurement.engine.echelon.transfer_or_buy import Need, Source, transfer_or_buy
    from procurement.engine.explanation import to_records

    need = Need(**{name: getattr(inputs, name) for name in Need.__dataclass_fields__})
    sources = [Source(one.id, one.surplus, one.unit_cost, one.fixed_cost, one.days) for one in inputs.sources]
    answer = transfer_or_buy(need, sources)
    return {
        "transfers": dict(zip((one.id for one in inputs.sources), answer.transfers, strict=True)),
        "buy": answer.buy,
        "cost": answer.cost,
        "explanation": to_records(answer.explanation),
    }


MODELS = (Model("transfer_or_buy", NeedInputs, solve_transfer_or_buy, "Cheapest set of sources, counted out"),)
