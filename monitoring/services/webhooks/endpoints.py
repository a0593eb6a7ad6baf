"""Keeping the endpoints: made with a secret that is shown once, paused, resumed, tried out, and given a new secret."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel import outbox
from config.kernel.errors import Conflict, NotFound
from config.kernel.transactions import one_transaction
from monitoring.models import WebhookDelivery, WebhookEndpoint
from monitoring.services.webhooks.relay import message_body, new_message_id, not_in_hand
from monitoring.services.webhooks.signing import new_secret
from monitoring.services.webhooks.targets import read_url

PREVIOUS_SECRET_SIGNS_FOR = timedelta(hours=24)
TEST_KIND = "webhook.test"


def create_endpoint(
    *,
    name: str,
    url: str,
    actor: Any,
    allow_private: bool,
    channel: Channel | None = None,
    kinds: Sequence[str] = (),
) -> WebhookEndpoint:
    """A new endpoint, told whatever happens from now on. Raises ValidationFailed for an address that may not be used.

    Its secret can be read from the answer, once; nothing shows it later.
    """
    read_url(url, allow_private=allow_private)
    outbox.place_events()
    return WebhookEndpoint.objects.create(
        name=name,
        url=url,
        channel=channel,
        kinds=list(kinds),
        secret=new_secret(),
        position=outbox.last_position(),
        created_by=actor,
    )


@one_transaction
def rotate_secret(endpoint_id: int, *, now: datetime) -> str:
    """Give it a new secret, which is returned once; messages carry both signatures for 24 hours."""
    endpoint = _locked(endpoint_id)
    endpoint.previous_secret, endpoint.secret = endpoint.secret, new_secret()
    endpoint.previous_secret_until = now + PREVIOUS_SECRET_SIGNS_FOR
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return endpoint.secret


@one_transaction
def pause_endpoint(endpoint_id: int) -> None:
    """Send it nothing until it is resumed. Raises Conflict when it is paused already."""
    endpoint = _locked(endpoint_id)
    if not endpoint.is_active:
        raise Conflict(_("The webhook is paused already."))
    endpoint.is_active = False
    endpoint.save(update_fields=["is_active"])


@one_transaction
def resume_endpoint(endpoint_id: int, *, now: datetime) -> None:
    """Go on where it stopped, with a clean record. Raises Conflict when it is neither paused nor disabled."""
    endpoint = _locked(endpoint_id)
    if endpoint.is_listening:
        raise Conflict(_("The webhook is active."))
    endpoint.is_active, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
    endpoint.consecutive_failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
    endpoint.save()
    endpoint.deliveries.filter(not_in_hand(now), state=WebhookDelivery.State.WAITING).update(next_attempt_at=now)


@one_transaction
def send_test_event(endpoint_id: int, *, now: datetime) -> WebhookDelivery:
    """Make a message that says nothing but that it arrives. Raises Conflict when the endpoint does not listen."""
    endpoint = _locked(endpoint_id)
    if not endpoint.is_listening:
        raise Conflict(_("The webhook is paused or disabled; resume it first."))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(rests_until=None)
    body = message_body(kind=TEST_KIND, key="", happened_at=now, sequence=None, data={"endpoint": endpoint.name})
    return WebhookDelivery.objects.create(
        endpoint=endpoint, message_id=new_message_id(), kind=TEST_KIND, body=body, next_attempt_at=now, created_at=now
    )


def retry_delivery(delivery_id: int, *, now: datetime) -> None:
    """Send it again now, with all its tries before it. Locks the endpoint, then the delivery.

    Raises NotFound, and Conflict when it has arrived, is being sent, or there is a newer one on the same thing.
    """
    with transaction.atomic():
        found = WebhookDelivery.objects.filter(pk=delivery_id).first()
        if found is None:
            raise NotFound(_("There is no such delivery."))
        endpoint = _locked(found.endpoint_id)
        delivery = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
        same = endpoint.deliveries.filter(kind=delivery.kind, key=delivery.key, pk__gt=delivery.pk)
        if delivery.state in (WebhookDelivery.State.DELIVERED, WebhookDelivery.State.SUPERSEDED):
            raise Conflict(_("It was delivered or is out of date."))
        if delivery.leased_until is not None and delivery.leased_until > now:
            raise Conflict(_("It is being sent right now."))
        if delivery.key and same.exists():
            raise Conflict(_("There is a newer message on the same thing; that one counts."))
        delivery.state, delivery.attempts = WebhookDelivery.State.WAITING, 0
        delivery.next_attempt_at, delivery.finished_at = now, None
        delivery.save()
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(rests_until=None)


def _locked(endpoint_id: int) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound(_("There is no such webhook."))
    return endpoint
