"""A plan whose order is settled as a whole: what it proposes, twice, looking back, and calculated again."""

from datetime import timedelta

import pytest
from django.urls import reverse

from forecasting.models import ForecastRun
from procurement.models import JointOrder, Proposal
from procurement.services.proposals import propose_reorders
from procurement.services.snapshots import recompute_proposal
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import expect, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(world: World) -> ForecastRun:
    """Mugs run out, lamps are plenty, and Northwind takes no order below 900."""
    world.northwind.minimum_order_value = 900
    world.northwind.save()
    made = make_run()
    for sku, daily, spread in ((world.mug, 10.3, 85.0), (world.lamp, 0.5, 4.0)):
        mean = 21 * daily
        expect(
            made,
            sku,
            world.main,
            daily,
            protection_days=21,
            protection_mean=mean,
            protection_quantiles=[mean, mean + spread],
        )
    return made


def open_now() -> dict[str, Proposal]:
    return {row.sku.code: row for row in Proposal.objects.filter(status="open").select_related("sku", "joint_order")}


def test_every_line_of_the_order_is_proposed_with_its_joint_order_and_recalculates(
    world: World, run: ForecastRun
) -> None:
    propose_reorders(run, now=NOW)

    row, proposals = JointOrder.objects.get(), open_now()
    wanted = {line["sku"]: line["after"] for line in row.lines if line["after"] > 0}
    assert {code: float(one.quantity) for code, one in proposals.items()} == wanted
    assert {one.joint_order for one in proposals.values()} == {row}
    assert sum(one.quantity * one.unit_cost for one in proposals.values()) >= 900
    for one in proposals.values():
        again = recompute_proposal(one)
        assert (again.is_same, again.how) == (True, "inputs")
        assert one.explanation[-1]["value"] == float(one.quantity)


def test_a_minimum_out_of_reach_leaves_what_is_short_on_the_board(world: World, run: ForecastRun) -> None:
    world.northwind.minimum_order_value = 1_000_000
    world.northwind.save()

    propose_reorders(run, now=NOW)

    row = JointOrder.objects.get()
    assert (row.status, [need["name"] for need in row.relaxations]) == ("infeasible", ["minimum_value"])
    assert open_now()["MUG"].quantity > 0


def test_planning_twice_changes_nothing_and_keeps_the_links(world: World, run: ForecastRun) -> None:
    propose_reorders(run, now=NOW)
    before = {code: (one.pk, one.quantity) for code, one in open_now().items()}

    counts = propose_reorders(run, now=NOW + timedelta(minutes=1))

    assert counts.changed == 0
    assert {code: (one.pk, one.quantity) for code, one in open_now().items()} == before
    assert {one.joint_order for one in open_now().values()} == {JointOrder.objects.get()}


def test_a_proposal_that_a_planner_arranged_is_linked_to_the_order_settled_anew(world: World, run: ForecastRun) -> None:
    propose_reorders(run, now=NOW)
    Proposal.objects.filter(sku=world.mug).update(decided_at=NOW, stockout_on=None)

    propose_reorders(run, now=NOW + timedelta(minutes=1))

    assert open_now()["MUG"].joint_order == JointOrder.objects.get()


def test_a_look_back_settles_nothing(world: World, run: ForecastRun) -> None:
    propose_reorders(run, now=NOW, is_look_back=True)

    assert not JointOrder.objects.exists()
    assert not Proposal.objects.exists()


def test_a_joint_order_is_read_in_its_page_and_over_the_api(
    admin_client: object, world: World, run: ForecastRun
) -> None:
    propose_reorders(run, now=NOW)
    row = JointOrder.objects.get()

    listed = admin_client.get(reverse("admin:procurement_jointorder_changelist"))
    page = admin_client.get(reverse("admin:procurement_jointorder_change", args=[row.pk])).content.decode()
    proposal = admin_client.get(reverse("admin:procurement_proposal_change", args=[open_now()["MUG"].pk]))

    assert listed.status_code == 200
    assert "Minimum order value" in page
    assert reverse("admin:procurement_proposal_change", args=[open_now()["MUG"].pk]) in page
    assert reverse("admin:procurement_jointorder_change", args=[row.pk]) in proposal.content.decode()
