"""The pages and the API of experiments: written down, previewed, started, watched, stopped, adopted."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Sku
from config.kernel.charts import Seen, effect_chart
from forecasting.services.history import refresh_demand
from procurement.admin.effects import effect_in_words
from procurement.admin.experiment_words import look_in_words
from procurement.models import Experiment, ExperimentLook, Policy, PolicyChange, ServiceCorrection
from procurement.services.experiments import create_experiment, preview_experiment, start_experiment
from tests.cast import NOW, make_item, make_sku, put_stock
from tests.procurement.planning_world import sell_daily

pytestmark = pytest.mark.django_db
LAST = NOW.date() - timedelta(days=1)
BODY = {"name": "Less safety", "changes": {"service_level": "0.9"}, "metric": "stock_value", "seed": 1}
LOOK = {
    "champion_items": 6, "challenger_items": 6, "champion_mean": 9.0, "challenger_mean": 8.0, "p_value": 0.01,
    "variance_reduction": 0.5, "fill_effect": -0.001, "fill_low": -0.01, "fill_high": 0.008,
}  # fmt: skip


@pytest.fixture
def skus(world: Any) -> list[Sku]:
    made = []
    for number in range(12):
        sku = make_sku(f"X{number:02d}", unit_price="9.00", unit_cost="4.00")
        make_item(world.northwind, sku)
        put_stock(sku, world.shelf, 100 + 20 * number)
        sell_daily(sku, world.web, world.main, quantities=[1 + number % 3] * 60, until=LAST)
        made.append(sku)
    refresh_demand()
    return made


def draft(world: Any, **more: Any) -> Experiment:
    fields = {**BODY, **more}
    return create_experiment(actor=world.planner, now=NOW, **fields)


def enter(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="config.kernel.policy.RoleBackend")
    return client


def page(experiment: Experiment) -> str:
    return reverse("admin:procurement_experiment_change", args=[experiment.pk])


def looked(experiment: Experiment, day: int = 20, **more: float) -> ExperimentLook:
    figures = {"effect": -1.2, "low": -2.0, "high": -0.4, **LOOK, **more}
    return ExperimentLook.objects.create(experiment=experiment, day=NOW.date() + timedelta(days=day), **figures)


def test_a_look_is_told_in_plain_words() -> None:
    cost = Experiment(metric="cost")
    sure = ExperimentLook(effect=-1.2, low=-2.0, high=-0.4)
    unsure = ExperimentLook(effect=0.005, low=-0.01, high=0.02)

    assert look_in_words(cost, sure) == (
        "The challenger costs 1.20 GBP a day and SKU less than the champion. "
        "Between 0.40 GBP and 2.00 GBP, however often one looks: sure enough to stop."
    )
    assert look_in_words(Experiment(metric="fill_rate"), unsure) == (
        "The challenger's fill rate is 0.50 points higher than the champion's. "
        "It may be anything from -1.00 points to +2.00 points: not sure yet."
    )


def test_the_form_writes_a_draft_down_and_says_what_is_wrong(world: Any) -> None:
    client, form = enter(world.planner), reverse("admin:procurement_experiment_new")
    shown = client.get(form).context
    posted = {
        field.html_name: "" if field.value() is None else field.value() for field in [*shown["what"], *shown["how"]]
    }

    bare = client.post(form, posted | {"name": "Less safety"}, follow=True)
    answer = client.post(form, posted | {"name": "Less safety", "service_level": "0.9"})
    twice = client.post(form, posted | {"name": "Less safety", "service_level": "0.9"})

    experiment = Experiment.objects.get()
    assert "The challenger must differ" in bare.content.decode()
    assert answer.url == page(experiment)
    assert (experiment.changes, experiment.status) == ({"service_level": "0.9"}, "draft")
    assert "already exists" in twice.content.decode()
    assert enter(world.viewer).get(form).status_code == 403


def test_a_challenger_is_compared_with_the_champion_of_its_scope(world: Any) -> None:
    Policy.objects.create(name="North", warehouse=world.north, service_level="0.9")

    experiment = draft(world, warehouse=world.north, changes={"service_level": "0.95"})

    assert experiment.changes == {"service_level": "0.95"}


def test_a_draft_shows_who_would_take_part_and_how_long_it_needs(world: Any, skus: list[Sku]) -> None:
    experiment = draft(world)

    preview = preview_experiment(experiment)
    text = enter(world.planner).get(page(experiment)).content.decode()

    assert (preview.skus, preview.busy, preview.refused) == (15, 0, "")
    assert sum(sum(counts) for counts in preview.segments.values()) == 15
    assert len(preview.days) == 3
    known = [days for _effect, days in preview.days if days is not None]
    assert known == sorted(known, reverse=True)
    assert "15 SKUs would take part." in text
    assert experiment.items.count() == 0


def test_a_draft_that_cannot_start_says_why(world: Any) -> None:
    refresh_demand()
    sell_daily(world.mug, world.web, world.main, quantities=[1] * 9, until=LAST)
    refresh_demand()

    preview = preview_experiment(draft(world))

    assert "Only 3 SKUs" in preview.refused


def test_the_page_shows_effect_guard_rail_segments_and_log(world: Any, skus: list[Sku]) -> None:
    experiment = start_experiment(draft(world).pk, actor=world.planner, now=NOW)
    looked(experiment, 20, effect=-1.0, low=-3.0, high=1.0)
    looked(experiment, 21)

    answer = enter(world.viewer).get(page(experiment))

    text = answer.content.decode()
    assert text.count('class="h-chart"') == 2
    assert "holds 1.20 GBP a SKU less in stock" in text
    assert "8 of 56" in text  # burnt in on day 14 after the start: day 21 is the eighth
    assert "SKUs try the challenger" in text
    assert "do/stop/" not in text
    assert "do/stop/" in enter(world.planner).get(page(experiment)).content.decode()


def test_a_planner_stops_and_adopts_by_its_buttons(world: Any, skus: list[Sku]) -> None:
    client, experiment = enter(world.planner), draft(world)

    client.post(page(experiment).replace("change/", "do/start/"))
    client.post(page(experiment).replace("change/", "do/stop/"), {"note": "fair"})
    experiment.refresh_from_db()
    assert (experiment.status, experiment.events.get(kind="ended").detail["note"]) == ("stopped", "fair")
    client.post(page(experiment).replace("change/", "do/adopt/"))
    assert not Policy.objects.exists()

    Experiment.objects.update(verdict="challenger")
    assert "do/adopt/" in client.get(page(experiment)).content.decode()
    client.post(page(experiment).replace("change/", "do/adopt/"))

    assert Policy.objects.get().service_level == Decimal("0.9")
    assert "do/adopt/" not in client.get(page(experiment)).content.decode()


def test_the_list_tells_effect_and_day(world: Any, skus: list[Sku]) -> None:
    looked(start_experiment(draft(world).pk, actor=world.planner, now=NOW), 21)

    text = enter(world.viewer).get("/admin/procurement/experiment/").content.decode()

    assert "-1.20 GBP (-2.00 GBP … -0.40 GBP)" in text
    assert "8 of 56" in text


def test_the_skus_are_listed_by_arm_and_taken_away_as_a_file(world: Any, skus: list[Sku]) -> None:
    experiment = start_experiment(draft(world).pk, actor=world.planner, now=NOW)
    client, asked = enter(world.viewer), {"experiment__id__exact": experiment.pk, "arm__exact": "challenger"}

    listed = client.get("/admin/procurement/experimentitem/", asked)
    lines = b"".join(client.get("/admin/procurement/experimentitem/export/", asked)).decode().splitlines()

    count = experiment.items.filter(arm="challenger").count()
    assert listed.context["cl"].result_count == count
    assert len(lines) == count + 1


def test_a_measured_change_is_told_in_words(world: Any) -> None:
    figure = {"real": 10.0, "counterfactual": 12.0, "bias": 0.0}
    effect = {
        "currency": "GBP", "first_day": "2026-01-01", "last_day": "2026-02-01", "before_first_day": "2025-12-01",
        "items": 3, "left_out": 1,
        "figures": {
            "stock_value": {"value": -2000.0, "low": -2500.0, "high": -1500.0, **figure},
            "fill_rate": {"value": 0.001, "low": -0.01, "high": 0.012, **figure},
        },
    }  # fmt: skip
    change = PolicyChange.objects.create(
        policy_name="All",
        before={"service_level": "0.95"},
        after={"service_level": "0.9"},
        changed_at=NOW,
        effect=effect,
    )
    ServiceCorrection.objects.create(
        warehouse=world.main, segment="A lumpy", factor=1.2, asked=0.95, realised=0.9, item_count=12, days=56,
        learned_at=NOW,
    )  # fmt: skip
    client = enter(world.viewer)

    assert effect_in_words(effect) == [
        "Stock value fell by 2,000.00 GBP, between 1,500.00 GBP and 2,500.00 GBP.",
        "The fill rate: no sure change (-1.00 points to +1.20 points).",
    ]
    told = client.get(reverse("admin:procurement_policychange_change", args=[change.pk])).content.decode()
    assert "Stock value fell by 2,000.00 GBP" in told
    assert "× 1.20" in client.get("/admin/procurement/servicecorrection/").content.decode()
    assert "Stock value fell" in client.get("/admin/procurement/policychange/").content.decode()
    assert client.get("/admin/procurement/experimentlook/").status_code == 200


def test_an_experiment_lives_over_the_api(world: Any, api: Any, skus: list[Sku]) -> None:
    client = api(world.planner)

    made = client.post("/api/v1/experiments/", BODY, format="json")
    one = f"/api/v1/experiments/{made.json()['id']}/"
    started = client.post(f"{one}start/", {}, format="json")
    looked(Experiment.objects.get(), 21)
    again = client.post(f"{one}start/", {}, format="json")
    stopped = client.post(f"{one}stop/", {"note": "fair"}, format="json")
    adopted = client.post(f"{one}adopt/", {}, format="json")

    assert (made.status_code, started.status_code, stopped.status_code) == (201, 200, 200)
    assert (again.status_code, adopted.status_code) == (409, 409)
    read = client.get(one).json()
    assert (read["status"], Decimal(read["share"]), read["changes"]) == ("stopped", Decimal("0.5"), BODY["changes"])
    assert [event["kind"] for event in read["events"]] == ["created", "started", "ended"]
    assert [look["effect"] for look in read["looks"]] == [-1.2]


def test_the_api_names_what_is_wrong(world: Any, api: Any) -> None:
    client = api(world.planner)

    for body, name in (
        ({**BODY, "changes": {"colour": "red"}}, "colour"),
        ({**BODY, "changes": {}}, "changes"),
        ({**BODY, "share": "1"}, "share"),
    ):
        answer = client.post("/api/v1/experiments/", body, format="json")
        assert answer.status_code in (400, 422), answer.content
        assert name in answer.content.decode()
    assert api(world.viewer).post("/api/v1/experiments/", BODY, format="json").status_code == 403
    assert not Experiment.objects.exists()


def test_the_chart_keeps_zero_and_the_limit_in_sight_and_lets_wild_looks_run_off() -> None:
    day = NOW.date()
    looks = [Seen(day, -1, -90, 90), *(Seen(day + timedelta(n), -1, -2, -0.5) for n in (1, 2, 3))]

    figure = effect_chart(looks, title="t", limit=-3.0, limit_name="limit")

    assert (figure.lowest, figure.highest) == (-3.0, 1e-9)
    assert "h-safety" in str(figure)
    assert len(figure.rows) == 4
    assert "No figures yet" in str(effect_chart([], title="t").summary)
