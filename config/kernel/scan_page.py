"""Scanning in the admin: the box in every page's header, and what a scan into a list's own search box does."""

from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.scanning import cleaned, found, is_unmistakable, scanned_models

SHOWN = 6


def scan_view(request: HttpRequest, site: Any) -> HttpResponse:
    """To the page of the row with exactly this code; otherwise what looks like it, table by table."""
    typed = request.GET.get("code", "")
    hit = found(typed, actor=request.user, today=timezone.localdate())
    if hit is not None:
        return HttpResponseRedirect(hit.url)
    text = cleaned(typed).text
    context = {
        **site.each_context(request),
        "title": _("Search"),
        "typed": text,
        "groups": _groups(request, site, text) if text else [],
    }
    return render(request, "admin/house/scan.html", context)


def _groups(request: HttpRequest, site: Any, text: str) -> list[dict[str, Any]]:
    """The first rows of every table a code can lead to, searched as its own list searches."""
    groups = []
    for label in scanned_models():
        model_admin = site._registry.get(apps.get_model(label))
        if model_admin is None or not model_admin.has_view_permission(request):
            continue
        rows, has_duplicates = model_admin.get_search_results(request, model_admin.get_queryset(request), text)
        rows = rows.select_related(*model_admin.list_select_related or ()).order_by("pk")
        first = list((rows.distinct() if has_duplicates else rows)[: SHOWN + 1])
        address = f"admin:{label.replace('.', '_')}"
        if first:
            groups.append(
                {
                    "name": model_admin.opts.verbose_name_plural,
                    "rows": [(reverse(f"{address}_change", args=[row.pk]), row) for row in first[:SHOWN]],
                    "more": f"{reverse(f'{address}_changelist')}?{urlencode({SEARCH_VAR: text})}"
                    if len(first) > SHOWN
                    else "",
                }
            )
    return groups


def scan_redirect(request: HttpRequest, model: str) -> HttpResponseRedirect | None:
    """Where a search of a list leads instead: to the row of that list with exactly this code, or to any row when the
    text can only be a scan (`L:MAIN/A-01`, GS1, a scanner's identifier). None: search as ever.
    """
    typed = request.GET.get(SEARCH_VAR, "")
    if request.method != "GET" or not typed or IS_POPUP_VAR in request.GET:
        return None
    today = timezone.localdate()
    hit = found(typed, actor=request.user, today=today, only=model)
    if hit is None and is_unmistakable(typed):
        hit = found(typed, actor=request.user, today=today)
    if hit is not None:
        return HttpResponseRedirect(hit.url)
    text = cleaned(typed).text
    if text in ("", typed, typed.strip()):
        return None
    query = request.GET.copy()
    query[SEARCH_VAR] = text
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
