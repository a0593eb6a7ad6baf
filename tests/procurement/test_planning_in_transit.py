"""What another warehouse has sent counts in the position of the warehouse it goes to: it is not bought twice."""

from decimal import Decimal
from typing import Any

import pytest

from procurement.models import Proposal
from tests.cast import NOW, make_location
from tests.procurement.planning_world import keep_apart, sell_daily
from tests.procurement.test_planning import TEN_A_DAY, YESTERDAY, plan
from warehouses.models import Location, StockMovement
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db


def test_units_in_transit_lower_the_proposal_by_as_many(world: Any) -> None:
    sell_daily(world.mug, world.web, world.main, quantities=TEN_A_DAY, until=YESTERDAY)
    keep_apart(world.mug, world.north)
    plan()
    before = Proposal.objects.get(sku=world.mug, warehouse=world.main, status="open")
    under_way = make_location(world.main, "TRANSIT", Location.Kind.IN_TRANSIT)
    kind = StockMovement.Kind
    sent = Move(kind.TRANSFER_OUT, world.mug.pk, world.north_shelf.pk, Decimal(-30), "out")
    coming = Move(kind.TRANSFER_IN, world.mug.pk, under_way.pk, Decimal(30), "in", carries=("out",))
    post_movements([sent, coming], happened_at=NOW)

    plan()

    after = Proposal.objects.get(sku=world.mug, warehouse=world.main, status="open")
    terms = {term["code"]: term for term in after.explanation}
    assert (terms["in_transit"]["value"], terms["in_transit"]["source"]) == (30.0, "transfers")
    assert after.inventory_position == before.inventory_position + 30
    assert terms["inventory_position"]["formula"].endswith("+ in_draft + in_transit")
