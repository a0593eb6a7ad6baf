"""Signals as the forecasts read them, and the verdict of the backtest that is kept with the run."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from forecasting.models import DemandHistory, DemandSignal, ForecastRules
from forecasting.selectors.signals import latest_verdict, signal_covariates, useful_signals
from forecasting.services.signal_value import weigh_signals_of_latest_run
from tests.cast import NOW, make_sku
from tests.monitoring.forecasts import make_run

TODAY = NOW.date()
pytestmark = pytest.mark.django_db


def signal(world: Any, sku: Any, ago: int, *, channel: Any = None, **counts: int) -> None:
    DemandSignal.objects.create(sku=sku, channel=channel or world.web, day=TODAY - timedelta(days=ago), **counts)


def test_signals_of_all_channels_are_added_up_and_unknown_before_the_first(world: Any) -> None:
    signal(world, world.mug, 3, page_views=5)
    signal(world, world.mug, 1, page_views=7, cart_adds=1)
    signal(world, world.mug, 1, page_views=1, channel=world.market)
    pairs = [(world.mug.pk, world.main.pk), (world.lamp.pk, world.main.pk), (world.mug.pk, world.north.pk)]

    found = signal_covariates(pairs, first=TODAY - timedelta(days=4), until=TODAY)

    assert set(found) == {"page_views", "cart_adds"}
    np.testing.assert_array_equal(found["page_views"][0], [np.nan, 5, 0, 8, 0])
    np.testing.assert_array_equal(found["page_views"][2], found["page_views"][0])
    assert np.isnan(found["page_views"][1]).all()


def fill(world: Any) -> None:
    """30 SKUs whose level jumps by the fortnight; views foretell the next one."""
    chance, days = np.random.default_rng(5), 200
    demand, signals = [], []
    for number in range(30):
        sku = make_sku(f"V{number}")
        level = np.repeat(chance.normal(0, 0.6, days // 14 + 3), 14)
        for ago in range(days):
            day, at = TODAY - timedelta(days=ago + 1), days - ago
            units = int(chance.poisson(4 * np.exp(level[at])))
            if units:
                demand.append(
                    DemandHistory(
                        sku=sku, warehouse=world.main, channel=world.web, day=day, quantity=units, ordered=units
                    )
                )
            views = int(chance.poisson(80 * np.exp(level[at + 14])))
            signals.append(DemandSignal(sku=sku, channel=world.web, day=day, page_views=views))
    DemandHistory.objects.bulk_create(demand)
    DemandSignal.objects.bulk_create(signals)


def test_signals_that_foretell_demand_are_used_from_then_on(world: Any) -> None:
    run = make_run()
    run.summary = {"methods": {"naive": 3}}
    run.save()
    fill(world)
    pairs = [(DemandSignal.objects.first().sku_id, world.main.pk)]  # type: ignore[union-attr]
    before = useful_signals(pairs, first=TODAY - timedelta(days=9), until=TODAY)

    verdict = weigh_signals_of_latest_run(now=NOW)

    assert verdict is not None
    assert (verdict["helps"], verdict["series"]) == (True, 30)
    run.refresh_from_db()
    assert (run.summary["methods"], run.summary["signals"]["helps"]) == ({"naive": 3}, True)
    assert latest_verdict()["run"] == run.pk
    assert before == {}
    assert set(useful_signals(pairs, first=TODAY - timedelta(days=9), until=TODAY)) == {"page_views"}
    ForecastRules.objects.update_or_create(pk=1, defaults={"uses_signals": False})
    assert useful_signals(pairs, first=TODAY, until=TODAY) == {}


def test_a_run_is_weighed_once_and_without_signals_the_verdict_says_so(world: Any) -> None:
    assert weigh_signals_of_latest_run(now=NOW) is None
    make_run()

    first = weigh_signals_of_latest_run(now=NOW)
    again = weigh_signals_of_latest_run(now=NOW + timedelta(days=1))

    assert first is not None
    assert (first["helps"], first["reason"], again) == (False, "too_little_history", first)
