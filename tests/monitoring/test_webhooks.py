"""Events become messages, messages are sent until they arrive, and nobody is told what does not concern them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.models import OutboxEvent
from monitoring.models import Alert, WebhookDelivery, WebhookEndpoint
from monitoring.services.alerts import evaluate_alerts
from monitoring.services.housekeeping import forget_events
from monitoring.services.webhooks import sending
from monitoring.services.webhooks.endpoints import (
    create_endpoint,
    pause_endpoint,
    resume_endpoint,
    retry_delivery,
    rotate_secret,
    send_test_event,
)
from monitoring.services.webhooks.relay import relay_events
from monitoring.services.webhooks.sending import MAX_ATTEMPTS, WAITS, record_outcome, take_messages, wait_after
from tests.cast import NOW, World, make_channel
from tests.monitoring.hooks import ERROR, GONE, GOOD, Outside, later, make_endpoint, run, tell

pytestmark = pytest.mark.django_db


def states(endpoint: WebhookEndpoint) -> list[tuple[str, str]]:
    return list(endpoint.deliveries.order_by("pk").values_list("key", "state"))


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.random, "uniform", lambda low, high: 1.0)


# --- who is told what ---------------------------------------------------------------------------------------------


def test_an_event_arrives_once_with_its_kind_time_and_data() -> None:
    make_endpoint()
    tell("listing:1", available="7")
    outside = Outside()

    assert run(outside).delivered == 1
    assert run(outside).delivered == 0

    event, delivery = OutboxEvent.objects.get(), WebhookDelivery.objects.get()
    assert json.loads(outside.messages[0]["body"]) == {
        "type": "availability.changed",
        "timestamp": event.created_at.isoformat(),
        "key": "listing:1",
        "sequence": event.position,
        "data": {"available": "7"},
    }
    assert outside.messages[0]["url"] == "https://shop.example/hooks"
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.finished_at) == ("delivered", 1, 204, NOW)


def test_an_endpoint_of_a_channel_hears_of_no_other() -> None:
    web, market = make_channel("WEB"), make_channel("MARKET")
    of_web, of_all = make_endpoint("Web", channel=web), make_endpoint("All")
    tell("a", channel_id=web.pk)
    tell("b", channel_id=market.pk)
    tell("c")

    relay_events(now=NOW)

    assert [key for key, _state in states(of_web)] == ["a"]
    assert [key for key, _state in states(of_all)] == ["a", "b", "c"]


def test_an_endpoint_that_asked_for_kinds_gets_those() -> None:
    endpoint = make_endpoint(kinds=["order.shipped"])
    tell("a")
    tell("b", kind="order.shipped")

    relay_events(now=NOW)

    assert [key for key, _state in states(endpoint)] == ["b"]


def test_a_new_endpoint_is_told_what_happens_from_now_on() -> None:
    tell("before")
    endpoint = make_endpoint()
    tell("after")

    relay_events(now=NOW)

    assert [key for key, _state in states(endpoint)] == ["after"]


def test_relaying_twice_makes_no_message_twice_even_when_the_place_was_lost() -> None:
    endpoint = make_endpoint()
    tell("a", "b")
    relay_events(now=NOW)
    WebhookEndpoint.objects.update(position=0)  # as after a restore of half the tables

    relay_events(now=NOW)

    assert len(states(endpoint)) == 2


def test_more_events_than_are_read_at_once_are_all_relayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.services.webhooks.relay.EVENTS_AT_ONCE", 3)
    endpoint = make_endpoint()
    tell(*"abcdefg")

    assert relay_events(now=NOW) == 7
    assert "".join(key for key, _state in states(endpoint)) == "abcdefg"


# --- only the newest state --------------------------------------------------------------------------------------


def test_of_several_events_on_one_thing_only_the_newest_is_told() -> None:
    endpoint = make_endpoint()
    for units in ("3", "2", "1"):
        tell("listing:1", units=units)
    tell("listing:2", units="9")
    outside = Outside()

    run(outside)

    assert [json.loads(m["body"])["data"]["units"] for m in outside.messages] == ["1", "9"]
    assert list(endpoint.deliveries.order_by("pk").values_list("key", "stands_for")) == [
        ("listing:1", 3),
        ("listing:2", 1),
    ]


def test_a_message_that_waits_is_superseded_by_a_newer_one_and_says_so() -> None:
    endpoint = make_endpoint()
    tell("listing:1", units="3")
    run(Outside(lambda message: ERROR))
    tell("listing:1", units="2")
    outside = Outside()

    run(outside)

    older, newer = endpoint.deliveries.order_by("pk")
    assert (older.state, older.superseded_by, older.next_attempt_at) == ("superseded", newer, None)
    assert (newer.state, len(outside.messages)) == ("delivered", 1)


def test_other_kinds_other_keys_and_no_key_supersede_nothing() -> None:
    endpoint = make_endpoint()
    tell("listing:1", "listing:2", "")
    tell("listing:1", kind="price.changed")
    tell("")

    relay_events(now=NOW)

    assert [state for _key, state in states(endpoint)] == ["waiting"] * 5


def test_what_a_worker_has_in_hand_is_not_superseded_and_holds_the_newer_one_back() -> None:
    """Else the older state could arrive after the newer one."""
    endpoint = make_endpoint()
    tell("listing:1", units="3")
    relay_events(now=NOW)
    (older,) = take_messages(now=NOW)
    tell("listing:1", units="2")
    relay_events(now=NOW)

    assert take_messages(now=NOW) == []
    record_outcome(older, ERROR, now=NOW)
    (newer,) = take_messages(now=NOW)

    assert json.loads(newer.body)["data"] == {"units": "2"}
    assert states(endpoint) == [("listing:1", "superseded"), ("listing:1", "waiting")]


# --- until it arrives -------------------------------------------------------------------------------------------


def test_a_message_is_tried_again_under_the_same_id_with_the_same_body_and_a_new_signature() -> None:
    make_endpoint()
    tell("listing:1", units="3")
    answers = [ERROR, ERROR, GOOD]
    outside = Outside(lambda message: answers.pop(0))

    run(outside)
    run(outside, now=later(seconds=4))  # too early
    run(outside, now=later(seconds=5))
    run(outside, now=later(seconds=40))

    assert len(outside.messages) == 3
    assert len({(m["id"], m["body"]) for m in outside.messages}) == 1
    assert len({m["headers"]["webhook-signature"] for m in outside.messages}) == 3
    assert WebhookDelivery.objects.get().attempts == 3


def test_tries_go_on_for_a_day_and_end() -> None:
    make_endpoint()
    tell("")
    outside, now = Outside(lambda message: ERROR), NOW
    while (delivery := WebhookDelivery.objects.first()) is None or delivery.state == "waiting":
        run(outside, now=now)
        now = WebhookDelivery.objects.get().next_attempt_at or now
        WebhookEndpoint.objects.update(rests_until=None, disabled_at=None)

    assert (delivery.state, len(outside.messages)) == ("failed", MAX_ATTEMPTS)
    assert timedelta(days=1) < now - NOW < timedelta(days=2)
    assert (delivery.last_status, delivery.last_fault) == (503, "status")


def test_waits_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr(sending.random, "uniform", lambda low, high: asked.append((low, high)) or high)

    assert wait_after(3) == WAITS[2] * 1.2
    assert asked == [(0.8, 1.2)]


def test_a_worker_that_dies_leaves_its_message_to_the_next_under_the_same_id() -> None:
    make_endpoint()
    tell("listing:1")
    relay_events(now=NOW)
    (lost,) = take_messages(now=NOW)

    assert take_messages(now=later(seconds=59)) == []
    (again,) = take_messages(now=later(seconds=60))

    assert again.message_id == lost.message_id
    assert record_outcome(lost, ERROR, now=later(seconds=61)) is False  # the first one wakes up: too late to count
    record_outcome(again, GOOD, now=later(seconds=62))
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_message_we_stumble_over_takes_no_other_with_it() -> None:
    make_endpoint("Broken")
    WebhookEndpoint.objects.update(secret="whsec_")
    make_endpoint("Shop")
    tell("a")

    counts = run(Outside())

    assert (counts.delivered, counts.failed) == (1, 1)
    assert list(WebhookDelivery.objects.order_by("endpoint__pk").values_list("state", "last_fault")) == [
        ("waiting", "ours"),
        ("delivered", ""),
    ]


def test_a_broker_that_is_down_loses_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """R7: the truth is in the database; the broker only brings the tick."""

    def down(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app, "send_task", down)
    monkeypatch.setattr(current_app.amqp, "send_task_message", down)
    make_endpoint()
    tell("listing:1", "listing:2")  # while it is down

    outside = Outside()
    counts = run(outside, now=later(minutes=5))  # the first tick after

    assert counts.delivered == 2
    assert run(outside, now=later(minutes=6)).delivered == 0
    assert len({m["id"] for m in outside.messages}) == 2


def test_an_endpoint_that_fails_rests_and_is_asked_with_one_message() -> None:
    endpoint = make_endpoint()
    tell(*(f"listing:{n}" for n in range(20)))
    outside = Outside(lambda message: ERROR)

    run(outside)
    endpoint.refresh_from_db()
    assert len(outside.messages) == 8  # of one endpoint at once
    assert endpoint.consecutive_failures == 8
    assert endpoint.rests_until == NOW + timedelta(seconds=15 * 2**5)

    outside.answer = lambda message: GOOD
    run(outside, now=later(minutes=7))
    assert len(outside.messages) == 8
    assert take_messages(now=later(minutes=8))[1:] == []


def test_a_slow_endpoint_takes_no_turn_of_another() -> None:
    slow, other = make_endpoint("Slow"), make_endpoint("Other", url="https://other.example/")
    tell(*(f"listing:{n}" for n in range(30)))
    relay_events(now=NOW)

    taken = [message.endpoint_id for message in take_messages(now=NOW)]

    assert (taken.count(slow.pk), taken.count(other.pk)) == (8, 8)


# --- disabled and alerted -----------------------------------------------------------------------------------------


def test_gone_disables_at_once_and_raises_an_alert() -> None:
    endpoint = make_endpoint()
    tell("a")

    assert run(Outside(lambda message: GONE)).disabled == 1
    evaluate_alerts(now=NOW)

    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (NOW, "gone")
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity) == ("webhook_endpoint", "critical")
    assert alert.message == "The webhook “Shop” was disabled: It answered 410 Gone."
    tell("b")
    outside = Outside()
    run(outside, now=later(minutes=1))
    assert outside.messages == []


def test_failing_often_within_a_day_warns_and_disables_only_after_it() -> None:
    endpoint = make_endpoint()
    tell(*(f"listing:{n}" for n in range(30)))
    outside, now = Outside(lambda message: ERROR), NOW
    for _hour in range(24):
        run(outside, now=now)
        now += timedelta(hours=1)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    assert endpoint.consecutive_failures > 10
    evaluate_alerts(now=now)
    assert Alert.objects.get().severity == "warning"

    assert run(outside, now=now).disabled == 1

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "failing"
    evaluate_alerts(now=now + timedelta(minutes=5))
    assert Alert.objects.get().severity == "critical"


def test_one_success_forgives_all() -> None:
    endpoint = make_endpoint()
    tell("a")
    run(Outside(lambda message: ERROR))
    run(Outside(), now=later(seconds=5))

    endpoint.refresh_from_db()
    assert (endpoint.consecutive_failures, endpoint.failing_since, endpoint.rests_until) == (0, None, None)


def test_a_paused_endpoint_goes_on_where_it_stopped() -> None:
    endpoint = make_endpoint()
    tell("a")
    relay_events(now=NOW)
    pause_endpoint(endpoint.pk)
    tell("b", units="1")
    tell("b", units="2")
    outside = Outside()

    run(outside)
    assert outside.messages == []
    evaluate_alerts(now=NOW)
    assert Alert.objects.count() == 0  # somebody wanted it so

    resume_endpoint(endpoint.pk, now=NOW)
    run(outside)
    assert states(endpoint) == [("a", "delivered"), ("b", "delivered")]


def test_a_disabled_endpoint_is_resumed_with_a_clean_record() -> None:
    endpoint = make_endpoint()
    tell("a")
    run(Outside(lambda message: GONE))

    resume_endpoint(endpoint.pk, now=NOW)

    endpoint.refresh_from_db()
    assert (endpoint.is_listening, endpoint.consecutive_failures, endpoint.disabled_reason) == (True, 0, "")


# --- what people do -----------------------------------------------------------------------------------------------


def test_an_address_that_may_not_be_used_makes_no_endpoint() -> None:
    with pytest.raises(ValidationFailed):
        create_endpoint(name="x", url="http://169.254.169.254/", actor=None, allow_private=False)

    assert WebhookEndpoint.objects.count() == 0


def test_after_a_rotation_messages_carry_both_signatures_for_a_day() -> None:
    endpoint = make_endpoint()
    old = endpoint.secret
    new = rotate_secret(endpoint.pk, now=NOW)
    endpoint.refresh_from_db()

    assert new != old
    assert endpoint.signing_secrets(now=later(hours=23)) == [new, old]
    assert endpoint.signing_secrets(now=later(hours=24)) == [new]


def test_a_test_event_is_sent_to_this_endpoint_alone(world: World) -> None:
    endpoint = make_endpoint()
    make_endpoint("Other")
    send_test_event(endpoint.pk, now=NOW)
    outside = Outside()

    run(outside)

    assert json.loads(outside.messages[0]["body"])["type"] == "webhook.test"
    assert len(outside.messages) == 1


def test_what_failed_can_be_sent_again_unless_a_newer_one_counts() -> None:
    make_endpoint()
    tell("a")
    run(Outside(lambda message: GONE))
    failed = WebhookDelivery.objects.get()
    resume_endpoint(failed.endpoint_id, now=NOW)
    retry_delivery(failed.pk, now=NOW)
    outside = Outside()
    run(outside)
    assert outside.messages[0]["id"] == failed.message_id

    with pytest.raises(Conflict):
        retry_delivery(failed.pk, now=NOW)  # it has arrived

    tell("b")
    run(Outside(lambda message: GONE))
    old = WebhookDelivery.objects.get(key="b")
    resume_endpoint(old.endpoint_id, now=NOW)
    tell("b")
    run(Outside())
    with pytest.raises(Conflict, match="newer"):
        retry_delivery(old.pk, now=NOW)


def test_nothing_that_was_answered_is_kept() -> None:
    """S7: a delivery has no place for a body: only a status, one of our own words, and times."""
    texts = {
        f.name for f in WebhookDelivery._meta.concrete_fields if f.get_internal_type() in ("TextField", "CharField")
    }

    assert texts == {"message_id", "kind", "key", "state", "last_fault"}


def test_after_two_weeks_events_and_messages_are_forgotten() -> None:
    make_endpoint()
    tell("a")
    run(Outside())
    created = OutboxEvent.objects.get().created_at
    WebhookDelivery.objects.update(created_at=created)

    assert forget_events(now=created + timedelta(days=14)) == 0
    assert forget_events(now=created + timedelta(days=14, seconds=1)) == 2
    assert (OutboxEvent.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
