"""From the messages to the outside: taken under a lease, sent without any lock, and tried again when it went wrong."""

import json
import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from monitoring.models import WebhookDelivery, WebhookEndpoint
from monitoring.services.webhooks import transport
from monitoring.services.webhooks.relay import not_in_hand, supersede_older
from monitoring.services.webhooks.signing import signed_headers
from monitoring.services.webhooks.transport import Outcome

log = logging.getLogger(__name__)

# Waits after the 1st, 2nd … failed try, each lengthened or shortened by up to a fifth: 28 hours in all.
WAITS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600))
JITTER = 0.2
MAX_ATTEMPTS = len(WAITS) + 1
# Longer than the slowest batch: TAKEN_AT_ONCE messages in THREADS threads, ten seconds each.
LEASE = timedelta(seconds=60)
TAKEN_AT_ONCE = 16
TAKEN_OF_ONE_ENDPOINT = 8
THREADS = 8
RUN_SECONDS = 10.0
# An endpoint that fails rests, twice as long each time, and is then asked with one message alone.
RESTS_AFTER = 3
LONGEST_REST = timedelta(minutes=10)
# A shop that is being deployed is no dead shop: both must be true before it is disabled.
DISABLED_AFTER_FAILURES = 10
DISABLED_AFTER = timedelta(hours=24)

