"""What the engine answered and what was read for it, as rows and as packed bytes, to the last digit that counts."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from forecasting.engine import Choice, Score
from forecasting.models import Forecast
from forecasting.services import learning
from forecasting.services.packing import History, PairBook
from forecasting.services.panels import load_history
from forecasting.services.saving import save_forecasts, words_of
from tests.cast import World
from tests.forecasting.night_cast import YESTERDAY, answer, load, opened_run, sellers, sold


@pytest.mark.django_db
def test_a_forecast_is_read_back_as_the_engine_gave_it(world: World) -> None:
    sellers(world, 1)
    run = opened_run()
    book = load().book.take(np.array([0]))
    result = answer(type("Panel", (), {"ids": ("a",), "values": np.array([[2.5]])}), book=book)
    result.mean[0] = np.arange(63) / 8
    result.quantiles[0, 3] = [0.0, 1.5, 2.25, 2.25, 9.0]
    result.choices[0] = Choice(
        "ses", 'a "quoted"\treason\n\\ € 茶', "lumpy", scores={"ses": Score(1.23456, 0.5, 0.25, -0.125, float("nan"))}
    )

    save_forecasts(run, book, result, {})

    saved = Forecast.objects.get(run=run)
    assert (saved.sku_id, saved.warehouse_id) == book.pairs()[0]
    assert (saved.method, saved.reason, saved.fallback) == ("ses", 'a "quoted"\treason\n\\ € 茶', "")
    assert saved.mean == [n / 8 for n in range(63)]
    assert [level[3] for level in saved.quantiles] == [0.0, 1.5, 2.25, 2.25, 9.0]
    assert (len(saved.quantiles), len(saved.quantiles[0])) == (5, 63)
    assert (saved.protection_days, saved.protection_mean, saved.protection_quantiles) == (21, 52.5, [52.5] * 5)
    assert (saved.wape, saved.bias) == (0.25, -0.125)
    assert saved.value_at_stake == 105.0
    assert saved.value_class == book.value_classes[0]
    assert saved.scores["candidates"]["ses"] == {
        "pinball": 1.235,
        "rmsse": 0.5,
        "wape": 0.25,
        "bias": -0.125,
        "coverage": None,
    }


@pytest.mark.django_db
def test_an_update_keeps_what_was_said_of_a_pair_and_its_variability_where_the_method_changes(world: World) -> None:
    sellers(world, 1)
    learnt, update = opened_run(), opened_run(as_of=YESTERDAY + timedelta(days=1))
    book = load().book
    result = answer(type("Panel", (), {"ids": (), "values": np.ones((len(book), 1))}), book=book)
    save_forecasts(learnt, book, result, {}, ["X"] * (len(book) - 1) + ["Z"])
    result.choices[-1] = Choice("stand_in", "carried on", "lumpy")

    save_forecasts(update, book, result, words_of(learnt.pk, book))

    said = Forecast.objects.filter(run=update).order_by("sku", "warehouse").values_list("reason", "variability_class")
    assert list(said) == [("for the test", "X")] * (len(book) - 1) + [("carried on", "Z")]


def test_a_packed_history_is_exact_whatever_the_quantities() -> None:
    draw = np.random.default_rng(3)
    values = np.where(draw.random((20, 90)) < 0.3, draw.integers(1, 10**9, (20, 90)) / 1000, 0.0)
    starts = draw.integers(0, 91, 20)
    values[np.arange(90) < starts[:, None]] = np.nan
    values[4, 70:] = np.nan
    stock = draw.choice([0.0, 1.0, 0.5, np.nan], (20, 90))

    again = History.unpack(History(values, starts, stock).pack())

    assert again.in_stock is not None
    np.testing.assert_array_equal(again.values, values)
    np.testing.assert_array_equal(again.starts, starts)
    np.testing.assert_array_equal(again.in_stock, stock)


@pytest.mark.django_db
def test_a_history_read_from_the_table_survives_its_packing(world: World) -> None:
    sku, *_others = sellers(world, 2)
    sold(world, sku, {YESTERDAY - timedelta(days=300): 7})
    book = load().book

    read = load_history(book, until=YESTERDAY, days=400)
    again = History.unpack(read.pack())

    np.testing.assert_array_equal(again.values, read.values)
    np.testing.assert_array_equal(again.in_stock, read.in_stock)
    assert PairBook.unpack(book.pack()).pairs() == book.pairs()


def test_what_was_learnt_is_read_back_and_nothing_else_is() -> None:
    import os

    score = Score(1.0, 2.0, 3.0, 4.0, 5.0)
    table: dict[str, Any] = {"scores": (score,), "array": np.arange(6.0).reshape(2, 3)}

    again = learning.unpack(learning.pack(table))

    assert again["scores"] == (score,)
    np.testing.assert_array_equal(again["array"], table["array"])
    with pytest.raises(Exception, match="has no place in what a run learnt"):
        learning.unpack(learning.pack(os.system))
