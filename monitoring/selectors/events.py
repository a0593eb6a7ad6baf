"""The feed of events as an integration reads it: from a cursor on, in order, at least once."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.kernel import outbox
from config.kernel.models import OutboxEvent

# A day less than events are kept for: an older cursor may have lost some.
CURSOR_GOOD_FOR = timedelta(days=13)


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """How far a reader is, and when it was told so."""

    position: int
    told_at: datetime

    def text(self) -> str:
        document = json.dumps([self.position, int(self.told_at.timestamp())], separators=(",", ":"))
        return urlsafe_b64encode(document.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, text: str) -> "FeedCursor":
        """Raises ValueError for anything but a cursor."""
        try:
            position, told_at = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
            if type(position) is not int or type(told_at) is not int or not 0 <= position < 2**63:
                raise ValueError("no cursor")
            return cls(position, datetime.fromtimestamp(told_at, UTC))
        except (TypeError, RecursionError, OverflowError, OSError) as exc:
            raise ValueError("no cursor") from exc

    def is_expired(self, *, now: datetime) -> bool:
        return self.told_at < now - CURSOR_GOOD_FOR


@dataclass(frozen=True, slots=True)
class FeedPage:
    events: Sequence[OutboxEvent]
    after: FeedCursor
    has_more: bool


def feed_page(
    *, actor: Any, after: FeedCursor | None, now: datetime, at_most: int, channel_id: int | None, kinds: Sequence[str]
) -> FeedPage:
    """The events behind a cursor (None: from the oldest that is kept), and the cursor to ask with next.

    The next cursor goes past what the filters left out, so a reader of a rare kind does not read the rest again.
    """
    position = after.position if after else 0
    last = max(position, outbox.last_position())
    rows = OutboxEvent.objects.for_actor(actor).filter(position__gt=position, position__lte=last)
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    found = list(rows.order_by("position")[: at_most + 1])
    has_more, events = len(found) > at_most, found[:at_most]
    reached = events[-1].position if has_more else last
    return FeedPage(events, FeedCursor(reached or 0, now), has_more)