State, Reason = WebhookDelivery.State, WebhookEndpoint.DisabledReason


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery in hand: what a thread needs to send it, without asking the database."""

    delivery_id: int
    endpoint_id: int
    lease: uuid.UUID
    url: str
    message_id: str
    body: str
    secrets: Sequence[str]


@dataclass
class SendCounts:
    delivered: int = 0
    failed: int = 0
    disabled: int = 0


Post = Callable[..., Outcome]


def send_due_messages(
    *, clock: Callable[[], datetime], allow_private: bool, run_seconds: float = RUN_SECONDS, post: Post = transport.post
) -> SendCounts:
    """Send what is due, in batches, for at most about `run_seconds`; the next run goes on with the rest.

    May run on several workers at once: a message is in the hand of one of them. A worker that dies leaves its messages
    to the others when the lease is over; they carry the same id again, so that the receiver knows them.
    """
    counts, until = SendCounts(), time.monotonic() + run_seconds
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        while time.monotonic() < until and (messages := take_messages(now=clock())):
            now = clock()
            outcomes = pool.map(lambda m, now=now: _send(m, now, allow_private, post), messages)
            for message, outcome in zip(messages, outcomes, strict=True):
                was_disabled = record_outcome(message, outcome, now=clock())
                counts.delivered += outcome.is_good
                counts.failed += not outcome.is_good
                counts.disabled += was_disabled
    return counts


def take_messages(*, now: datetime, at_most: int = TAKEN_AT_ONCE) -> list[Message]:
    """Take due deliveries under a lease. Locks the endpoints concerned, skipping those that somebody else has locked.

    Never two of the same kind and key at once, so that an older state cannot overtake a newer one. Every endpoint that
    has something to send gets its turn before another gets a second one.
    """
    with transaction.atomic():
        endpoints = {endpoint.pk: endpoint for endpoint in _endpoints_with_work(now, at_most)}
        if not endpoints:
            return []
        supersede_older(_left_behind(endpoints, now), now=now)
        in_hand = _in_hand(endpoints, now)
        turns = zip_longest(*(_due(endpoint, in_hand, now) for endpoint in endpoints.values()))
        taken = [delivery for turn in turns for delivery in turn if delivery is not None][:at_most]
        lease = uuid.uuid4()
        WebhookDelivery.objects.filter(pk__in=[d.pk for d in taken]).update(
            lease=lease, leased_until=now + LEASE, attempts=F("attempts") + 1, last_attempt_at=now
        )
    return [
        Message(
            delivery.pk,
            delivery.endpoint_id,
            lease,
            endpoints[delivery.endpoint_id].url,
            delivery.message_id,
            json.dumps(delivery.body, ensure_ascii=False, separators=(",", ":")),
            endpoints[delivery.endpoint_id].signing_secrets(now=now),
        )
        for delivery in taken
    ]


def record_outcome(message: Message, outcome: Outcome, *, now: datetime) -> bool:
    """Write down what became of a message; True when its endpoint was disabled by it.

    Locks the endpoint, then the delivery. Does nothing when the lease was lost meanwhile: the message has another
    sender now, and its outcome counts.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=message.endpoint_id).first()
        delivery = (
            WebhookDelivery.objects.select_for_update(no_key=True)
            .filter(pk=message.delivery_id, lease=message.lease, state=State.WAITING)
            .first()
        )
        if endpoint is None or delivery is None:
            return False
        delivery.lease = delivery.leased_until = None
        delivery.last_status, delivery.last_fault = outcome.status, outcome.fault
        delivery.last_milliseconds = outcome.milliseconds
        _settle(delivery, outcome, now)
        was_disabled = _judge_endpoint(endpoint, outcome, now)
        delivery.save()
        supersede_older(WebhookDelivery.objects.filter(pk=delivery.pk), now=now)
        endpoint.save(
            update_fields=["consecutive_failures", "failing_since", "rests_until", "disabled_at", "disabled_reason"]
        )
    return was_disabled


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed tries, with jitter."""
    return WAITS[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (no secret)


def _send(message: Message, now: datetime, allow_private: bool, post: Post) -> Outcome:
    """A message that we stumble over counts as tried: it must not take the others of its batch with it, for ever."""
    try:
        headers = signed_headers(message_id=message.message_id, body=message.body, secrets_=message.secrets, now=now)
        return post(message.url, body=message.body.encode(), headers=headers, allow_private=allow_private)
    except Exception:
        log.exception("the webhook message %s could not be sent", message.message_id)
        return Outcome(None, WebhookDelivery.Fault.OURS, 0)


def _endpoints_with_work(now: datetime, at_most: int) -> Iterator[WebhookEndpoint]:
    """In no order, so that none always comes last."""
    due = WebhookDelivery.objects.filter(
        not_in_hand(now), endpoint=OuterRef("pk"), state=State.WAITING, next_attempt_at__lte=now
    )
    return (
        WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(Exists(due), is_active=True, disabled_at=None)
        .exclude(rests_until__gt=now)
        .order_by("?")[:at_most]
        .iterator()
    )


def _left_behind(endpoints: Iterable[int], now: datetime) -> QuerySet:
    """What a worker took and never gave back."""
    return WebhookDelivery.objects.filter(endpoint__in=list(endpoints), state=State.WAITING, leased_until__lte=now)


def _in_hand(endpoints: Iterable[int], now: datetime) -> set[tuple[int, str, str]]:
    """(endpoint, kind, key) of what other workers are sending: a few rows, found by an index of their own."""
    rows = WebhookDelivery.objects.filter(endpoint__in=list(endpoints), state=State.WAITING, leased_until__gt=now)
    return set(rows.exclude(key="").values_list("endpoint_id", "kind", "key"))


def _due(endpoint: WebhookEndpoint, in_hand: set[tuple[int, str, str]], now: datetime) -> list[WebhookDelivery]:
    share = 1 if endpoint.consecutive_failures >= RESTS_AFTER else TAKEN_OF_ONE_ENDPOINT
    rows = (
        WebhookDelivery.objects.filter(not_in_hand(now))
        .filter(endpoint=endpoint, state=State.WAITING, next_attempt_at__lte=now)
        .order_by("next_attempt_at", "pk")[: share + len(in_hand)]
    )
    return [row for row in rows if (endpoint.pk, row.kind, row.key) not in in_hand][:share]


def _settle(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    if outcome.is_good:
        delivery.state = State.DELIVERED
    elif outcome.status == 410 or delivery.attempts >= MAX_ATTEMPTS:
        delivery.state = State.FAILED
    else:
        delivery.next_attempt_at = now + wait_after(delivery.attempts)
        return
    delivery.next_attempt_at, delivery.finished_at = None, now


def _judge_endpoint(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> bool:
    """Count what went wrong in a row; True when it is disabled by this."""
    if outcome.is_good:
        endpoint.consecutive_failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
        return False
    endpoint.consecutive_failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    beyond = endpoint.consecutive_failures - RESTS_AFTER
    if beyond >= 0:
        endpoint.rests_until = now + min(timedelta(seconds=15) * 2 ** min(beyond, 10), LONGEST_REST)
    if endpoint.disabled_at is not None:
        return False
    if outcome.status == 410:
        endpoint.disabled_at, endpoint.disabled_reason = now, Reason.GONE
    elif endpoint.consecutive_failures >= DISABLED_AFTER_FAILURES and now - endpoint.failing_since >= DISABLED_AFTER:
        endpoint.disabled_at, endpoint.disabled_reason = now, Reason.FAILING
    return endpoint.disabled_at is not None
