"""The page of a task: what is asked, who works on it until when, and the buttons."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import PageAction, panel, render_panel
from config.kernel.admin.reading import typed_quantity
from config.kernel.errors import ValidationFailed
from warehouses.models import Task
from warehouses.services.tasks import cancel_pointless, cancel_task, claim_task, complete_task, release_task

WORK, CANCEL = "warehouses.work_task", "warehouses.change_task"
MY_WORK = gettext_lazy("My work")


def typed_token(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError as exc:
        raise ValidationFailed(_("The form was incomplete; load the page again.")) from exc


def is_claimable(task: Task) -> bool:
    expires = task.lease_expires_at
    return task.state == Task.State.OPEN or (
        task.state == Task.State.CLAIMED and expires is not None and expires <= timezone.now()
    )


def is_mine(request: HttpRequest, task: Task) -> bool:
    return task.state == Task.State.CLAIMED and task.claimed_by_id == request.user.pk


def _claim(request: HttpRequest, task: Task) -> str:
    claimed = claim_task(task.number, worker=worker_name(request), now=timezone.now(), actor=request.user)
    return _("%s is yours.") % claimed.number


def _complete(request: HttpRequest, task: Task) -> str:
    return complete_typed(request, task)


def complete_typed(request: HttpRequest, task: Task) -> str:
    """Complete the task with what was typed into its form; what was done, in words."""
    now = timezone.now()
    token = typed_token(request.POST.get("lease_token"))
    cancel_pointless(task.number, now=now)
    done = complete_task(
        task.number,
        lease_token=token,
        quantity=typed_quantity(request.POST.get("quantity"), name=task.sku.code),
        to_location=request.POST.get("to_location", "").strip(),
        note=" ".join(request.POST.get("note", "").split()),
        now=now,
        actor=request.user,
    )
    return _("%s is done.") % done.number


def _release(request: HttpRequest, task: Task) -> str:
    token = typed_token(request.POST.get("lease_token"))
    release_task(task.number, lease_token=token, now=timezone.now())
    return _("%s was given back.") % task.number


def _cancel(request: HttpRequest, task: Task) -> str:
    cancel_task(task.number, now=timezone.now())
    return _("%s was cancelled.") % task.number


def worker_name(request: HttpRequest) -> str:
    return request.user.get_username()[:64]


PAGE_ACTIONS = (
    PageAction("claim", gettext_lazy("Claim for me"), WORK, _claim, style="primary", is_offered=is_claimable),
    PageAction("complete", gettext_lazy("Complete"), WORK, _complete, in_bar=False),
    PageAction("release", gettext_lazy("Give back"), WORK, _release, in_bar=False),
    PageAction(
        "cancel",
        gettext_lazy("Cancel the task"),
        CANCEL,
        _cancel,
        style="danger",
        confirm=gettext_lazy("Cancel this task? Whoever works on it is refused when done."),
        is_offered=lambda task: task.state in Task.WAITING,
    ),
)


def do_url(task: Task, verb: str) -> str:
    return reverse("admin:warehouses_task_do", args=[task.pk, verb])


@panel("warehouses.task", order=10)
def task_panel(request: HttpRequest, task: Task) -> SafeString:
    may_work = is_mine(request, task) and request.user.has_perm(WORK)
    context: dict[str, Any] = {
        "task": task,
        "form": {"complete": do_url(task, "complete"), "release": do_url(task, "release")} if may_work else None,
        "carries": task.kind in (Task.Kind.PUTAWAY, Task.Kind.MOVE),
        "is_late": task.state == Task.State.CLAIMED and is_claimable(task),
    }
    return render_panel("admin/house/task.html", request, context)
