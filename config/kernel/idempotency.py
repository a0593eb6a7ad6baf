"""`Idempotency-Key`: the same key and body give the first answer, the same key with another body is refused.

The key row is inserted in the same transaction as the effect, so a crash leaves both or neither. A twin request waits
on the unique index for at most LOCK_WAIT_MS and then gets 409. Failed requests are not remembered.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import OperationalError, connection
from django.utils.translation import gettext as _
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


def once(request: Any, effect: Callable[[], Response]) -> Response:
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


def _remembered(user: Any, route: str, key: str, print_: str, effect: Callable[[], Response]) -> Response:
    row, is_new = _claim(user, route, key, print_)
    if not is_new:
        return _replay(row, print_)
    response = effect()
    body, location = json.dumps(response.data, cls=JSONEncoder), response.get("Location", "")
    # A code of many characters outside ASCII may be longer as an address than the row keeps.
    location = location if len(location) <= MAX_LOCATION else ""
    IdempotencyKey.objects.filter(pk=row.pk).update(status=response.status_code, body=body, location=location)
    return response


def _claim(user: Any, route: str, key: str, print_: str) -> tuple[IdempotencyKey, bool]:
    table = IdempotencyKey._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
        cursor.execute(
            f"INSERT INTO {table} (caller_id, route, key, fingerprint, body, location, created_at) "  # noqa: S608
            "VALUES (%s, %s, %s, %s, '', '', now()) ON CONFLICT (caller_id, route, key) DO NOTHING RETURNING id",
            [user.pk, route, key, print_],
        )
        made = cursor.fetchone()
        cursor.execute("SET LOCAL lock_timeout = 0")
    if made:
        return IdempotencyKey(pk=made[0]), True
    return IdempotencyKey.objects.get(caller=user, route=route, key=key), False


def _replay(row: IdempotencyKey, print_: str) -> Response:
    if row.fingerprint != print_:
        raise ValidationFailed(_("This Idempotency-Key was used with another body."), code="idempotency_key_reused")
    headers = {REPLAYED: "true"} | ({"Location": row.location} if row.location else {})
    return Response(json.loads(row.body), status=row.status, headers=headers)
