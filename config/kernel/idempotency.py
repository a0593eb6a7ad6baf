"""`Idempotency-Key`: the same key and body give the first answer, the same key with another body is refused.

The key row is inserted in the same transaction as the effect, so a crash leaves both or neither. A twin request waits
for the first one's advisory lock for at most LOCK_WAIT_MS and then gets 409. Failed requests are not remembered.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import OperationalError, connection
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from config.kernel.errors import Conflict, ValidationFailed
from config.kernel.models import IdempotencyKey
from config.kernel.transactions import one_transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LOCK_WAIT_MS = 5000
MAX_KEY = 200
MAX_LOCATION = 400
_LOCK_NOT_AVAILABLE = "55P03"
_TABLE = IdempotencyKey._meta.db_table


def fingerprint(method: str, body: Any) -> str:
    """Equal for equal bodies, whatever the order of their keys."""
    text = json.dumps([method, body], sort_keys=True, cls=JSONEncoder, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def route_of(request: Any) -> str:
    """What a key belongs to: method and path, with or without the slash at its end."""
    return f"{request.method} {request.path.rstrip('/')}"


def service_key(request: Any) -> str:
    """The key a service keeps for ever in its own rows: of the caller, the route (with the document's number) and the
    header; without the header it is never the same twice."""
    header = request.headers.get(HEADER, "")
    if not header:
        return f"api:{uuid4()}"
    scope = f"{request.user.pk} {route_of(request)} {header}"
    return f"api:{hashlib.sha256(scope.encode()).hexdigest()}"


def once(request: Any, effect: Callable[[], Response]) -> Any:
    """Run `effect` (a write that makes something) in one transaction, at most once per (caller, route, key).

    Without the header the effect simply runs. Either way it is tried again after a deadlock. Raises ValidationFailed
    (422) on the same key with another body and Conflict (409) while the first request with that key is still running.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return one_transaction(effect)()
    if len(key) > MAX_KEY:
        raise ValidationFailed(_("The Idempotency-Key is longer than %d characters.") % MAX_KEY)
    route, print_ = route_of(request), fingerprint(request.method, request.data)
    try:
        return one_transaction(_remembered)(request.user, route, key, print_, effect)
    except OperationalError as exc:
        if getattr(exc.__cause__, "pgcode", None) == _LOCK_NOT_AVAILABLE:
            raise Conflict(_("A request with this Idempotency-Key is still running."), code="in_flight") from exc
        raise


def _remembered(user: Any, route: str, key: str, print_: str, effect: Callable[[], Response]) -> HttpResponse:
    if known := _claim(user, route, key):
        return _replay(*known, print_)
    response = effect()
    body, location = JSONRenderer().render(response.data), response.get("Location", "")
    # A code of many characters outside ASCII may be longer as an address than the row keeps.
    kept = location if len(location) <= MAX_LOCATION else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_TABLE} (caller_id, route, key, fingerprint, status, body, location, created_at) "  # noqa: S608
            "VALUES (%s, %s, %s, %s, %s, %s, %s, now())",
            [user.pk, route, key, print_, response.status_code, body.decode(), kept],
        )
    return _answer(body, response.status_code, location)


def _claim(user: Any, route: str, key: str) -> tuple[str, int, str, str] | None:
    """Be the only one with this key until the transaction ends; what is remembered under it, if anything is.

    One exchange with the database, of statements that each see what was committed before they began: the row is looked
    for after the wait. Two keys whose locks have the same number (once in 2^64) wait for each other, no more.
    """
    number = int.from_bytes(hashlib.sha256(f"{user.pk} {route} {key}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}; SELECT pg_advisory_xact_lock(%s); SET LOCAL lock_timeout = 0; "  # noqa: S608
            f"SELECT fingerprint, status, body, location FROM {_TABLE} "
            "WHERE caller_id = %s AND route = %s AND key = %s",
            [number, user.pk, route, key],
        )
        return cursor.fetchone()  # type: ignore[no-any-return]


def _replay(known: str, status: int, body: str, location: str, print_: str) -> HttpResponse:
    if known != print_:
        raise ValidationFailed(_("This Idempotency-Key was used with another body."), code="idempotency_key_reused")
    response = _answer(body.encode(), status, location)
    response[REPLAYED] = "true"
    return response


def _answer(body: bytes, status: int, location: str) -> HttpResponse:
    """The bytes as they are remembered; nothing renders them a second time."""
    headers = {"Location": location} if location else None
    return HttpResponse(body, status=status, content_type=JSONRenderer.media_type, headers=headers)
