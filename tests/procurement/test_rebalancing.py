"""Stock that would do more good elsewhere is proposed, moved once, or left where it is."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel.errors import Conflict
from forecasting.models import ForecastRun
from procurement.admin.terms import NAMES, UNITS
from procurement.engine.explanation import from_records, replay
from procurement.models import Proposal, TransferProposal
from procurement.selectors_optimising import open_transfer_quantities
from procurement.services.decisions import Decision, accept_proposals
from procurement.services.moving_costs import MovingCosts
from procurement.services.rebalancing import accept_transfer_proposals, dismiss_transfer_proposals, propose_transfers
from tests.cast import NOW, put_stock
from tests.procurement.planning_world import sell_daily
from tests.procurement.test_planning import TEN_A_DAY, YESTERDAY, plan
from warehouses.models import ShippingRate, Transfer
from warehouses.services.transfers import cancel_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(world: Any) -> TransferProposal:
    """MAIN has 900 mugs and sells two a day; NORTH has 40 and sells ten."""
    put_stock(world.mug, world.shelf, 800)
    sell_daily(world.mug, world.web, world.main, quantities=[2] * 120, until=YESTERDAY)
    sell_daily(world.mug, world.market, world.north, quantities=TEN_A_DAY, until=YESTERDAY)
    plan()
    return TransferProposal.objects.get(sku=world.mug, status="open")


def test_a_surplus_is_proposed_for_the_warehouse_that_runs_short(world: Any, proposal: TransferProposal) -> None:
    assert (proposal.source, proposal.target) == (world.main, world.north)
    assert proposal.shortage_avoided > 100
    assert proposal.saving > 0
    assert open_transfer_quantities() == {
        (world.mug.pk, world.main.pk): -proposal.quantity,
        (world.mug.pk, world.north.pk): proposal.quantity,
    }


def test_the_explanation_replays_and_adds_up_to_the_saving(proposal: TransferProposal) -> None:
    terms = from_records(proposal.explanation)
    values = {term.code: term.value for term in terms}

    assert replay(terms) == terms
    assert values["saving"] == pytest.approx(float(proposal.saving), abs=1e-4)
    assert values["source_gain"] + values["target_gain"] - values["moving_cost"] == values["saving"]


def test_planning_again_changes_nothing(proposal: TransferProposal) -> None:
    counts = propose_transfers(ForecastRun.objects.latest("pk"), now=NOW)

    assert (counts.new, counts.withdrawn, counts.kept) == (0, 0, 1)
    assert TransferProposal.objects.get().pk == proposal.pk


def test_an_accepted_proposal_becomes_one_transfer_with_its_stock_held(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)

    proposal.refresh_from_db()
    assert (proposal.status, proposal.transfer_id) == ("accepted", transfer.pk)
    assert Transfer.objects.get().status == "reserved"
    assert transfer.lines.get().reserved_quantity == proposal.quantity
    with pytest.raises(Conflict):
        accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)


def test_another_quantity_may_be_accepted(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals(
        [proposal.pk], actor=world.planner, now=NOW, quantities={proposal.pk: Decimal(5)}
    )

    assert transfer.lines.get().quantity == 5


def test_what_is_dismissed_keeps_quiet(world: Any, proposal: TransferProposal) -> None:
    assert dismiss_transfer_proposals([proposal.pk], actor=world.planner, now=NOW, note="later") == 1

    counts = propose_transfers(ForecastRun.objects.latest("pk"), now=NOW)

    assert counts.new == 0
    assert not TransferProposal.objects.filter(status="open").exists()


def bought(world: Any) -> Decimal:
    """Units the plan would buy of the mug for NORTH."""
    rows = Proposal.objects.filter(sku=world.mug, warehouse=world.north, status=Proposal.Status.OPEN)
    return sum((row.quantity for row in rows), Decimal(0))


def test_what_a_transfer_brings_is_not_bought_as_well(world: Any, proposal: TransferProposal) -> None:
    with_transfer = bought(world)

    dismiss_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)
    plan()

    assert bought(world) >= with_transfer + proposal.quantity * Decimal("0.9")


def test_an_accepted_transfer_is_neither_proposed_nor_bought_again(world: Any, proposal: TransferProposal) -> None:
    before = bought(world)
    accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)

    plan()

    assert bought(world) == before
    assert not TransferProposal.objects.filter(status="open").exists()
    assert open_transfer_quantities() == {(world.mug.pk, world.north.pk): proposal.quantity}


def test_a_transfer_called_off_is_needed_again(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)
    cancel_transfer(transfer.pk, now=NOW, actor=world.planner)

    plan()

    assert TransferProposal.objects.get(status="open").quantity == proposal.quantity


def test_planning_again_with_a_transfer_on_its_way_finds_nothing_new(world: Any, proposal: TransferProposal) -> None:
    accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)
    plan()

    assert plan().nothing_new


def test_a_transfer_not_held_yet_is_taken_off_its_source(world: Any, proposal: TransferProposal) -> None:
    (transfer,) = accept_transfer_proposals([proposal.pk], actor=world.planner, now=NOW)
    transfer.lines.update(reserved_quantity=0)
    Transfer.objects.update(status=Transfer.Status.DRAFT)

    assert open_transfer_quantities() == {
        (world.mug.pk, world.main.pk): -proposal.quantity,
        (world.mug.pk, world.north.pk): proposal.quantity,
    }


def test_moving_costs_what_the_rates_of_the_sending_warehouse_say(world: Any) -> None:
    world.mug.weight_kg = Decimal(2)
    for up_to, base in ((5, 4), (20, 5)):
        ShippingRate.objects.create(warehouse=world.main, up_to_kg=up_to, base_cost=base, cost_per_kg=Decimal("0.5"))

    cost = MovingCosts().between(world.main.pk, world.north.pk, world.mug, 8.0)

    assert (cost.fixed, cost.unit) == (5.0, 1.5)


def test_a_rate_for_the_country_counts_before_one_for_anywhere_and_kilometres_are_counted(world: Any) -> None:
    world.mug.weight_kg = Decimal(1)
    for place, latitude, longitude in ((world.main, "36.12", "-86.67"), (world.north, "33.94", "-118.40")):
        place.country, place.latitude, place.longitude = "US", Decimal(latitude), Decimal(longitude)
        place.save()
    ShippingRate.objects.create(warehouse=world.main, base_cost=99)
    ShippingRate.objects.create(warehouse=world.main, country="US", base_cost=10, cost_per_km=Decimal("0.01"))

    cost = MovingCosts().between(world.main.pk, world.north.pk, world.mug, 8.0)

    assert cost.fixed == pytest.approx(10 + 28.864, abs=0.001)
    assert cost.unit == 0.0


def test_without_a_rate_or_a_weight_moving_costs_the_stated_default(world: Any) -> None:
    ShippingRate.objects.create(warehouse=world.main, base_cost=99)
    world.mug.weight_kg = None

    assert MovingCosts().between(world.main.pk, world.north.pk, world.mug, 8.0).unit == pytest.approx(0.16)
    world.mug.weight_kg = Decimal(1)
    assert MovingCosts().between(world.north.pk, world.main.pk, world.mug, 8.0).fixed == 10.0


def test_a_purchase_accepted_beside_it_leaves_the_transfer_standing(world: Any) -> None:
    sell_daily(world.mug, world.web, world.main, quantities=TEN_A_DAY, until=YESTERDAY)
    plan()
    moving = TransferProposal.objects.get(status="open")
    bought = Proposal.objects.get(sku=world.mug, status="open")
    accept_proposals([Decision(bought.pk)], actor=world.planner, now=NOW)

    plan()

    assert TransferProposal.objects.get(status="open").pk == moving.pk
    assert not Proposal.objects.filter(status="open", sku=world.mug).exists()


def test_the_page_shows_both_stocks_and_the_explanation_in_words(
    client: Any, world: Any, proposal: TransferProposal
) -> None:
    client.force_login(world.planner)

    page = client.get(f"/admin/procurement/transferproposal/{proposal.pk}/change/").content.decode()

    assert "Projected stock in MAIN" in page
    assert "Projected stock in NORTH" in page
    assert "Saved, after the cost of moving" in page
    assert f'name="quantity-{proposal.pk}"' in page


def test_selected_proposals_are_accepted_with_the_quantities_typed(
    client: Any, world: Any, proposal: TransferProposal
) -> None:
    client.force_login(world.planner)
    told = {"action": "accept_selected", "_selected_action": [proposal.pk], f"quantity-{proposal.pk}": "7"}

    page = client.post("/admin/procurement/transferproposal/", told, follow=True)

    proposal.refresh_from_db()
    assert page.status_code == 200
    assert (proposal.status, proposal.accepted_quantity) == ("accepted", 7)
    assert Transfer.objects.get(pk=proposal.transfer_id).number in page.content.decode()


def test_the_page_dismisses_with_a_note(client: Any, world: Any, proposal: TransferProposal) -> None:
    client.force_login(world.planner)

    client.post(f"/admin/procurement/transferproposal/{proposal.pk}/do/dismiss/", {"note": "next month"})

    proposal.refresh_from_db()
    assert (proposal.status, proposal.decision_note) == ("dismissed", "next month")


def test_a_viewer_cannot_decide(client: Any, world: Any, proposal: TransferProposal) -> None:
    client.force_login(world.viewer)

    answer = client.post(f"/admin/procurement/transferproposal/{proposal.pk}/do/accept/")

    assert answer.status_code == 403
    assert not Transfer.objects.exists()


def test_every_term_of_the_explanation_has_a_name(proposal: TransferProposal) -> None:
    codes, units = ({term[key] for term in proposal.explanation} for key in ("code", "unit"))

    assert codes - set(NAMES) == set()
    assert units - set(UNITS) == set()


def test_the_api_accepts_with_another_quantity(api: Any, world: Any, proposal: TransferProposal) -> None:
    planner = api(world.planner)

    listed = planner.get("/api/v1/transfer-proposals/?status=open&source=MAIN").json()["results"]
    answer = planner.post(
        f"/api/v1/transfer-proposals/{proposal.pk}/accept/", {"quantity": "5"}, format="json",
        headers={"Idempotency-Key": "move-1"},
    )  # fmt: skip

    assert [row["id"] for row in listed] == [proposal.pk]
    assert "explanation" not in listed[0]
    assert (answer.status_code, answer.json()["accepted_quantity"]) == (200, "5")
    assert Transfer.objects.get().lines.get().quantity == 5


def test_the_api_dismisses(api: Any, world: Any, proposal: TransferProposal) -> None:
    answer = api(world.planner).post(
        f"/api/v1/transfer-proposals/{proposal.pk}/dismiss/", {"note": "no"}, format="json",
        headers={"Idempotency-Key": "stay-1"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
