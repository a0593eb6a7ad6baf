"""Buttons of a row's page. Each is a POST to `<page>/do/<verb>/` that calls one service and comes back to the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from config.kernel.errors import DomainError

# Gets the request and the row, returns the sentence to show (or None), may raise DomainError.
Handler = Callable[[HttpRequest, Any], Any]


@dataclass(frozen=True, slots=True)
class PageAction:
    """One thing to do. `is_offered` says whether the row's state allows it now (the service checks again); `in_bar` is
    False for those whose button stands in a form of its own on the page."""

    verb: str
    label: Any
    permission: str
    handler: Handler
    style: str = "plain"  # plain, primary or danger
    confirm: Any = ""
    is_offered: Callable[[Any], bool] = lambda row: True
    in_bar: bool = True


def show_error(request: HttpRequest, error: DomainError) -> None:
    """The error and every fault it lists, as messages."""
    faults = [text for item in error.items if (text := _fault(item))]
    said = str(error)
    if len(faults) == 1 and (first := str(error.items[0].get("message", ""))) and first in said:
        said, faults = said.replace(first, faults[0]), []  # the error quotes its only fault: not twice
    for text in (said, *faults):
        messages.error(request, text)


def _fault(item: Mapping[str, Any]) -> str:
    """One fault in words, with the line it is of."""
    text = item.get("message") or item.get("detail")
    if not text:
        return " · ".join(f"{key}: {value}" for key, value in item.items())
    line = item.get("line_number", item.get("line"))
    return gettext("Line %(line)s: %(text)s") % {"line": line, "text": text} if isinstance(line, int) else str(text)


class PageActionsMixin:
    """Gives a ModelAdmin its `page_actions` and the address they post to."""

    page_actions: tuple[PageAction, ...] = ()
    model: type[Model]
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [
            path("<path:object_id>/do/<slug:verb>/", self.admin_site.admin_view(self.do), name=self._do_name),
            *urls,
        ]

    @property
    def _do_name(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_do"

    def do(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        action = next((entry for entry in self.page_actions if entry.verb == verb), None)
        if action is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        return self.run(request, row, action)

    def run(self, request: HttpRequest, row: Any, action: PageAction) -> HttpResponse:
        """Call the handler; a DomainError becomes a message and the page shows what is true now."""
        try:
            answer = action.handler(request, row)
        except DomainError as error:
            show_error(request, error)
            answer = None
        if isinstance(answer, HttpResponse):
            return answer
        if answer:
            messages.success(request, str(answer))
        return HttpResponseRedirect(self.page_url(row))

    def page_url(self, row: Any) -> str:
        options = self.model._meta
        return reverse(f"{self.admin_site.name}:{options.app_label}_{options.model_name}_change", args=[row.pk])

    def buttons(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """The buttons that this person may press on this row now."""
        return [
            {
                "url": reverse(f"{self.admin_site.name}:{self._do_name}", args=[row.pk, entry.verb]),
                "label": entry.label,
                "style": entry.style,
                "confirm": entry.confirm,
                "verb": entry.verb,
            }
            for entry in self.page_actions
            if entry.in_bar and request.user.has_perm(entry.permission) and entry.is_offered(row)
        ]
