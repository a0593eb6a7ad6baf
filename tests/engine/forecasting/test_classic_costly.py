"""Costly methods: few, for the valuable and even, on the same held-out windows, and only if they clearly win."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting.engine import fit_pooled, forecast_panel
from forecasting.engine.cleaning import clean
from forecasting.engine.costly import affordable, candidate_paths, full_mode_seconds, means_of, worth
from forecasting.engine.frame import build_frame
from forecasting.engine.methods import COSTLY, RANKS, WORDS
from forecasting.engine.types import Covariates
from tests.engine.forecasting.panels import panel_of


def world(n: int = 24, periods: int = 200) -> np.ndarray:
    """Smooth series with a week, some of them growing, and the same noise for small and large."""
    rng = np.random.default_rng(3)
    t = np.arange(periods)
    week = np.array([1.2, 1.0, 1.0, 1.0, 1.4, 0.6, 0.8])[t % 7]
    growth = 1 + (rng.random((n, 1)) * 0.01 - 0.004) * t
    return rng.normal(np.geomspace(20, 200, n)[:, None] * week * growth, 2).clip(0).round(1)


PANEL = panel_of(world())
POOLED = fit_pooled(PANEL, horizon=14, windows=(7, 14))


def run(budget):
    return forecast_panel(PANEL, horizon=14, windows=(7, 14), budget_seconds=budget, pooled=POOLED)


def test_a_budget_is_a_number_of_series_shared_by_chunks():
    assert affordable(60, 512, 2048) == 100
    assert affordable(60, 512, 2048, covariates=True) == 75
    assert affordable(0.1, 512, 2048) == 0
    assert full_mode_seconds(1000) == pytest.approx(2.0)
    assert affordable(full_mode_seconds(1000), 1000, 1000) == 13


def test_a_costly_method_takes_over_only_even_series_and_says_what_it_replaced():
    plain, granted = run(None), run(1000.0)

    changed = [i for i, (a, b) in enumerate(zip(plain.choices, granted.choices, strict=True)) if a.method != b.method]
    assert changed
    for i in changed:
        choice = granted.choices[i]
        assert choice.method in COSTLY
        assert choice.demand_class in ("smooth", "erratic")
        assert choice.runner_up == plain.choices[i].method
        assert choice.reason.startswith(WORDS[choice.method])
    same = [i for i in range(len(PANEL.ids)) if i not in changed]
    assert np.array_equal(plain.quantiles[same], granted.quantiles[same])


def test_rare_sellers_are_never_tried_and_the_most_valuable_first(monkeypatch):
    from forecasting.engine import costly

    values = PANEL.values.copy()
    values[-4:] *= np.random.default_rng(1).random((4, 200)) < 0.1
    rare, tried = panel_of(values), []
    monkeypatch.setattr(costly, "candidate_paths", lambda frame, row, *_: tried.append(row) or {})

    forecast_panel(rare, horizon=14, windows=(7, 14), budget_seconds=3.0, pooled=POOLED)  # 0.75 s: five series

    total = values.sum(axis=1)
    assert tried == sorted(range(20), key=lambda i: -total[i])[:5]


def test_what_a_costly_method_says_ascends_and_repeats():
    one, two = run(1000.0), run(1000.0)

    assert np.array_equal(one.window_quantiles, two.window_quantiles)
    assert (np.diff(one.quantiles, axis=2) >= 0).all()
    assert (one.quantiles >= 0).all()


def test_without_a_budget_nothing_costly_is_tried(monkeypatch):
    from forecasting.engine import costly

    def never(*_):
        raise AssertionError("tried")

    monkeypatch.setattr(costly, "candidate_paths", never)

    assert {c.method for c in run(None).choices}.isdisjoint({"ets", "sarima", "sarimax"})
    assert {c.method for c in run(0.1).choices}.isdisjoint({"ets", "sarima", "sarimax"})


def test_the_highest_value_comes_first():
    cleaned = clean(panel_of(np.ones((2, 4)) * [[5.0], [1.0]]))
    price = Covariates(known={"price": np.array([[2.0, np.nan, 2, 2], [20.0, 20, 20, 20]])})

    assert worth(cleaned, None).tolist() == [20, 4]
    assert worth(cleaned, price).tolist() == [40, 80]


def test_the_future_changes_no_earlier_origin():
    changed = PANEL.values.copy()
    changed[:, -7:] *= 5
    frames = [
        build_frame(clean(replace(PANEL, values=v)), POOLED.calendar).at(POOLED.plan.columns)
        for v in (PANEL.values, changed)
    ]
    early = frames[0].origins <= PANEL.values.shape[1] - 7

    before, after = (candidate_paths(f, 0, None) for f in frames)

    assert set(before) == {"theta", "ets", "sarima"}
    for name in before:
        assert np.array_equal(before[name][early], after[name][early])
        assert not np.array_equal(before[name][~early], after[name][~early])


def test_known_promotions_bring_sarimax_and_only_what_was_known_ahead():
    rng = np.random.default_rng(9)
    horizon = POOLED.calendar.horizon
    promotion = (rng.random((24, 200 + horizon)) < 0.1).astype(float)
    promotion[10, 200:] = np.arange(horizon) >= 7
    values = world() * (1 + promotion[:, :200])
    frame = build_frame(clean(panel_of(values)), POOLED.calendar).at(POOLED.plan.columns)

    found = candidate_paths(frame, 10, Covariates(known={"promotion": promotion}, ahead=horizon))

    now = found["sarimax"][-1]
    assert now[7:14].mean() / now[:7].mean() == pytest.approx(2.0, abs=0.2)


def test_means_stand_in_the_rows_that_were_won():
    frame = build_frame(clean(PANEL), POOLED.calendar).at(POOLED.plan.columns)
    path = np.ones(frame.factor.shape[1:])

    means = means_of({3: ("ets", path), 5: ("theta", 2 * path)}, frame)

    assert sorted(means) == ["ets", "theta"]
    assert means["ets"][3].mean() == 1
    assert means["ets"][5].max() == 0
    assert means["theta"][5].mean() == 2


def test_every_costly_method_has_words_and_ranks_behind_the_everyday_ones():
    assert all(RANKS[name] > max(rank for other, rank in RANKS.items() if other not in COSTLY) for name in COSTLY)
    assert set(COSTLY) <= set(WORDS)
