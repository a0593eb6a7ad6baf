"""API paths always answer with problem documents, also where DRF never sees the request."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from config.kernel.problems import CONTENT_TYPE, problem, problem_of, problem_page

log = logging.getLogger(__name__)
API_PREFIX = "/api/"


class ProblemDetailsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API_PREFIX):
            return self.get_response(request)
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problem_page(
                problem(400, "Invalid request", _("Text may not contain NUL or broken characters."), "invalid_value")
            )
        response = self.get_response(request)
        if response.status_code == 404 and not response.get("Content-Type", "").startswith(
            (CONTENT_TYPE, "application/json")
        ):
            return problem_page(problem(404, "Not found", _("There is no such resource."), "not_found"))
        return response

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if not request.path.startswith(API_PREFIX):
            return None
        document = problem_of(exc)
        if document is not None:
            return problem_page(document)
        log.exception("unhandled error in %s %s", request.method, request.path)
        text = _("Something went wrong on our side; it has been logged.")
        return problem_page(problem(500, "Internal error", text, "internal"))
