"""The explanation of a proposal in the reader's words: no code of the engine stays raw."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import translation

from procurement.admin.terms import NAMES, SOURCES, UNITS, term_name, term_rows

ENGINE = Path(settings.BASE_DIR, "procurement", "engine")
PLANNING = ("replenishment.py", "reorder_point.py", "lot_sizing.py")


def _calls(name: str) -> Iterator[ast.Call]:
    """Calls of given(code, symbol, value, unit, source) or derive(code, symbol, formula, unit, source)."""
    for file in PLANNING:
        for node in ast.walk(ast.parse((ENGINE / file).read_text())):
            if isinstance(node, ast.Call) and name in ast.unparse(node.func).split("."):
                yield node


def _texts(place: int) -> set[str]:
    found = [call.args[place] for name in ("given", "derive") for call in _calls(name) if len(call.args) > place]
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_term_unit_and_source_of_the_planner_has_a_name() -> None:
    assert _texts(0) - set(NAMES) == set()
    assert _texts(3) - set(UNITS) == set()
    assert _texts(4) - set(SOURCES) == set()


def test_units_and_sources_are_said_in_the_readers_language() -> None:
    term = {"code": "pack_size", "symbol": "n", "value": 6.0, "unit": "units", "source": "supplier item"}

    (row,) = term_rows([term])
    assert (row["unit"], row["source"]) == ("units", "supplier item")
    with translation.override("zh-hans"):
        (row,) = term_rows([{**term, "unit": "furlongs", "source": "an oracle"}])
    assert (row["unit"], row["source"]) == ("furlongs", "an oracle")


def test_candidates_are_numbered() -> None:
    assert term_name("candidate_12_unit_cost") == "Candidate 12: unit cost"
