"""The explanation of a proposal: every number that went into it, term by term, in an order that can be replayed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from procurement.engine.expressions import compile_formula


class Term(NamedTuple):
    """One number of an explanation.

    `code` is its name in code and API (screens translate it), `symbol` the textbook's letter, `unit` what it counts.
    A term with an empty `formula` was handed in and `source` says by whom ("forecast", "policy", "supplier item",
    "stock", "orders"); one with a formula was calculated from the terms above it.
    """

    code: str
    symbol: str
    value: float
    unit: str
    formula: str
    source: str


class Derivation:
    """Builds an explanation while it calculates: the value of a term IS its formula applied to the terms above."""

    def __init__(self) -> None:
        self.terms: list[Term] = []
        self.values: dict[str, float] = {}

    def given(self, code: str, symbol: str, value: float, unit: str, source: str) -> float:
        number = float(value)
        self.values[code] = number
        self.terms.append(Term(code, symbol, number, unit, "", source))
        return number

    def derive(self, code: str, symbol: str, formula: str, unit: str, source: str = "calculated") -> float:
        number = float(compile_formula(formula)(self.values))
        self.values[code] = number
        self.terms.append(Term(code, symbol, number, unit, formula, source))
        return number


def replay(explanation: Iterable[Term]) -> tuple[Term, ...]:
    """Calculate every derived term again from the given ones; the same terms come back, to the last bit."""
    derivation = Derivation()
    for term in explanation:
        if term.formula:
            derivation.derive(term.code, term.symbol, term.formula, term.unit, term.source)
        else:
            derivation.given(term.code, term.symbol, term.value, term.unit, term.source)
    return tuple(derivation.terms)


def to_records(explanation: Iterable[Term]) -> list[dict[str, Any]]:
    """The explanation as JSON-ready records, as stored with a proposal and answered by the API."""
    return [term._asdict() for term in explanation]


def from_records(records: Iterable[Mapping[str, Any]]) -> tuple[Term, ...]:
    """The way back from `to_records`."""
    return tuple(Term(**record) for record in records)
