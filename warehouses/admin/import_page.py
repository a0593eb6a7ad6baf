"""Importing a file of sales from the browser: the form, and what its job and its record show in the end."""

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.admin import panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.errors import DomainError, ValidationFailed
from config.kernel.models import Job
from warehouses.models import SalesImport, Warehouse
from warehouses.services.importing.summary import LABELS
from warehouses.services.importing.uploads import ENDINGS, IMPORT_SALES, MAX_BYTES, queue_file_import, rejects_path

ADD = "warehouses.add_salesimport"
CHUNK_BYTES = 1 << 16


def import_file_view(request: HttpRequest) -> HttpResponse:
    """The form; a POST queues the import and leads to its job. What was typed stays when something is wrong."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    if request.method == "POST":
        try:
            job, is_new = _queue(request)
        except DomainError as error:
            show_error(request, error)
        else:
            messages.info(request, _("The import was queued.") if is_new else _("This import was queued already."))
            return HttpResponseRedirect(reverse("admin:kernel_job_change", args=[job.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("Import a file of sales"),
        "opts": SalesImport._meta,
        "channels": Channel.objects.for_actor(request.user).order_by("code"),
        "warehouses": Warehouse.objects.for_actor(request.user).filter(is_active=True),
        "chosen_channel": request.POST.get("channel", ""),
        "chosen_warehouse": request.POST.get("warehouse", ""),
        "accepted": ",".join(ENDINGS),
        "most_megabytes": MAX_BYTES // 1024 // 1024,
        "key": str(uuid.uuid4()),
    }
    return render(request, "admin/house/import_file.html", context)


def _queue(request: HttpRequest) -> tuple[Job, bool]:
    file = request.FILES.get("file")
    if file is None:
        raise ValidationFailed(_("Choose a file."))
    return queue_file_import(
        file,
        channel_code=request.POST.get("channel", "").strip(),
        warehouse_code=request.POST.get("warehouse", "").strip(),
        key=request.POST.get("key", ""),
        actor=request.user,
    )


def rejects_response(request: HttpRequest, upload_id: UUID) -> StreamingHttpResponse:
    """The rejected lines of an upload, as they are: they are corrected and imported again. Raises Http404."""
    try:
        file = rejects_path(upload_id).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return StreamingHttpResponse(
        _unblocked(file) if isinstance(request, ASGIRequest) else _chunks(file),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rejects-{upload_id}.csv"', "Cache-Control": "no-store"},
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _unblocked(file: BinaryIO) -> AsyncIterator[bytes]:
    chunks = _chunks(file)

    def following() -> bytes | None:
        return next(chunks, None)

    while (chunk := await sync_to_async(following, thread_sensitive=True)()) is not None:
        yield chunk


def counted(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The counts in words, in the order of the summary."""
    return [
        {"label": LABELS[key], "lines": counts[key], "is_rejected": key.startswith("rejected.")}
        for key in LABELS
        if counts.get(key)
    ]


def _rejects_url(upload_id: Any) -> str:
    """Where the rejected lines can be downloaded; "" when they are not kept here (the command writes its own)."""
    try:
        found = UUID(str(upload_id))
    except ValueError:
        return ""
    return reverse("admin:warehouses_salesimport_rejects", args=[found]) if rejects_path(found).is_file() else ""


@panel("kernel.job", order=20, permission="warehouses.view_salesimport")
def import_job_panel(request: HttpRequest, job: Job) -> SafeString | None:
    told = job.result.get("import") if job.kind == IMPORT_SALES and isinstance(job.result, dict) else None
    if not told:
        return None
    context = {
        "told": told,
        "counted": counted(told["counts"]),
        "rejects_url": _rejects_url(told["upload"]),
        "record_url": reverse("admin:warehouses_salesimport_change", args=[told["record"]]) if told["record"] else "",
    }
    return render_panel("admin/house/import_job.html", request, context)


@panel("warehouses.salesimport", order=10)
def import_panel(request: HttpRequest, sales_import: SalesImport) -> SafeString:
    """A record of an import: how every line of the file was counted."""
    lines = {key: count for key, count in (sales_import.counts or {}).items() if isinstance(count, int)}
    context = {
        "record": sales_import,
        "counted": counted(lines),
        "lines": sum(lines.values()),
        "columns": sorted((sales_import.column_map or {}).items()),
        "rejects_url": _rejects_url(Path(sales_import.rejects_file).name.removesuffix(".rejects.csv")),
    }
    return render_panel("admin/house/import_record.html", request, context)
