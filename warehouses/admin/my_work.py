"""My work: a clerk's next task, large, on a phone: where from, what, how many, where to; scan, done, next.

The page keeps nothing of its own: the task in hand is the one this person's lease holds.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from config.kernel.admin.actions import show_error
from config.kernel.errors import DomainError, ValidationFailed
from warehouses.admin.task_page import MY_WORK, WORK, complete_typed, typed_token, worker_name
from warehouses.models import Task, Warehouse
from warehouses.selectors.scanning import found
from warehouses.selectors.tasks import SHOWN, ready_counts, task_in_hand
from warehouses.services.tasks import claim_tasks, release_task

URL = "admin:warehouses_task_my_work"
FROM, SKU, TO = "from", "sku", "to"


def my_work_view(request: HttpRequest) -> HttpResponse:
    """The task in hand, or how to get the next; a POST does one thing and comes back."""
    if not request.user.has_perm(WORK):
        raise PermissionDenied
    warehouse = _warehouse(request)
    kinds = [kind for kind in request.GET.getlist("kind") if kind in Task.Kind.values]
    here = f"{reverse(URL)}?{urlencode({'warehouse': warehouse.code, 'kind': kinds}, doseq=True)}" if warehouse else ""
    if request.method == "POST" and warehouse:
        try:
            _act(request, warehouse, kinds)
        except DomainError as error:
            show_error(request, error)
        return HttpResponseRedirect(here)
    now = timezone.now()
    task = task_in_hand(request.user, warehouse=warehouse, now=now) if warehouse else None
    ready = ready_counts(warehouse, now=now) if warehouse else {}
    context = {
        **admin.site.each_context(request),
        "title": MY_WORK,
        "opts": Task._meta,
        "task": task,
        "warehouse": warehouse,
        "warehouses": Warehouse.objects.for_actor(request.user).filter(is_active=True),
        "kinds": [(k.value, k.label, ready.get(k.value, 0), k.value in kinds) for k in Task.Kind],
        "chosen": kinds,
        "ready": sum(units for kind, units in ready.items() if not kinds or kind in kinds),
        "carries": task is not None and task.kind in (Task.Kind.PUTAWAY, Task.Kind.MOVE),
        "check_url": reverse(f"{URL}_check"),
        "here": here,
    }
    return render(request, "admin/house/my_work.html", context)


def check_view(request: HttpRequest) -> JsonResponse:
    """What a scan confirms of the task in hand: `{"matches": "from" | "sku" | "to" | "", "message"}`."""
    if not request.user.has_perm(WORK):
        raise PermissionDenied
    number = request.GET.get("task", "")[:20]
    tasks = Task.objects.for_actor(request.user).filter(number=number, claimed_by=request.user)
    task = tasks.select_related(*SHOWN).first()
    if task is None:
        return JsonResponse({"matches": "", "message": _("This task is not yours any more.")})
    typed = request.GET.get("code", "")
    matches = matching(task, typed, actor=request.user)
    message = "" if matches else _("“%s” is neither the bin nor the goods of this task.") % typed.strip()[:80]
    return JsonResponse({"matches": matches, "message": message})


def matching(task: Task, typed: str, *, actor: Any) -> str:
    """Which part of the task a scanned code names; "" when none. A lot's label is right only for that lot."""
    text = typed.strip()
    for part, place in ((FROM, task.from_location), (TO, task.to_location)):
        if place is not None and text == place.code:
            return part
    hit = found(typed, actor=actor, today=timezone.localdate())
    if hit is None:
        return ""
    if hit.type == "location":
        return FROM if hit.pk == task.from_location_id else TO if hit.pk == task.to_location_id else ""
    said_lot = hit.codes.get("lot", "")
    lot = task.lot.code if task.lot else ""
    is_sku = (hit.type == "sku" and hit.pk == task.sku_id) or (hit.type == "lot" and hit.codes["sku"] == task.sku.code)
    return SKU if is_sku and said_lot in ("", lot) else ""


def _act(request: HttpRequest, warehouse: Warehouse, kinds: list[str]) -> None:
    verb = request.POST.get("do", "")
    if verb == "next":
        _claim_next(request, warehouse, kinds)
        return
    number = request.POST.get("task", "")[:20]
    task = Task.objects.for_actor(request.user).filter(number=number).select_related(*SHOWN).first()
    if task is None:
        raise ValidationFailed(_("The form was incomplete; load the page again."))
    if verb == "done":
        _refuse_wrong_scans(request, task)
        messages.success(request, complete_typed(request, task))
        _claim_next(request, warehouse, kinds)
    elif verb == "back":
        release_task(task.number, lease_token=typed_token(request.POST.get("lease_token")), now=timezone.now())
        messages.info(request, _("%s was given back.") % task.number)


def _claim_next(request: HttpRequest, warehouse: Warehouse, kinds: list[str]) -> None:
    """From where the person stands: the bin of the last task."""
    if task_in_hand(request.user, warehouse=warehouse, now=timezone.now()):
        return
    claim_tasks(
        worker_name(request),
        warehouse_code=warehouse.code,
        kinds=kinds,
        near_location=request.POST.get("near", "")[:32],
        now=timezone.now(),
        actor=request.user,
    )


def _refuse_wrong_scans(request: HttpRequest, task: Task) -> None:
    """Scanning is a choice; what was scanned must be right."""
    for code in request.POST.getlist("scanned"):
        if code.strip() and not matching(task, code, actor=request.user):
            message = _("“%s” is neither the bin nor the goods of this task.") % code.strip()[:80]
            raise ValidationFailed(message)


def _warehouse(request: HttpRequest) -> Warehouse | None:
    """The one named, or the only one there is."""
    warehouses = Warehouse.objects.for_actor(request.user).filter(is_active=True)
    if code := request.GET.get("warehouse", ""):
        return warehouses.filter(code=code).first()
    held = Task.objects.filter(claimed_by=request.user.pk, state=Task.State.CLAIMED).order_by("-pk").first()
    if held is not None:
        return warehouses.filter(pk=held.warehouse_id).first()
    first = list(warehouses[:2])
    return first[0] if len(first) == 1 else None
