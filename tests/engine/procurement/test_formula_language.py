"""The formula language of explanations: arithmetic, a few functions, and nothing else."""

import pytest

from procurement.engine.expressions import cheapest, compile_formula, round_down, round_up


def test_a_formula_is_calculated_from_the_named_values():
    formula = compile_formula("max(0, need - position) / 2 + sqrt(pack * pack) - -1")

    assert formula({"need": 10.0, "position": 4.0, "pack": 3.0}) == 7.0


@pytest.mark.parametrize(
    "formula",
    ["__import__('os')", "need.real", "need ** 2", "open('x')", "[need]", "max(*need)", "'text'", "True",
     "need if 1 else 2", "max(0, key=1)", "need % 2", "(lambda: 1)()"],
)  # fmt: skip
def test_nothing_but_arithmetic_is_a_formula(formula):
    with pytest.raises(ValueError, match="not part of the formula language"):
        compile_formula(formula)


def test_a_hair_above_a_whole_pack_is_that_pack():
    assert round_up(0.1 + 0.2, 0.1) == pytest.approx(0.3)
    assert (round_up(24.0000000001, 12), round_up(25, 12), round_down(35, 12), round_down(36, 12)) == (24, 36, 24, 36)


def test_on_equal_cost_the_smaller_quantity_is_chosen():
    assert cheapest(30, 5.0, 10, 5.0, 20, 6.0) == 10
