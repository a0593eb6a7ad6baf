"""The feed of events: what happened, in order, for programs that ask rather than be told."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

from catalog.models import Channel
from config.kernel import outbox
from config.kernel.api import HouseViewSet
from monitoring.selectors.events import FeedCursor, FeedPage, feed_page

LATEST = "latest"
PAGE_SIZE, MAX_PAGE_SIZE = 200, 1000
MAX_KINDS = 50


class CursorExpired(APIException):
    status_code = 410
    default_code = "cursor_expired"


class EventSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    sequence = serializers.IntegerField(help_text="Of two events on the same thing the larger is the newer.")
    type = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    key = serializers.CharField(help_text="What it is about; empty when it stands for itself.")
    timestamp = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]


@extend_schema_serializer(many=False)
class FeedSerializer(serializers.Serializer):
    results = EventSerializer(many=True)
    after = serializers.CharField(help_text="Keep it, and ask with it next.")
    has_more = serializers.BooleanField(help_text="Whether to ask again at once.")


def _query(name: str, kind: Any, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=text)


PARAMETERS = [
    _query("after", OpenApiTypes.STR, f"The `after` of the last answer; `{LATEST}` begins now, nothing at the oldest."),
    _query("kind", OpenApiTypes.STR, "Only this kind, or these by commas."),
    _query("channel", OpenApiTypes.STR, "Only events of the channel with this code."),
    _query("page_size", {"type": "integer", "minimum": 1, "default": PAGE_SIZE}, f"At most {MAX_PAGE_SIZE}."),
]


class EventViewSet(HouseViewSet):
    """Its answer is a feed and no list: there is no way back, and the next cursor comes with the last page too."""

    serializer_class = FeedSerializer
    filter_backends = []
    pagination_class = None
    permission_map: ClassVar = {"list": "kernel.view_outboxevent"}

    @extend_schema(parameters=PARAMETERS, responses=FeedSerializer)
    def list(self, request: Any) -> Response:
        """What happened since. Events come at least once, in order; ask again with `after`.

        410 `cursor_expired` when `after` is older than events are kept for.
        """
        asked, now = _asked(request.query_params), self.now()
        outbox.place_events()
        after = _cursor(asked.get("after"), now)
        page = feed_page(
            actor=request.user,
            after=after,
            now=now,
            at_most=_size(asked),
            channel_id=_channel_id(asked.get("channel"), request.user),
            kinds=_kinds(asked),
        )
        return Response(_answer(page))


def _asked(parameters: Any) -> dict[str, str]:
    known = {parameter.name for parameter in PARAMETERS}
    if unknown := sorted(set(parameters) - known):
        message = _("There is no such parameter; known are: %s.") % ", ".join(sorted(known))
        raise ValidationError({name: [message] for name in unknown})
    return {name: parameters[name] for name in parameters}


def _cursor(text: str | None, now: Any) -> FeedCursor | None:
    if not text:
        return None
    if text == LATEST:
        return FeedCursor(outbox.last_position(), now)
    try:
        cursor = FeedCursor.of(text)
    except ValueError as exc:
        raise ValidationError({"after": [_("This is no cursor of the feed; send `after` as it came.")]}) from exc
    if cursor.is_expired(now=now):
        raise CursorExpired(
            _("The cursor is too old: events may be gone. Ask with after=latest, read the full state, then go on.")
        )
    return cursor


def _size(asked: dict[str, str]) -> int:
    text = asked.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1):
        raise ValidationError({"page_size": [_("A whole number from 1 to %d.") % MAX_PAGE_SIZE]})
    return min(int(text), MAX_PAGE_SIZE)


def _channel_id(code: str | None, actor: Any) -> int | None:
    if not code:
        return None
    channel = Channel.objects.for_actor(actor).filter(code=code.replace("\x00", "")).first()
    if channel is None:
        raise ValidationError({"channel": [_("There is no such channel.")]})
    return channel.pk


def _kinds(asked: dict[str, str]) -> list[str]:
    kinds = [kind.strip() for kind in asked.get("kind", "").split(",") if kind.strip()]
    if len(kinds) > MAX_KINDS or any("\x00" in kind for kind in kinds):
        raise ValidationError({"kind": [_("At most %d kinds, by commas.") % MAX_KINDS]})
    return kinds


def _answer(page: FeedPage) -> dict[str, Any]:
    codes = dict(Channel.objects.values_list("pk", "code"))
    results = [
        {
            "id": event.pk,
            "sequence": event.position,
            "type": event.kind,
            "channel": codes.get(event.channel_id or 0),
            "key": event.key,
            "timestamp": event.created_at.isoformat(),
            "data": event.payload,
        }
        for event in page.events
    ]
    return {"results": results, "after": page.after.text(), "has_more": page.has_more}
