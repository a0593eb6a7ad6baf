"""From the feed to the messages: every endpoint gets one for each event it asked for, and no event twice.

Lock order: endpoint → its deliveries. Whoever makes, takes or ends deliveries holds their endpoint's row meanwhile, for
milliseconds; so two workers never make or take the same one.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from config.kernel import outbox
from config.kernel.models import OutboxEvent
from monitoring.models import WebhookDelivery, WebhookEndpoint

EVENTS_AT_ONCE = 1000
State = WebhookDelivery.State


def relay_events(*, now: datetime) -> int:
    """Place what was committed, and make the messages of it; returns how many. Running it twice makes none twice."""
    outbox.place_events()
    last = outbox.last_position()
    listening = WebhookEndpoint.objects.filter(is_active=True, disabled_at=None, position__lt=last)
    return sum(_relay_to(pk, until=last, now=now) for pk in listening.values_list("pk", flat=True))


def supersede_older(deliveries: QuerySet, *, now: datetime) -> int:
    """End those of these deliveries (their endpoints locked by the caller) that wait although there is a newer one of
    the same kind and key; one that a worker has in hand is left to it."""
    newer = (
        WebhookDelivery.objects.filter(
            endpoint=OuterRef("endpoint"), kind=OuterRef("kind"), key=OuterRef("key"), pk__gt=OuterRef("pk")
        )
        .order_by("-pk")
        .values("pk")[:1]
    )
    return (
        deliveries.filter(not_in_hand(now), state=State.WAITING)
        .exclude(key="")
        .annotate(newest=Subquery(newer))
        .exclude(newest=None)
        .update(
            state=State.SUPERSEDED,
            superseded_by=F("newest"),
            finished_at=now,
            next_attempt_at=None,
            lease=None,
            leased_until=None,
        )
    )


def not_in_hand(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lte=now)


def new_message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


def message_body(*, kind: str, key: str, happened_at: datetime, sequence: int | None, data: Any) -> dict[str, Any]:
    """The message as Standard Webhooks has it. Of two of the same `type` and `key` the larger `sequence` is newer."""
    return {"type": kind, "timestamp": happened_at.isoformat(), "key": key, "sequence": sequence, "data": data}


def _relay_to(endpoint_id: int, *, until: int, now: datetime) -> int:
    made = 0
    while True:
        with transaction.atomic():
            endpoint = (
                WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(pk=endpoint_id, is_active=True, disabled_at=None)
                .first()
            )
            if endpoint is None:
                return made
            events = list(_events_for(endpoint, until)[:EVENTS_AT_ONCE])
            deliveries = _newest_of_each(endpoint, events, now)
            WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
            supersede_older(endpoint.deliveries.filter(key__in={d.key for d in deliveries if d.key}), now=now)
            is_last = len(events) < EVENTS_AT_ONCE
            endpoint.position = until if is_last else events[-1].position or 0
            endpoint.save(update_fields=["position"])
        made += len(deliveries)
        if is_last:
            return made


def _events_for(endpoint: WebhookEndpoint, until: int) -> QuerySet:
    events = OutboxEvent.objects.filter(position__gt=endpoint.position, position__lte=until)
    if endpoint.channel_id is not None:
        events = events.filter(channel_id=endpoint.channel_id)
    if endpoint.kinds:
        events = events.filter(kind__in=endpoint.kinds)
    return events.order_by("position")


def _newest_of_each(endpoint: WebhookEndpoint, events: Sequence[OutboxEvent], now: datetime) -> list[WebhookDelivery]:
    """One delivery for each kind and key, at the place of its newest event; events without a key have one each."""
    newest: dict[Any, tuple[OutboxEvent, int]] = {}
    for event in events:
        subject = (event.kind, event.key) if event.key else event.pk
        _older, count = newest.pop(subject, (None, 0))
        newest[subject] = (event, count + 1)
    return [
        WebhookDelivery(
            endpoint=endpoint,
            event_id=event.pk,
            message_id=new_message_id(),
            kind=event.kind,
            key=event.key,
            body=message_body(
                kind=event.kind,
                key=event.key,
                happened_at=event.created_at,
                sequence=event.position,
                data=event.payload,
            ),
            stands_for=count,
            next_attempt_at=now,
            created_at=now,
        )
        for event, count in newest.values()
    ]
