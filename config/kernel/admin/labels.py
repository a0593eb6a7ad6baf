"""Printing labels of rows: an action of the list, a button of the page, a small form, and the PDF."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin.actions import PageAction, show_error
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import DomainError, ValidationFailed
from config.kernel.fields import plain
from config.kernel.labels import LAYOUTS, Label, Layout, label_sheet

MOST_LABELS = 1000
_DEFAULT = "a4-3x8"


class LabelsMixin:
    """Gives a HouseAdmin "Print labels"; the subclass says in `label_of(row)` what stands on one."""

    model: type[Model]
    admin_site: Any
    page_actions: tuple[PageAction, ...]

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)  # type: ignore[call-arg]
        options = model._meta
        view = f"{options.app_label}.view_{options.model_name}"
        button = PageAction("labels", gettext_lazy("Print labels"), view, self._from_page)
        self.page_actions = (*self.page_actions, button)
        self.actions: Any = (*(self.actions or ()), "print_labels")
        self._labels_name = f"{options.app_label}_{options.model_name}_labels"

    def label_of(self, row: Any) -> Label:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [
            path("labels/", self.admin_site.admin_view(self.labels_view), name=self._labels_name),
            path("labels/print/", self.admin_site.admin_view(self.print_view), name=f"{self._labels_name}_print"),
            *urls,
        ]

    @admin.action(description=gettext_lazy("Print labels"), permissions=["view"])
    def print_labels(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        keys = [str(key) for key in queryset.values_list("pk", flat=True)[: MOST_LABELS + 1]]
        if len(keys) > MOST_LABELS:
            messages.error(request, _("At most %d labels are printed at once.") % MOST_LABELS)
            return None
        return self._form(request, ",".join(keys))

    def _from_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        address = reverse(f"{self.admin_site.name}:{self._labels_name}")
        return HttpResponseRedirect(f"{address}?ids={row.pk}")

    def labels_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        return self._form(request, request.GET.get("ids", ""))

    def _form(self, request: HttpRequest, ids: str) -> HttpResponse:
        try:
            rows = self._rows(request, ids)
        except DomainError as error:
            show_error(request, error)
            return HttpResponseRedirect(self._list_url())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Print labels"),
            "opts": self.model._meta,
            "ids": ",".join(str(row.pk) for row in rows),
            "count": len(rows),
            "most": MOST_LABELS // len(rows),
            "first": [self.label_of(row) for row in rows[:5]],
            "layouts": LAYOUTS.values(),
            "chosen": _DEFAULT,
            "most_skipped": max(layout.per_page for layout in LAYOUTS.values()) - 1,
            "print_url": reverse(f"{self.admin_site.name}:{self._labels_name}_print"),
            "list_url": self._list_url(),
        }
        return render(request, "admin/house/labels.html", context)

    def print_view(self, request: HttpRequest) -> HttpResponse:
        """The PDF, shown by the browser; what is wrong is said on the form's page."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        ids = request.POST.get("ids", "")
        try:
            return pdf_response(self._pdf(request, ids), name=str(self.model._meta.model_name))
        except DomainError as error:
            show_error(request, error)
            return self._form(request, ids)

    def _pdf(self, request: HttpRequest, ids: str) -> bytes:
        rows = self._rows(request, ids)
        copies = typed_count(request.POST.get("copies"), name=_("Copies"), least=1)
        if len(rows) * copies > MOST_LABELS:
            raise ValidationFailed(_("At most %d labels are printed at once.") % MOST_LABELS)
        quantity = typed_quantity(request.POST.get("quantity"), name=_("Units"))
        if quantity is not None and quantity <= 0:
            raise ValidationFailed(_("The units on a label are more than 0."))
        note = f"× {plain(quantity)}" if quantity is not None else ""
        labels = [_noted(self.label_of(row), note) for row in rows for _copy in range(copies)]
        layout = _layout(request.POST.get("layout", ""))
        skip = typed_count(request.POST.get("skip") or "0", name=_("Places already used"), least=0)
        return label_sheet(labels, layout=layout, with_qr="qr" in request.POST, skip=skip)

    def _rows(self, request: HttpRequest, ids: str) -> list[Any]:
        """The rows the person may see, in the order asked for."""
        keys = [int(key) for key in ids.split(",") if key.isascii() and key.isdigit() and len(key) < 19]
        if not keys or len(keys) > MOST_LABELS:
            raise ValidationFailed(_("Choose what to print labels of: 1 to %d rows.") % MOST_LABELS)
        rows = self.get_queryset(request).filter(pk__in=keys)  # type: ignore[attr-defined]
        found = rows.select_related(*self.list_select_related).in_bulk()  # type: ignore[attr-defined]
        if not found:
            raise ValidationFailed(_("There is nothing to print."))
        return [found[key] for key in dict.fromkeys(keys) if key in found]

    def _list_url(self) -> str:
        options = self.model._meta
        return reverse(f"{self.admin_site.name}:{options.app_label}_{options.model_name}_changelist")


def typed_count(text: str | None, *, name: str, least: int) -> int:
    """A whole number from `least` to MOST_LABELS. Raises ValidationFailed."""
    typed = (text or "").strip()
    if not (typed.isascii() and typed.isdigit()) or len(typed) > 4 or not least <= int(typed) <= MOST_LABELS:
        raise ValidationFailed(
            _("%(name)s: a whole number from %(least)d to %(most)d.")
            % {"name": name, "least": least, "most": MOST_LABELS}
        )
    return int(typed)


def _layout(key: str) -> Layout:
    if key not in LAYOUTS:
        raise ValidationFailed(_("Choose the paper."))
    return LAYOUTS[key]


def _noted(label: Label, note: str) -> Label:
    return Label(title=label.title, subtitle=label.subtitle, code=label.code, note=note or label.note)


# The browser's own viewer of PDFs is a plugin to the content security policy.
_viewer_allowed: Any = csp_replace({"object-src": [SELF]})


@_viewer_allowed
def pdf_response(pdf: bytes, *, name: str) -> HttpResponse:
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="labels-{name}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
