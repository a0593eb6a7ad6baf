"""R1 over the API: 200 buyers of the last unit, and of the last hundred (over HTTP: benchmarks/stock/buyers.py)."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from catalog.models import Channel
from tests.cast import World, put_stock
from tests.concurrency.meet import failures, run_concurrently
from warehouses.models import SalesOrder, StockLevel
from warehouses.selectors.drift import find_drifts

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS, AT_ONCE = 200, 50  # PostgreSQL takes about a hundred connections


@pytest.mark.parametrize("units", [1, 100])
def test_two_hundred_buyers_get_what_there_is_and_the_rest_a_clear_no(world: World, api: Any, units: int) -> None:
    Channel.objects.update(allows_backorders=False)
    put_stock(world.tea, world.shelf, units)
    client = api(world.integration)
    token = client._credentials

    def shop(shift: int) -> list[Any]:
        buyer = type(client)(raise_request_exception=False)
        buyer.credentials(**token)
        return [buyer.post("/api/v1/orders/", order(n)) for n in range(shift, BUYERS, AT_ONCE)]

    def order(n: int) -> dict[str, Any]:
        lines = [{"sku": "TEA", "quantity": "1", "unit_price": "3.00"}]
        return {"channel": "WEB", "external_id": f"W-{n}", "ordered_at": "2026-03-02T08:00:00Z", "lines": lines}

    shifts = run_concurrently([partial(shop, shift) for shift in range(AT_ONCE)])

    assert failures(shifts) == []
    answers = [answer for shift in shifts for answer in shift]
    assert Counter(answer.status_code for answer in answers) == {201: units, 409: BUYERS - units}
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert {refusal["code"] for refusal in refusals} == {"insufficient_stock"}
    assert {(item["line"], item["sku"], item["short_by"]) for r in refusals for item in r["items"]} == {(1, "TEA", "1")}
    assert SalesOrder.objects.count() == units
    assert StockLevel.objects.filter(sku=world.tea).values_list("on_hand", "reserved").get() == (units, units)
    assert find_drifts() == []
