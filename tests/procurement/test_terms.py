"""The explanation of a proposal in the reader's words: no code of the engine stays raw."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import translation

from procurement.admin.terms import LAW, NAMES, SOURCES, UNITS, WARNINGS, term_name, term_rows

ENGINE = Path(settings.BASE_DIR, "procurement", "engine")
PLANNING = (
    "replenishment.py",
    "reorder_point.py",
    "lot_sizing.py",
    "economic_lot.py",
    "../services/moves.py",
    "../services/joint_orders.py",
)


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


def test_a_broad_sample_of_decisions_speaks_in_words_alone() -> None:
    from itertools import product

    from procurement.engine.explanation import to_records
    from procurement.engine.replenishment import plan_item
    from procurement.engine.replenishment_types import ReplenishmentInput

    usual = {"mean_daily_demand": 2.0, "lead_time_days": 9.0, "review_days": 7.0, "service_level": 0.93}
    usual |= {"protection_mean": 32.0, "protection_sd": 9.0, "fill_rate": 0.98, "stockout_cost_per_unit": 8.0}
    usual |= {"unit_cost": 4.0, "holding_cost_rate_per_year": 0.25, "fixed_order_cost": 20.0, "on_hand": 3.0}
    quantiles = {0.5: 30.0, 0.9: 45.0, 0.95: 52.0, 0.99: 70.0}
    more = [{}, {"lead_time_sd_days": 3.0}, {"service_correction": 1.2, "order_maximum": 40.0}]
    more += [{"shelf_life_days": 30.0, "pallet_size": 24.0, "pack_size": 6.0}, {"incremental": True}]
    more += [{"price_breaks": ((50.0, 3.5),), "minimum_order_quantity": 60.0, "maximum_stock": 90.0}]
    targets, models = ("cycle_service_level", "fill_rate", "cost"), ("automatic", "order_up_to", "min_max", "fixed_lot")

    for target, model, unmet, one in product(targets, models, ("lost", "backordered"), more):
        values = {**usual, "target_kind": target, "model": model, "unmet_demand": unmet, **one}
        item = ReplenishmentInput(sku_key="S", protection_quantiles=quantiles, **values)
        result = plan_item(item)
        terms = to_records(result.explanation)
        assert {t["code"] for t in terms if not t["code"].startswith("candidate_")} - set(NAMES) == set()
        assert {t["unit"] for t in terms if not t["unit"].startswith("code: ")} - set(UNITS) == set()
        assert {t["source"] for t in terms if not LAW.fullmatch(t["source"])} - set(SOURCES) == set()
        assert set(result.warnings) - set(WARNINGS) == set()
