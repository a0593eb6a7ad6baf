"""Overrides: set with author, reason and expiry, refused line by line, withdrawn but never gone."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from forecasting.models import ForecastOverride
from forecasting.selectors.overrides import override_effects
from forecasting.services.overrides import set_override, set_overrides, withdraw_override
from tests.cast import NOW, World, make_sku
from tests.forecasting.looking_ahead import entry, expect, make_run

pytestmark = pytest.mark.django_db


def test_an_override_keeps_its_author_and_reason_and_expires_after_its_end(world: World) -> None:
    override = set_override(entry(reason=" Two for one "), author=world.planner, now=NOW)

    override.refresh_from_db()
    assert (override.sku, override.author, override.reason) == (world.mug, world.planner, "Two for one")
    assert (override.starts_on, override.ends_on) == (date(2026, 3, 2), date(2026, 3, 8))
    assert override.expires_on == date(2026, 3, 9)
    assert (override.withdrawn_at, override.withdrawn_by) == (None, None)


def test_every_fault_of_every_line_is_named(world: World) -> None:
    lines = [
        entry("MUG", category_code="HOME"),
        entry("NOPE", warehouse_code="NOWHERE", channel_code="NOBODY"),
        entry(value="-1", first=5, last=4, reason="  "),
        entry(kind="times", expires_on=NOW.date()),
        entry(first=1, last=1),
    ]

    with pytest.raises(ValidationFailed) as refused:
        set_overrides(lines, author=world.planner, now=NOW)

    assert [(item["line"], item["field"]) for item in refused.value.items] == [
        (1, "sku_code"),
        (2, "sku_code"),
        (2, "warehouse_code"),
        (2, "channel_code"),
        (3, "value"),
        (3, "ends_on"),
        (3, "reason"),
        (4, "kind"),
        (4, "expires_on"),
        (5, "ends_on"),
    ]
    assert ForecastOverride.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [("factor", "10.01", 700.7), ("change", "91", 707.0), ("set", "701", 701.0)],
)
def test_more_than_ten_times_the_forecast_must_be_confirmed(world: World, kind: str, value: str, wanted: float) -> None:
    expect(make_run(), world.mug, world.main, 10)
    line = entry(value=value, kind=kind)

    with pytest.raises(Conflict) as refused:
        set_override(line, author=world.planner, now=NOW)

    assert refused.value.code == "confirmation_needed"
    (item,) = refused.value.items
    assert (item["line"], item["expected"], item["wanted"]) == (1, 70.0, pytest.approx(wanted))
    assert set_override(line, author=world.planner, now=NOW, is_confirmed=True).value == Decimal(value)


def test_ten_times_the_forecast_and_a_few_units_of_what_never_sold_are_believed(world: World) -> None:
    run = make_run()
    expect(run, world.mug, world.main, 10)
    expect(run, world.tea, world.main, 0)

    made = set_overrides([entry(value="10"), entry("TEA", value="10", kind="set")], author=world.planner, now=NOW)

    assert len(made) == 2


def test_a_withdrawn_override_stays_and_is_withdrawn_once(world: World) -> None:
    expect(run := make_run(), world.mug, world.main, 10)
    override = set_override(entry(), author=world.planner, now=NOW)
    assert override_effects(run, on=NOW.date()) != {}

    withdraw_override(override.pk, actor=world.viewer, now=NOW)

    override.refresh_from_db()
    assert (override.withdrawn_at, override.withdrawn_by) == (NOW, world.viewer)
    assert override_effects(run, on=NOW.date()) == {}
    with pytest.raises(Conflict):
        withdraw_override(override.pk, actor=world.viewer, now=NOW)
    with pytest.raises(NotFound):
        withdraw_override(override.pk + 1, actor=world.viewer, now=NOW)


def test_many_overrides_cost_as_many_queries_as_a_few(world: World) -> None:
    run = make_run()
    skus = [make_sku(f"S{n}") for n in range(12)]
    for sku in skus:
        expect(run, sku, world.main, 10)

    def cost(work: Any) -> int:
        with CaptureQueriesContext(connection) as seen:
            work()
        return len(seen)

    lines = [entry(sku.code, channel_code="WEB", warehouse_code="MAIN") for sku in skus]
    save = partial(set_overrides, author=world.planner, now=NOW)
    few, many = cost(lambda: save(lines[:3])), cost(lambda: save(lines))
    effects = partial(override_effects, run, on=NOW.date())

    assert few == many
    assert many <= 11  # the savepoint's two included
    assert len(effects()) == 12
    assert cost(effects) <= 5


def test_an_override_of_a_category_reaches_the_skus_below_it_that_the_run_forecast(world: World) -> None:
    from catalog.models import Category

    parent = Category.objects.create(code="ALL", name="All")
    Category.objects.filter(code="HOME").update(parent=parent)
    run = make_run()
    expect(run, world.mug, world.main, 10)
    expect(run, world.lamp, world.north, 10)

    set_override(entry("", category_code="ALL"), author=world.planner, now=NOW)

    effects = override_effects(run, on=NOW.date())
    assert set(effects) == {(world.mug.pk, world.main.pk), (world.lamp.pk, world.north.pk)}
    assert set(override_effects(run, on=NOW.date(), sku_ids=[world.lamp.pk])) == {(world.lamp.pk, world.north.pk)}


def test_from_the_day_it_expires_no_plan_uses_it(world: World) -> None:
    expect(run := make_run(), world.mug, world.main, 10)
    set_override(entry(last=20, expires_on=date(2026, 3, 5)), author=world.planner, now=NOW)

    assert override_effects(run, on=date(2026, 3, 4)) != {}
    assert override_effects(run, on=date(2026, 3, 5)) == {}


def test_what_was_known_at_a_moment_is_told_apart_from_what_is_known_now(world: World) -> None:
    expect(run := make_run(), world.mug, world.main, 10)
    override = set_override(entry(), author=world.planner, now=NOW)
    ForecastOverride.objects.filter(pk=override.pk).update(created_at=NOW)
    withdraw_override(override.pk, actor=world.planner, now=NOW + timedelta(hours=2))

    def known(hours: int) -> bool:
        return bool(override_effects(run, on=NOW.date(), at=NOW + timedelta(hours=hours)))

    assert [known(-1), known(1), known(3)] == [False, True, False]
