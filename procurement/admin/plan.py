"""The button that runs the plan, and what stands beside it: the latest plan and its state."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from config.kernel.jobs import send_to_worker
from config.kernel.models import Job
from procurement.services.planning import PLAN, queue_plan


def latest_plan() -> Job | None:
    return Job.objects.filter(kind=PLAN).order_by("-created_at").first()


def plan_context(request: HttpRequest) -> dict[str, Any]:
    """For templates/admin/house/plan_bar.html."""
    return {
        "plan_job": latest_plan(),
        "may_run_plan": request.user.has_perm("procurement.run_plan"),
        "run_plan_url": reverse("admin:procurement_run_plan"),
    }


def run_plan_view(request: HttpRequest) -> HttpResponse:
    """Queue a plan and lead to its page; when one is under way already, lead there instead."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm("procurement.run_plan"):
        raise PermissionDenied
    job = latest_plan()
    if job is not None and job.state in Job.OPEN:
        messages.info(request, _("A plan is under way already; here it is."))
    else:
        with transaction.atomic():
            job = queue_plan(actor=request.user)
            send_to_worker(job)
        messages.success(request, _("The plan was queued."))
    return HttpResponseRedirect(reverse("admin:kernel_job_change", args=[job.pk]))
