"""The one admin site: only people of the company enter, and its pages carry their own content security policy."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite

from config.kernel.acting import acting
from config.kernel.policy import is_internal
from config.kernel.scan_page import scan_view

# The theme's Alpine.js evaluates expressions in attributes and sets inline styles. Inline scripts stay forbidden.
ADMIN_CSP = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class HouseAdminSite(UnfoldAdminSite):
    enable_nav_sidebar = True
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff of the company; a supplier's user never, whatever flags it carries."""
        return bool(getattr(request.user, "is_staff", False)) and is_internal(request.user)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """What a person writes on any page of the admin, the audit trail ascribes to them."""

        @wraps(view)
        def signed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            with acting(request.user):
                return view(request, *args, **kwargs)

        return csp_update(ADMIN_CSP)(super().admin_view(signed, cacheable))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        scan = self.admin_view(partial(scan_view, site=self))
        return [path("scan/", scan, name="scan"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        def page(request: HttpRequest) -> HttpResponse:
            return super(HouseAdminSite, self).login(request, extra_context)

        return cast(HttpResponse, csp_update(ADMIN_CSP)(page)(request))
