"""A row's page is put together from panels; each app adds its own to rows of the apps on its left.

So the page of a SKU shows forecasts and purchase orders although `catalog` knows nothing of either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

PanelFunction = Callable[[HttpRequest, Any], SafeString | None]


@dataclass(frozen=True, slots=True)
class Panel:
    order: int
    permission: str | None
    render: PanelFunction


_PANELS: dict[str, list[Panel]] = {}


def panel(model_label: str, *, order: int, permission: str | None = None) -> Callable[[PanelFunction], PanelFunction]:
    """Add a panel to the pages of a model ("catalog.sku"); it is left out for people without the permission."""

    def add(function: PanelFunction) -> PanelFunction:
        _PANELS.setdefault(model_label, []).append(Panel(order, permission, function))
        return function

    return add


def has_panels(model_label: str) -> bool:
    return model_label in _PANELS


def panels_of(model_label: str, request: HttpRequest, obj: Any) -> list[SafeString]:
    """The rendered panels the viewer may see, in order; a panel with nothing to say gives None and is left out."""
    wanted = sorted(_PANELS.get(model_label, []), key=lambda entry: entry.order)
    allowed = [p for p in wanted if p.permission is None or request.user.has_perm(p.permission)]
    return [html for html in (p.render(request, obj) for p in allowed) if html]


def render_panel(template: str, request: HttpRequest, context: Mapping[str, Any]) -> SafeString:
    return render_to_string(template, dict(context), request=request)
