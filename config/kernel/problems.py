"""Domain and framework errors → `application/problem+json` (RFC 9457), in one place."""

import logging
from collections.abc import Iterator, Mapping
from decimal import InvalidOperation
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
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
_BUSY = {"40P01", "40001", "55P03", "57014"}  # deadlock, serialization, lock not available, statement timeout
_NOT_UNIQUE, _STILL_USED = "23505", "23503"


def problem(status_code: int, title: str, detail: str, code: str, **extra: Any) -> dict[str, Any]:
    """A problem document. `code` is stable for machines, `detail` is for people."""
    return {"type": "about:blank", "title": title, "status": status_code, "detail": detail, "code": code, **extra}


def problem_of(exc: BaseException) -> dict[str, Any] | None:
    """The problem document of an exception, or None when it is a fault of ours that must surface as 500."""
    if isinstance(exc, errors.DomainError):
        http, title = next((s, t) for kind, s, t in _STATUS if isinstance(exc, kind))
        return problem(http, title, str(exc), exc.code, **({"items": list(exc.items)} if exc.items else {}))
    return _of_the_framework(exc) or _of_the_database(exc) or _of_the_input(exc)


def _of_the_framework(exc: BaseException) -> dict[str, Any] | None:
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc.detail)
    if isinstance(exc, DjangoValidationError):
        # A set of messages with the field names, where it has them.
        return _invalid(exc.message_dict if hasattr(exc, "error_dict") else exc.messages)
    if isinstance(exc, Http404):
        return problem(404, "Not found", _("There is no such resource."), "not_found")
    if isinstance(exc, PermissionDenied):
        return problem(403, "Not allowed", _("You may not do this."), "permission_denied")
    if isinstance(exc, exceptions.APIException):
        code = exc.get_codes()
        return problem(
            exc.status_code,
            HTTPStatus(exc.status_code).phrase,  # not default_detail, which may be a template: "… {media_type}"
            str(exc.detail),
            code if isinstance(code, str) else exc.default_code,
        )
    return None


def _invalid(detail: Any) -> dict[str, Any]:
    fields = (
        {"non_field_errors" if name == "__all__" else name: why for name, why in detail.items()}
        if isinstance(detail, dict)
        else {"non_field_errors": detail}
    )
    said = {"fields": fields, "items": list(_named(fields))}
    return problem(400, "Invalid request", _("The request has invalid fields."), "invalid", **said)


def _named(faults: Any, line: int | None = None, field: str = "") -> Iterator[dict[str, Any]]:
    """Every fault by itself, as services name theirs; `line` is the place in the list of lines, from 1."""
    if isinstance(faults, Mapping):
        for name, why in faults.items():
            if isinstance(name, int):
                yield from _named(why, name + 1 if line is None else line, field)
            else:
                yield from _named(why, line, field if name == "non_field_errors" and field else name)
    elif isinstance(faults, list | tuple):
        for fault in faults:
            yield from _named(fault, line, field)
    else:
        yield {**({} if line is None else {"line": line}), "field": field, "message": str(faults)}


def _of_the_database(exc: BaseException) -> dict[str, Any] | None:
    if isinstance(exc, IntegrityError):
        log.warning("integrity error reached the API: %s", exc)
        return _of_a_constraint(exc)
    if isinstance(exc, DataError):
        return problem(400, "Invalid request", _("A value is out of range or cannot be stored."), "invalid_value")
    if isinstance(exc, OperationalError) and getattr(exc.__cause__, "pgcode", None) in _BUSY:
        log.warning("the database was too busy for a request: %s", exc)
        return problem(503, "Busy", _("Too many changes of the same rows at once; try again."), "busy")
    return None


def _of_a_constraint(exc: IntegrityError) -> dict[str, Any]:
    cause = exc.__cause__
    sqlstate = getattr(cause, "pgcode", None)
    name = getattr(getattr(cause, "diag", None), "constraint_name", None)
    named = {"constraint": name} if name else {}
    if sqlstate == _NOT_UNIQUE:
        return problem(409, "Conflict", _("There is one like this already."), "already_exists", **named)
    if sqlstate == _STILL_USED:
        return problem(409, "Conflict", _("Something else still points at it, or is gone."), "integrity", **named)
    return problem(422, "Invalid request", _("The values contradict each other."), "contradiction", **named)


def _of_the_input(exc: BaseException) -> dict[str, Any] | None:
    if isinstance(exc, UnicodeError) or (isinstance(exc, ValueError) and "NUL" in str(exc)):
        return problem(400, "Invalid request", _("Text may not contain NUL or broken characters."), "invalid_value")
    if isinstance(exc, OverflowError | InvalidOperation):
        return problem(400, "Invalid request", _("A value is out of range or cannot be stored."), "invalid_value")
    if isinstance(exc, RecursionError):
        return problem(400, "Invalid request", _("The body is nested too deeply."), "too_deep")
    if isinstance(exc, SuspiciousOperation):
        return problem(400, "Invalid request", _("The request was refused."), "bad_request")
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
    if document["status"] == status.HTTP_503_SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        document["status"] = status.HTTP_401_UNAUTHORIZED
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)


def problem_page(document: dict[str, Any]) -> HttpResponse:
    """The same document outside DRF (unknown API path, a fault of ours)."""
    return JsonResponse(document, status=document["status"], content_type=CONTENT_TYPE)
