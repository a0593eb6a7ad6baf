"""R4 for what takes stock and for what brings it: fifty at once and fifty later under one key are one document."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from config.kernel import idempotency
from procurement.api import receipts as receipts_api
from procurement.models import Receipt
from tests.cast import World
from tests.concurrency.meet import failures, run_concurrently
from tests.procurement.buying import sent_order
from warehouses.api import orders as orders_api
from warehouses.models import SalesOrder, StockLevel, StockMovement
from warehouses.selectors.drift import find_drifts

pytestmark = pytest.mark.django_db(transaction=True)
KEY = {"Idempotency-Key": "k1"}
AT_ONCE = 50


def order(world: World, quantity: str) -> tuple[Any, str, dict[str, Any]]:
    lines = [{"sku": "LAMP", "quantity": quantity, "unit_price": "9.00"}]
    body = {"channel": "WEB", "external_id": "W-1", "ordered_at": "2026-03-02T08:00:00Z", "lines": lines}
    return world.integration, "/api/v1/orders/", body


def receipt(world: World, quantity: str) -> tuple[Any, str, dict[str, Any]]:
    buying = sent_order(world, mugs=100)
    lines = [{"line_id": buying.lines.get().pk, "quantity": quantity}]
    return world.clerk, "/api/v1/receipts/", {"order": buying.number, "lines": lines}


def effect(_world: World) -> tuple[int, int, int, int]:
    """Orders, units reserved, receipts, units received."""
    reserved = sum(StockLevel.objects.values_list("reserved", flat=True))
    received = sum(StockMovement.objects.filter(kind="receipt").values_list("quantity", flat=True))
    return SalesOrder.objects.count(), int(reserved), Receipt.objects.count(), int(received)


@pytest.mark.parametrize(("document", "once"), [(order, (1, 2, 0, 0)), (receipt, (0, 0, 1, 2))])
def test_fifty_at_once_and_fifty_later_are_one_document(
    world: World, api: Any, document: Callable[..., Any], once: tuple[int, ...]
) -> None:
    user, path, body = document(world, "2")
    clients = [api(user) for _n in range(AT_ONCE)]

    answers = run_concurrently([partial(client.post, path, body, headers=KEY) for client in clients])
    assert failures(answers) == []
    answers += [clients[0].post(path, body, headers=KEY) for _n in range(50)]
    other = clients[0].post(path, {**body, "lines": [{**body["lines"][0], "quantity": "3"}]}, headers=KEY)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 99
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert effect(world) == once
    assert find_drifts() == []


def test_without_a_key_each_receipt_is_one_of_its_own(world: World, api: Any) -> None:
    """The negative control: it is the key that makes them one."""
    user, path, body = receipt(world, "2")
    clients = [api(user) for _n in range(8)]

    answers = run_concurrently([partial(client.post, path, body) for client in clients])

    assert {answer.status_code for answer in answers} == {201}
    assert effect(world) == (0, 0, 8, 16)


@pytest.mark.parametrize(
    ("document", "module", "service"), [(order, orders_api, "record_sale"), (receipt, receipts_api, "receive_goods")]
)
def test_while_the_first_is_running_its_twin_gets_409_and_writes_nothing(
    world: World, api: Any, monkeypatch: pytest.MonkeyPatch, document: Any, module: Any, service: str
) -> None:
    user, path, body = document(world, "2")
    monkeypatch.setattr(idempotency, "LOCK_WAIT_MS", 200)
    inside, go_on = threading.Event(), threading.Event()
    real = getattr(module, service)

    def slow(*args: Any, **kwargs: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return real(*args, **kwargs)

    def twin() -> Any:
        assert inside.wait(20)
        try:
            return api(user).post(path, body, headers=KEY)
        finally:
            go_on.set()

    monkeypatch.setattr(module, service, slow)
    first, second = run_concurrently([lambda: api(user).post(path, body, headers=KEY), twin])

    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "in_flight")
    assert sum(effect(world)) == 3
