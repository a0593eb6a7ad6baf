"""Two planners at the same forecast: both overrides stand, the newest rules; of two who withdraw one is told."""

from datetime import date
from functools import partial

import pytest

from config.kernel.errors import Conflict
from forecasting.models import ForecastDrift, ForecastOverride
from forecasting.selectors.adjusted import adjusted_forecast
from forecasting.services.drift import check_drift
from forecasting.services.overrides import set_override, withdraw_override
from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from tests.forecasting.looking_ahead import entry, expect, make_run
from tests.forecasting.test_drift import weeks_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_planners_override_at_once_and_the_newest_rules(world: World) -> None:
    forecast = expect(make_run(), world.mug, world.main, 10)
    calls = [
        partial(set_override, entry(value=value), author=author, now=NOW)
        for value, author in (("2", world.planner), ("3", world.viewer))
    ]

    made = run_concurrently(calls)

    assert failures(made) == []
    assert ForecastOverride.objects.count() == 2
    newest = ForecastOverride.objects.order_by("created_at", "pk").last()
    assert newest is not None
    assert adjusted_forecast(forecast, on=date(2026, 3, 2)).mean[0] == 10 * float(newest.value)


def test_of_four_who_withdraw_one_wins(world: World) -> None:
    override = set_override(entry(), author=world.planner, now=NOW)

    results = run_concurrently([partial(withdraw_override, override.pk, actor=world.planner, now=NOW)] * 4)

    assert [type(error) for error in failures(results)] == [Conflict] * 3


def test_two_checks_at_once_open_a_drift_once_and_queue_one_refit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasting.services.drift.send_to_worker", lambda job: None)
    weeks_of(world, world.mug, [20] * 8)

    results = run_concurrently([partial(check_drift, now=NOW)] * 2)

    assert failures(results) == []
    assert sorted((counts.opened, counts.refits) for counts in results) == [(0, 0), (1, 1)]
    assert ForecastDrift.objects.count() == 1
