"""Machines on the floor: claim, renew, complete, give back; waves; where to put things."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import World, put_stock
from tests.warehouses.floor import lies, make_bin, order_of, packing, released
from warehouses.models import Task
from warehouses.services.sales import ship_order

pytestmark = pytest.mark.django_db
CLAIM = {"worker": "robot-7", "warehouse": "MAIN"}


@pytest.fixture
def robot(world: World, api: Any) -> Any:
    return api(world.integration)


def post(client: Any, path: str, body: Any, key: str = "") -> Any:
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post(f"/api/v1/{path}", body, format="json", **headers)


def claimed(robot: Any, **more: Any) -> dict[str, Any]:
    return post(robot, "tasks/claim/", {**CLAIM, **more}).json()["tasks"][0]


def test_a_robot_claims_a_pick_and_completes_it(world: World, robot: Any) -> None:
    released("W-1", ("MUG", 30))

    task = claimed(robot, kinds=["pick"], lease_seconds=60)
    answer = post(robot, f"tasks/{task['number']}/complete/", {"lease_token": task["lease_token"]})

    assert (task["kind"], task["sku"], task["from_location"], task["to_location"], task["quantity"]) == (
        "pick",
        "MUG",
        "A-01",
        "PACKING",
        "30",
    )
    assert (answer.status_code, answer.json()["state"], answer.json()["done_quantity"]) == (200, "done", "30")
    assert "lease_token" not in answer.json()
    assert lies(world.mug, packing(world)) == (30, 30)
    again = post(robot, f"tasks/{task['number']}/complete/", {"lease_token": task["lease_token"]})
    assert again.json() == answer.json()


def test_the_same_claim_with_its_key_gives_the_same_tasks(world: World, robot: Any) -> None:
    released("W-1", ("MUG", 1), ("LAMP", 1))

    first, again = (post(robot, "tasks/claim/", CLAIM, key="claim-1") for _ in range(2))

    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Task.objects.filter(state="claimed").count() == 1


def test_no_work_is_an_empty_list_and_no_one_else_is_told_the_token(world: World, robot: Any) -> None:
    assert post(robot, "tasks/claim/", CLAIM).json() == {"tasks": []}
    released("W-1", ("MUG", 1))
    task = claimed(robot)

    shown = robot.get(f"/api/v1/tasks/{task['number']}/").json()
    listed = robot.get("/api/v1/tasks/?warehouse=MAIN&kind=pick&state__in=open,claimed&reference=WEB/W-1").json()

    assert "lease_token" not in shown
    assert [row["number"] for row in listed["results"]] == [task["number"]]


def test_a_lost_lease_is_409_and_the_stock_has_not_moved(world: World, robot: Any) -> None:
    released("W-1", ("MUG", 30))
    task = claimed(robot)

    for verb in ("renew", "release", "complete"):
        answer = post(robot, f"tasks/{task['number']}/{verb}/", {"lease_token": str(uuid.uuid4())})
        assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")
    assert lies(world.mug, world.shelf) == (100, 30)


def test_a_task_is_kept_given_back_and_cancelled(world: World, robot: Any, api: Any) -> None:
    released("W-1", ("MUG", 30))
    task = claimed(robot)
    token = {"lease_token": task["lease_token"]}

    kept = post(robot, f"tasks/{task['number']}/renew/", {**token, "lease_seconds": 3600})
    back = post(robot, f"tasks/{task['number']}/release/", {**token, "note": "battery low"})
    off = post(api(world.clerk), f"tasks/{task['number']}/cancel/", {"note": "not today"})

    assert kept.json()["lease_expires_at"] > task["lease_expires_at"]
    assert (back.json()["state"], back.json()["note"]) == ("open", "battery low")
    assert (off.json()["state"], off.json()["note"]) == ("cancelled", "not today")


def test_a_pick_whose_order_left_otherwise_is_refused_and_stays_cancelled(world: World, robot: Any) -> None:
    order, _tasks = released("W-1", ("MUG", 30))
    task = claimed(robot)
    ship_order(order.pk, key="S", now=timezone.now())

    answer = post(robot, f"tasks/{task['number']}/complete/", {"lease_token": task["lease_token"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert Task.objects.get().state == "cancelled"


def test_every_fault_of_a_move_is_one_problem(world: World, api: Any) -> None:
    body = {"warehouse": "MAIN", "sku": "NONE", "from_location": "X", "to_location": "Y", "quantity": "1"}

    answer = post(api(world.clerk), "tasks/", body)

    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["items"]] == ["sku", "from_location", "to_location"]


def test_a_move_is_made_and_found_by_its_number(world: World, api: Any) -> None:
    make_bin(world, "A-02", sequence=2)
    body = {"warehouse": "MAIN", "sku": "MUG", "from_location": "A-01", "to_location": "A-02", "quantity": "5"}

    answer = post(api(world.clerk), "tasks/", body)

    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/tasks/{answer.json()['number']}/"
    hit = api(world.clerk).get("/api/v1/scan/", {"code": answer.json()["number"]}).json()
    assert (hit["type"], hit["codes"]) == ("task", {"number": answer.json()["number"]})


def test_orders_are_released_by_name_or_as_a_wave(world: World, robot: Any) -> None:
    orders = [order_of(f"W-{n}", ("MUG", 1)) for n in range(3)]

    named = post(robot, "picking/release/", {"orders": [orders[2].pk]})
    wave = post(robot, "picking/release/", {"warehouse": "MAIN", "limit": 10, "priority": 5})
    both = post(robot, "picking/release/", {"orders": [1], "warehouse": "MAIN", "limit": 10})

    assert [task["reference"] for task in named.json()["tasks"]] == ["WEB/W-2"]
    assert [(task["reference"], task["priority"]) for task in wave.json()["tasks"]] == [("WEB/W-0", 5), ("WEB/W-1", 5)]
    assert both.status_code == 400


def test_every_order_that_cannot_be_released_is_named(world: World, robot: Any) -> None:
    waiting, good = order_of("W-1", ("TEA", 1)), order_of("W-2", ("MUG", 1))

    answer = post(robot, "picking/release/", {"orders": [waiting.pk, good.pk, 999999]})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_released")
    assert [item["order"] for item in answer.json()["items"]] == [waiting.pk, 999999]
    assert not Task.objects.exists()


def test_where_to_put_things_is_said_with_the_reason(world: World, robot: Any) -> None:
    make_bin(world, "E-1", sequence=1, capacity=5)

    answer = robot.get("/api/v1/putaway/?warehouse=MAIN&sku=MUG&quantity=3").json()
    unknown = robot.get("/api/v1/putaway/?warehouse=NO&sku=NO&quantity=3")

    assert answer == {
        "suggestions": [
            {
                "location": "A-01",
                "quantity": "3",
                "rule": "same_stock",
                "room": None,
                "reason": "The same SKU and lot lie there already.",
            }
        ],
        "overflow": "0",
    }
    assert [item["field"] for item in unknown.json()["items"]] == ["warehouse", "sku"]


def test_putaway_tasks_are_made_once(world: World, api: Any) -> None:
    put_stock(world.tea, world.receiving, Decimal(8))

    first, again = (post(api(world.clerk), "putaway/", {"warehouse": "MAIN"}) for _ in range(2))

    assert [(task["kind"], task["quantity"]) for task in first.json()["tasks"]] == [("putaway", "8")]
    assert (again.status_code, again.json()) == (200, {"tasks": [], "without_room": []})
