"""Domain and framework errors → `application/problem+json` (RFC 9457), in one place."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError
from django.http import Http404, HttpResponse, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.kernel import errors

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[errors.DomainError], int, str], ...] = (
    (errors.NotFound, 404, "Not found"),
    (errors.PermissionRefused, 403, "Not allowed"),
    (errors.Conflict, 409, "Conflict with the current state"),
    (errors.ValidationFailed, 422, "Invalid request"),
    (errors.DomainError, 400, "Request refused"),
)


def problem(status_code: int, title: str, detail: str, code: str, **extra: Any) -> dict[str, Any]:
    """A problem document. `code` is stable for machines, `detail` is for people."""
    return {"type": "about:blank", "title": title, "status": status_code, "detail": detail, "code": code, **extra}


def problem_of(exc: Exception) -> dict[str, Any] | None:
    """The problem document of an exception, or None when it is a fault of ours that must surface as 500."""
    if isinstance(exc, errors.DomainError):
        http, title = next((s, t) for kind, s, t in _STATUS if isinstance(exc, kind))
        return problem(http, title, str(exc), exc.code, **({"items": list(exc.items)} if exc.items else {}))
    if isinstance(exc, exceptions.ValidationError):
        return problem(400, "Invalid request", "The request has invalid fields.", "invalid", fields=exc.detail)
    if isinstance(exc, DjangoValidationError):
        return problem(400, "Invalid request", "; ".join(exc.messages), "invalid")
    if isinstance(exc, Http404):
        return problem(404, "Not found", "There is no such resource.", "not_found")
    if isinstance(exc, PermissionDenied):
        return problem(403, "Not allowed", "You may not do this.", "permission_denied")
    if isinstance(exc, exceptions.APIException):
        code = exc.get_codes()
        return problem(
            exc.status_code,
            str(exc.default_detail),
            str(exc.detail),
            code if isinstance(code, str) else exc.default_code,
        )
    if isinstance(exc, IntegrityError):
        log.warning("integrity error reached the API: %s", exc)
        return problem(409, "Conflict", "The change contradicts what is stored.", "integrity")
    if isinstance(exc, DataError | UnicodeError):
        return problem(400, "Invalid request", "A value is out of range or cannot be stored.", "invalid_value")
    if isinstance(exc, ValueError) and "NUL" in str(exc):
        return problem(400, "Invalid request", "Text may not contain NUL characters.", "invalid_value")
    if isinstance(exc, SuspiciousOperation):
        return problem(400, "Invalid request", "The request was refused.", "bad_request")
    return None


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    document = problem_of(exc)
    if document is None:
        return None
    set_rollback()
    headers: dict[str, str] = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        document["status"] = status.HTTP_401_UNAUTHORIZED
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)


def problem_page(http: int, title: str, detail: str, code: str) -> HttpResponse:
    """The same document outside DRF (unknown API path, a fault of ours)."""
    return JsonResponse(problem(http, title, detail, code), status=http, content_type=CONTENT_TYPE)
