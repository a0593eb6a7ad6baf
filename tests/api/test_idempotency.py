"""R4: the same key and body give the first answer; the same key with another body is refused; one effect in all."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from warehouses.models import SalesOrder

ORDER = {
    "channel": "WEB",
    "external_id": "W-1",
    "ordered_at": datetime(2026, 3, 2, 8, 0, tzinfo=UTC).isoformat(),
    "lines": [{"sku": "MUG", "quantity": "2", "unit_price": "9.00"}],
}


def test_the_same_key_and_body_give_the_first_answer_again(world: Any, api: Any) -> None:
    client = api(world.integration)

    first = client.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})
    again = client.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert SalesOrder.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(world: Any, api: Any) -> None:
    client = api(world.integration)
    client.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})

    other = client.post("/api/v1/orders/", ORDER | {"external_id": "W-2"}, headers={"Idempotency-Key": "k1"})

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert SalesOrder.objects.count() == 1


def test_a_refused_request_is_not_remembered(world: Any, api: Any) -> None:
    client = api(world.integration)
    wrong = ORDER | {"lines": []}

    refused = client.post("/api/v1/orders/", wrong, headers={"Idempotency-Key": "k1"})
    mended = client.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})

    assert (refused.status_code, mended.status_code) == (400, 201)


def test_one_callers_key_is_not_anothers(world: Any, api: Any) -> None:
    adjustment = {"sku": "MUG", "warehouse": "MAIN", "location": "A-01", "quantity": "-1", "reason": "broken"}
    from tests.cast import make_user

    carla = make_user("carla", "Warehouse clerk")

    first = api(world.clerk).post("/api/v1/stock-movements/", adjustment, headers={"Idempotency-Key": "k1"})
    second = api(carla).post("/api/v1/stock-movements/", adjustment, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_and_fifty_later_make_one_order_and_give_the_same_bytes(
    transactional_db: None, world: Any, api: Any
) -> None:
    clients = [api(world.integration) for _ in range(10)]
    meeting = threading.Barrier(10)
    answers: list[Any] = []

    def send(client: Any) -> None:
        try:
            meeting.wait()
            for _ in range(5):
                answers.append(client.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers += [clients[0].post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"}) for _ in range(50)]

    assert len(answers) == 100
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 99
    assert SalesOrder.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_still_running_its_twin_gets_409(
    transactional_db: None, world: Any, api: Any, monkeypatch: Any
) -> None:
    from config.kernel import idempotency
    from warehouses.api import orders

    monkeypatch.setattr(idempotency, "LOCK_WAIT_MS", 200)
    inside, go_on = threading.Event(), threading.Event()
    real = orders.record_sale

    def slow(*args: Any, **kwargs: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return real(*args, **kwargs)

    monkeypatch.setattr(orders, "record_sale", slow)
    first_answer: list[Any] = []

    def send_first() -> None:
        try:
            first_answer.append(
                api(world.integration).post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})
            )
        finally:
            connection.close()

    thread = threading.Thread(target=send_first)
    thread.start()
    assert inside.wait(20)
    twin = api(world.integration).post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "k1"})
    go_on.set()
    thread.join()

    assert (twin.status_code, twin.json()["code"]) == (409, "in_flight")
    assert first_answer[0].status_code == 201
    assert SalesOrder.objects.count() == 1
