"""Jobs: how far long work is, why it failed, and a button to stop it."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from config.kernel.admin.actions import PageAction
from config.kernel.admin.base import DOCUMENT_TEMPLATE, ReadOnlyAdmin
from config.kernel.admin.named import named_values
from config.kernel.admin.panels import panel, render_panel
from config.kernel.jobs import request_cancel, resume_job
from config.kernel.models import Job

STATE_LABELS = {
    Job.State.QUEUED: "info",
    Job.State.RUNNING: "info",
    Job.State.DONE: "success",
    Job.State.FAILED: "danger",
    Job.State.CANCELLED: "warning",
}


RESULT_NAMES = {
    "run_id": gettext_lazy("Forecast run"),
    "as_of": gettext_lazy("As of"),
    "series": gettext_lazy("Series"),
    "below_reorder_point": gettext_lazy("Below reorder point"),
    "without_supplier": gettext_lazy("Without supplier"),
    "proposals_new": gettext_lazy("New proposals"),
    "proposals_withdrawn": gettext_lazy("Withdrawn proposals"),
    "proposals_open": gettext_lazy("Open proposals"),
    "nothing_new": gettext_lazy("Nothing new"),
    "unplannable": gettext_lazy("Could not be planned"),
}


def cancel(request: HttpRequest, job: Job) -> str:
    request_cancel(job.pk, now=timezone.now())
    return _("The job was asked to stop.")


def resume(request: HttpRequest, job: Job) -> str:
    resume_job(job.pk)
    return _("A worker goes on with the job.")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("shown_kind", "shown_state", "step", "progress", "actor", "created_at", "finished_at")
    list_filter = ("state", ("kind", named_values(Job.KIND_NAMES)), "created_at")
    search_fields = ("kind", "step", "error", "run_key")
    list_select_related = ("actor",)
    ordering = ("-created_at",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = gettext_lazy("A job appears here when a plan is run or a file is imported.")
    page_actions = (
        PageAction(
            "cancel",
            gettext_lazy("Cancel this job"),
            "kernel.cancel_job",
            cancel,
            style="danger",
            confirm=gettext_lazy("Stop this job at its next step?"),
            is_offered=lambda job: job.state in Job.OPEN and not job.cancel_requested,
        ),
        PageAction(
            "resume",
            gettext_lazy("Go on with this job"),
            "kernel.resume_job",
            resume,
            is_offered=lambda job: job.state == Job.State.FAILED and job.kind in settings.JOB_TASKS,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        status = path("<uuid:job_id>/status/", self.admin_site.admin_view(self.status), name="kernel_job_status")
        return [status, *super().get_urls()]

    def status(self, request: HttpRequest, job_id: Any) -> HttpResponse:
        """The progress panel alone, fetched by the job's page while the job runs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=job_id).first()
        if job is None:
            raise Http404
        return render(request, "admin/house/job_status.html", _job_context(request, job))

    @display(description=gettext_lazy("kind"), ordering="kind")
    def shown_kind(self, job: Job) -> str:
        return job.kind_name

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_LABELS)
    def shown_state(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=gettext_lazy("progress"))
    def progress(self, job: Job) -> str:
        return f"{job.done} / {job.total}" if job.total else "–"


def _job_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    ended = job.finished_at or timezone.now()
    return {
        "job": job,
        "is_open": job.state in Job.OPEN,
        "share": round(100 * job.done / job.total) if job.total else None,
        "seconds": round((ended - job.started_at).total_seconds()) if job.started_at else None,
        "facts": _facts(job.result),
        "status_url": reverse("admin:kernel_job_status", args=[job.pk]),
    }


def _facts(result: Any) -> list[tuple[str, Any]]:
    """The job's result in words; what is empty is left out, what has parts of its own is told by a panel."""
    if not isinstance(result, dict):
        return []
    told = {True: _("yes"), False: _("no")}
    return [
        (
            str(RESULT_NAMES.get(name, str(name).replace("_", " ").capitalize())),
            told[value] if isinstance(value, bool) else value,
        )
        for name, value in result.items()
        if value not in (None, "", []) and not isinstance(value, dict)
    ]


@panel("kernel.job", order=10)
def job_panel(request: HttpRequest, job: Job) -> SafeString:
    return render_panel("admin/house/job.html", request, _job_context(request, job))
