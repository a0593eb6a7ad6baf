"""One fill rate for all items of a policy: the cheap are served more, the dear less, and all together as asked."""

from typing import Any

import pytest

from catalog.models import Sku
from procurement.models import Policy, Proposal, SupplierItem
from procurement.services.planned_inputs import planned_inputs
from procurement.services.policies import clean_changes
from procurement.services.proposals import propose_reorders
from procurement.services.snapshots import recompute_proposal
from tests.cast import NOW, World
from tests.forecasting.looking_ahead import expect, make_run

pytestmark = pytest.mark.django_db
COSTS = {"CHEAP": ("1", "4", 10.0), "MIDDLE": ("8", "12", 4.0), "DEAR": ("20", "21", 2.0)}


@pytest.fixture
def run(world: World) -> Any:
    """A cheap item that sells fast, a dear one that sells slowly, and one between, all of one supplier."""
    run = make_run()
    like = SupplierItem.objects.get(sku=world.mug, is_preferred=True)
    for code, (cost, price, daily) in COSTS.items():
        sku = Sku.objects.create(product=world.mug.product, code=code, name=code, unit_cost=cost, unit_price=price)
        SupplierItem.objects.create(
            supplier=like.supplier, sku=sku, unit_cost=cost, is_preferred=True, minimum_order_quantity=1, pack_size=1
        )
        mean = daily * 21
        expect(
            run, sku, world.main, daily, protection_days=21, protection_mean=mean,
            protection_sd=mean * 0.5, protection_quantiles=[mean, mean * 1.8],
        )  # fmt: skip
    return run


def planned(run: Any) -> dict[str, Proposal]:
    propose_reorders(run, now=NOW)
    return {p.sku.code: p for p in Proposal.objects.filter(status="open", sku__code__in=COSTS).select_related("sku")}


def policy(**changes: Any) -> Policy:
    return Policy.objects.create(name="all", target="fill_rate", fill_rate="0.95", model="order_up_to", **changes)


def term(proposal: Proposal, code: str) -> float:
    return next(term["value"] for term in proposal.explanation if term["code"] == code)


def test_the_cheap_get_more_and_the_dear_less_than_item_by_item(run: Any) -> None:
    own = policy()
    alone = {code: proposal.reorder_point for code, proposal in planned(run).items()}
    Policy.objects.filter(pk=own.pk).update(shares_target=True)

    together = planned(run)

    assert together["CHEAP"].reorder_point > alone["CHEAP"]
    assert together["DEAR"].reorder_point < alone["DEAR"]


def test_all_together_are_served_as_asked(run: Any) -> None:
    policy(shares_target=True)

    found = planned(run)

    served = sum(term(p, "shared_weight") * term(p, "expected_fill_rate") for p in found.values())
    assert sum(term(p, "shared_weight") for p in found.values()) == pytest.approx(1.0)
    assert {term(p, "shared_fill_rate") for p in found.values()} == {0.95}
    assert served == pytest.approx(0.95, abs=0.005)


def test_planning_twice_changes_nothing(run: Any) -> None:
    policy(shares_target=True)
    planned(run)

    again = propose_reorders(run, now=NOW)

    assert (again.new, again.withdrawn, again.refreshed) == (0, 0, 0)


def test_the_stored_inputs_bring_the_stored_numbers_again(run: Any) -> None:
    policy(shares_target=True)

    again = [recompute_proposal(proposal) for proposal in planned(run).values()]

    assert [(one.is_same, one.how) for one in again] == [(True, "inputs")] * 3


def test_without_sharing_nothing_is_told_of_it(run: Any) -> None:
    policy()

    found = planned(run)

    assert {p.snapshot["input"]["target_kind"] for p in found.values()} == {"fill_rate"}
    assert not any(t["code"].startswith("shared_") for p in found.values() for t in p.explanation)


def test_another_aim_than_a_fill_rate_is_not_shared(run: Any) -> None:
    Policy.objects.create(name="all", shares_target=True)

    assert {p.snapshot["input"]["shared_fill_rate"] for p in planned(run).values()} == {None}


def test_a_scenario_begins_with_what_the_plan_used(run: Any) -> None:
    policy(shares_target=True)
    used = {p.sku.code: p.snapshot["input"]["service_level"] for p in planned(run).values()}

    inputs = next(planned_inputs(run, today=NOW.date()))[1].values()

    assert {i.sku_key: i.service_level for i in inputs if i.sku_key in COSTS} == used


@pytest.mark.parametrize(
    ("told", "kept"), [("True", {"shares_target": True}), ("False", {}), (True, {"shares_target": True})]
)
def test_sharing_can_be_tried_by_a_challenger(world: World, told: Any, kept: dict[str, Any]) -> None:
    assert clean_changes(policy(), {"shares_target": told}) == kept
