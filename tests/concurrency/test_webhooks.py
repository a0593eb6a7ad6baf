"""Two workers never make, and never send, the same message; no lock is held while it is sent."""

from typing import Any

import pytest
from django.db import connection, transaction

from monitoring.models import WebhookDelivery, WebhookEndpoint
from monitoring.services.webhooks.relay import relay_events
from monitoring.services.webhooks.sending import record_outcome, send_due_messages, take_messages
from monitoring.services.webhooks.transport import Outcome
from tests.cast import NOW
from tests.concurrency.meet import failures, run_concurrently
from tests.monitoring.hooks import GOOD, Outside, make_endpoint, tell

pytestmark = pytest.mark.django_db(transaction=True)


def tell_all(*keys: str) -> None:
    with transaction.atomic():
        tell(*keys)


def test_eight_relays_at_once_make_every_message_once() -> None:
    endpoints = [make_endpoint("Shop"), make_endpoint("Market")]
    tell_all(*(f"listing:{n}" for n in range(50)))

    results = run_concurrently([lambda: relay_events(now=NOW)] * 8)
    relay_events(now=NOW)

    assert failures(results) == []
    assert [endpoint.deliveries.count() for endpoint in endpoints] == [50, 50]


def test_eight_senders_at_once_send_every_message_once() -> None:
    make_endpoint("Shop")
    make_endpoint("Market")
    tell_all(*(f"listing:{n}" for n in range(40)))
    relay_events(now=NOW)
    outside = Outside()

    def send() -> Any:
        return send_due_messages(clock=lambda: NOW, allow_private=False, post=outside.post)

    results = run_concurrently([send] * 8)
    send()

    assert failures(results) == []
    assert len(outside.messages) == 80
    assert len({message["id"] for message in outside.messages}) == 80
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_without_the_lease_the_same_message_is_sent_by_several() -> None:
    """The negative control: senders that read what is due without taking it."""
    make_endpoint("Shop")
    tell_all(*(f"listing:{n}" for n in range(10)))
    relay_events(now=NOW)

    def read() -> list[str]:
        return list(WebhookDelivery.objects.filter(state="waiting").values_list("message_id", flat=True))

    results = run_concurrently([read] * 4)

    assert sum(len(ids) for ids in results) == 40


def test_while_a_message_is_sent_its_endpoint_and_its_events_are_locked_by_nobody() -> None:
    endpoint = make_endpoint("Shop")
    tell_all("listing:1")
    relay_events(now=NOW)
    seen: list[bool] = []

    def post(*args: Any, **kwargs: Any) -> Outcome:
        """Runs in a thread of the sender; asks on a connection of its own for every lock at once."""
        try:
            with transaction.atomic():
                WebhookEndpoint.objects.select_for_update(nowait=True).get(pk=endpoint.pk)
                seen.append(WebhookDelivery.objects.select_for_update(nowait=True).get().leased_until is not None)
            tell_all("listing:1")  # and the same thing may change meanwhile
        finally:
            connection.close()
        return GOOD

    send_due_messages(clock=lambda: NOW, allow_private=False, post=post)

    assert seen == [True]


def test_of_one_thing_two_states_are_never_under_way_at_once() -> None:
    make_endpoint("Shop")
    tell_all("listing:1")
    relay_events(now=NOW)

    taken = [message for messages in run_concurrently([lambda: take_messages(now=NOW)] * 6) for message in messages]
    tell_all("listing:1")
    relay_events(now=NOW)
    meanwhile = [m for messages in run_concurrently([lambda: take_messages(now=NOW)] * 6) for m in messages]

    assert (len(taken), meanwhile) == (1, [])
    record_outcome(taken[0], GOOD, now=NOW)
    assert len(take_messages(now=NOW)) == 1
