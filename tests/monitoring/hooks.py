"""Endpoints and events for the tests of webhooks, and a way of sending that records instead."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from config.kernel.outbox import Event, record_events
from monitoring.models import WebhookEndpoint
from monitoring.services.webhooks.endpoints import create_endpoint
from monitoring.services.webhooks.relay import relay_events
from monitoring.services.webhooks.sending import SendCounts, send_due_messages
from monitoring.services.webhooks.transport import Outcome
from tests.cast import NOW

GOOD = Outcome(204, "", 12)
ERROR = Outcome(503, "status", 12)
GONE = Outcome(410, "status", 12)


def make_endpoint(name: str = "Shop", url: str = "https://shop.example/hooks", **fields: Any) -> WebhookEndpoint:
    return create_endpoint(name=name, url=url, actor=None, allow_private=True, **fields)


def tell(*keys: str, kind: str = "availability.changed", channel_id: int | None = None, **payload: Any) -> None:
    record_events([Event(kind, key, payload, channel_id) for key in keys])


@dataclass
class Outside:
    """Stands for everybody outside: answers as `answer` says, and remembers what it was sent."""

    answer: Callable[[dict[str, Any]], Outcome] = lambda message: GOOD
    messages: list[dict[str, Any]] = field(default_factory=list)

    def post(self, url: str, *, body: bytes, headers: dict[str, str], allow_private: bool) -> Outcome:
        message = {"url": url, "body": body.decode(), "id": headers["webhook-id"], "headers": headers}
        self.messages.append(message)
        return self.answer(message)


def run(outside: Outside, *, now: datetime = NOW, relay: bool = True) -> SendCounts:
    """One tick of both tasks."""
    if relay:
        relay_events(now=now)
    return send_due_messages(clock=lambda: now, allow_private=False, post=outside.post)


def later(**parts: float) -> datetime:
    return NOW + timedelta(**parts)
