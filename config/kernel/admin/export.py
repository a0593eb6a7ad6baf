"""Every table leaves the house as CSV: the rows the actor may see, streamed, with formulas disarmed."""

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path

CHUNK = 2000
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\x00")
# How a row is named in a cell, the first of these its model has.
_NAMES = ("code", "number", "external_id", "username")


def escaped(value: Any) -> str:
    """A cell no spreadsheet takes for a formula: text that starts like one gets a leading apostrophe. Numbers stay.

    >>> escaped("=1+1"), escaped(Decimal("-3.000")), escaped("-3")
    ("'=1+1", '-3.000', "'-3")
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, default=str) if isinstance(value, (dict, list)) else str(value)
    return "'" + text if text.startswith(_DANGEROUS) else text


class _Echo:
    def write(self, line: str) -> str:
        return line


class CsvExportMixin:
    """`<changelist>/export/` with the changelist's own filters and search. `export_fields` are ORM paths; what has to
    be worked out is named in `export_worked_out`, in the order in which `worked_out(keys)` gives it for each key."""

    export_fields: tuple[str, ...] | None = None
    export_worked_out: tuple[str, ...] = ()
    model: type[Model]
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}_export"
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *urls]

    def export_columns(self) -> tuple[str, ...]:
        return self.export_fields or tuple(_path_of(field) for field in self.model._meta.concrete_fields)

    def worked_out(self, keys: Sequence[Any]) -> Mapping[Any, Sequence[Any]]:
        return {}

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)  # type: ignore[attr-defined]
        chunks = _chunks(rows, self.export_columns(), self.export_worked_out, self.worked_out)
        body = _unblocked(chunks) if isinstance(request, ASGIRequest) else chunks
        name = str(self.model._meta.model_name)
        return StreamingHttpResponse(
            body,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
        )


def _path_of(field: Any) -> str:
    if not isinstance(field, ForeignKey):
        return str(field.name)
    names = {f.name for f in field.related_model._meta.concrete_fields}
    return next((f"{field.name}__{name}" for name in _NAMES if name in names), field.attname)


def _chunks(
    rows: QuerySet,
    columns: tuple[str, ...],
    more: tuple[str, ...] = (),
    work_out: Callable[[Sequence[Any]], Mapping[Any, Sequence[Any]]] = lambda keys: {},
) -> Iterator[str]:
    """CSV text, some thousand rows at a time, walked by primary key so that memory and locks stay small."""
    writer = csv.writer(_Echo())
    yield "﻿" + writer.writerow([column.replace("__", ".") for column in (*columns, *more)])
    last = None
    while True:
        page = rows.order_by("pk") if last is None else rows.order_by("pk").filter(pk__gt=last)
        part = list(page.values_list("pk", *columns)[:CHUNK])
        if not part:
            return
        last = part[-1][0]
        found = work_out([row[0] for row in part]) if more else {}
        yield _lines(writer, ((*row[1:], *found.get(row[0], ())) for row in part))


def _lines(writer: Any, rows: Iterable[Iterable[Any]]) -> str:
    return "".join(writer.writerow([escaped(value) for value in row]) for row in rows)


async def _unblocked(chunks: Iterator[str]) -> AsyncIterator[str]:
    """The same chunks for the ASGI server, each read in the request's own thread, none held back."""

    def following() -> str | None:
        return next(chunks, None)

    while (chunk := await sync_to_async(following, thread_sensitive=True)()) is not None:
        yield chunk


def csv_response(request: HttpRequest, lines: Iterable[Iterable[Any]], *, name: str) -> StreamingHttpResponse:
    """Lines that are no rows of a table, as a file of this name: streamed like the others."""
    chunks = _written(lines)
    return StreamingHttpResponse(
        _unblocked(chunks) if isinstance(request, ASGIRequest) else chunks,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _written(lines: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer, rest = csv.writer(_Echo()), iter(lines)
    yield "\ufeff"
    while part := list(islice(rest, CHUNK)):
        yield _lines(writer, part)
