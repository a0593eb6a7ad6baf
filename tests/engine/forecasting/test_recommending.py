"""The scores a recommender goes by: the documented numbers, and what may never turn round."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.recommending import REASONS, VERDICTS, Situation, advise

units = st.floats(0, 1e4, allow_nan=False)


def one(
    free: float,
    demand: float,
    *,
    arriving: float = 0.0,
    until: float | None = None,
    phase_out: bool = False,
    for_sale: bool = True,
    forecast: bool = True,
) -> tuple[float, str, set[str]]:
    advice = advise(
        Situation(
            *(np.array([n]) for n in (free, arriving, demand, demand if until is None else until)),
            np.array([phase_out]),
            np.array([for_sale]),
            np.array([forecast]),
        )
    )
    named = {name for name, holds in zip(REASONS, advice.reasons[0], strict=True) if holds}
    return float(advice.score[0]), VERDICTS[int(advice.verdict[0])], named


def test_three_intervals_of_cover_are_pushed_at_a_half() -> None:
    assert one(30, 10) == (0.5, "push", {"overstocked"})


def test_just_enough_is_neutral_and_a_little_more_is_healthy() -> None:
    assert one(10, 10) == (0.0, "neutral", {"healthy"})
    score, verdict, reasons = one(15, 10)
    assert (score, verdict, reasons) == (pytest.approx(0.2), "neutral", {"healthy"})


def test_what_runs_out_before_the_next_supply_is_held_though_plenty_arrives_later() -> None:
    assert one(4, 10, arriving=1000, until=8) == (-0.75, "hold", {"runs_out", "arriving"})
    assert one(4, 10) == (pytest.approx(-0.8), "hold", {"runs_out"})


def test_what_lasts_until_a_large_arrival_is_pushed() -> None:
    assert one(5, 10, arriving=35, until=3) == (pytest.approx(0.6), "push", {"overstocked", "arriving"})


def test_stock_that_must_go_is_pushed_earlier_but_not_what_runs_out() -> None:
    assert one(10, 10, phase_out=True) == (0.5, "push", {"healthy", "phase_out"})
    assert one(4, 10, phase_out=True)[1] == "hold"


def test_what_is_not_for_sale_or_not_there_is_never_pushed() -> None:
    assert one(1000, 1, for_sale=False) == (-1.0, "hold", {"not_for_sale"})
    assert one(0, 10, arriving=50, until=2) == (-1.0, "hold", {"out_of_stock", "arriving"})
    assert one(0, 0) == (-1.0, "hold", {"out_of_stock"})


def test_stock_nobody_asks_for_is_pushed() -> None:
    score, verdict, reasons = one(5, 0)

    assert (score, verdict, reasons) == (pytest.approx(19 / 21), "push", {"no_demand"})


def test_an_item_without_a_forecast_is_neither_pushed_nor_held() -> None:
    assert one(5, 0, forecast=False) == (0.0, "neutral", {"no_forecast"})


@given(units, units, units, units, st.floats(0, 1), st.booleans())
def test_more_stock_never_lowers_the_score(
    free: float, more: float, demand: float, arriving: float, share: float, phase_out: bool
) -> None:
    few = one(free, demand, arriving=arriving, until=share * demand, phase_out=phase_out)[0]
    many = one(free + more, demand, arriving=arriving, until=share * demand, phase_out=phase_out)[0]

    assert -1 <= few <= many + 1e-12 <= 1 + 1e-12


@given(units, units, units, st.booleans())
def test_what_is_about_to_run_out_is_held_whatever_else(free: float, gap: float, arriving: float, out: bool) -> None:
    needed = free + gap + 0.01

    assert one(free, 2 * needed, arriving=arriving, until=needed, phase_out=out)[1] == "hold"
