"""The recurrent network, where its extra is installed; without it, the error that names the extra."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from forecasting.engine.methods.base import Forecaster
from forecasting.engine.methods.neural import FORECASTERS, Lstm, drawn_batches
from forecasting.engine.methods.neural_inputs import inputs_of
from forecasting.engine.types import Covariates, Panel
from tests.engine.forecasting.panels import panel_of, shop

installed = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch (requirements/neural.txt) is not installed"
)
SMALL = Lstm(passes=4, series=40, samples=100)


def with_promotions(periods: int = 130, ahead: int = 14) -> tuple[Panel, np.ndarray]:
    """40 items that sell five times as much on every promotion; returns the flags too (n, T + ahead)."""
    rng = np.random.default_rng(1)
    flags = (rng.random((40, periods + ahead)) < 0.2).astype(float)
    values = rng.poisson(4.0 * (1 + 4 * flags[:, :periods])).astype(float)
    kinds = {"family": (np.arange(40) % 3).astype(np.int64)}
    covariates = Covariates(known={"promotion": flags}, categories=kinds, ahead=ahead)
    return Panel(tuple(map(str, range(40))), values, np.zeros(40, dtype=np.int64), None, "D", None, covariates), flags


def test_without_pytorch_one_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(ImportError, match=r"^method lstm needs PyTorch: pip install -r requirements/neural\.txt$"):
        SMALL.fit_predict(panel_of(np.ones((2, 60))), 7, (0.5,))


def test_the_method_follows_the_one_interface_and_imports_nothing_heavy():
    assert isinstance(FORECASTERS[0], Forecaster)
    assert FORECASTERS[0].name == "lstm"


def test_inputs_mask_what_is_unknown_and_hold_past_covariates_back():
    values = np.array([[1.0, np.nan, 3.0]])
    covariates = Covariates(past={"views": np.array([[7.0, 8.0, 9.0]])}, categories={"family": np.array([-1])})
    panel = Panel(("A",), values, np.zeros(1, dtype=np.int64), None, "Y", None, covariates)

    inputs = inputs_of(panel, values, 2)

    views, known = inputs.features[0, :, -2], inputs.features[0, :, -1]
    assert inputs.scale.tolist() == [2.0]
    assert known.tolist() == [0, 1, 1, 1, 0]  # a step reads the views of the step before
    assert views[1] < views[2] < views[3]
    assert inputs.codes.tolist() == [[0]]


def test_a_small_panel_is_gone_through_until_there_are_twenty_batches():
    batches = drawn_batches(np.random.default_rng(0), np.arange(10), 2000, 64)
    large = drawn_batches(np.random.default_rng(0), np.arange(5000), 2000, 64)

    assert len(batches) == 20
    assert sum(len(b) for b in large) == 2000


@installed
def test_quantiles_ascend_repeat_and_leave_the_seed_of_others_alone():
    import torch

    panel = panel_of(shop(20, 100))
    torch.manual_seed(5)
    untouched = torch.random.get_rng_state()

    first, again = (SMALL.fit_predict(panel, 7, (0.1, 0.5, 0.9)) for _ in range(2))

    assert first.shape == (20, 7, 3)
    assert (first == again).all()
    assert (np.diff(first, axis=2) >= 0).all()
    assert (first >= 0).all()
    assert torch.equal(untouched, torch.random.get_rng_state())


@installed
def test_windows_are_sums_of_paths_at_the_level_of_each_series():
    values = shop(40, 154)

    windows = SMALL.window_quantiles(panel_of(values[:, :140]), (7, 14), (0.5, 0.95))

    actual = values[:, 140:].sum(axis=1)
    assert windows[:, 1, 0].sum() == pytest.approx(actual.sum(), rel=0.2)
    assert (actual <= windows[:, 1, 1]).mean() >= 0.85
    assert (windows[:, 1] >= windows[:, 0]).all()


@installed
def test_a_promotion_known_ahead_is_expected():
    panel, flags = with_promotions()

    median = Lstm(passes=8, series=40, samples=100).fit_predict(panel, 14, (0.5,))[:, :, 0]

    coming = flags[:, 130:] > 0
    assert median[coming].mean() > 2 * median[~coming].mean()


@installed
def test_nasty_series_come_back_as_nothing_or_as_numbers():
    nasty = np.array([np.zeros(60), np.full(60, np.nan), np.full(60, 3.0), np.where(np.arange(60) == 7, 1e9, 1.0)])

    steps = SMALL.fit_predict(panel_of(nasty), 3, (0.5, 0.9))

    assert np.isnan(steps[:2]).all()
    assert np.isfinite(steps[2:]).all()
