"""Tasks of the floor as a table, with the way to one's own work and the button that empties receiving."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from config.kernel.admin.actions import show_error
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.errors import DomainError
from config.kernel.templatetags.house import units
from warehouses.admin.my_work import check_view, my_work_view
from warehouses.admin.task_page import PAGE_ACTIONS, WORK
from warehouses.models import Task, Warehouse
from warehouses.services.picking import release_wave
from warehouses.services.putaway import create_putaway_tasks

ADD, RELEASE = "warehouses.add_task", "warehouses.release_salesorder"
STATE_LABELS = {
    Task.State.OPEN: "warning",
    Task.State.CLAIMED: "info",
    Task.State.DONE: "success",
    Task.State.CANCELLED: "default",
}


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "kind",
        "shown_state",
        "sku_code",
        "units",
        "from_location",
        "to_location",
        "reference",
        "who",
        "age",
        "lease",
    )
    list_select_related = (
        "warehouse",
        "sku",
        "lot",
        "from_location__warehouse",
        "to_location__warehouse",
        "claimed_by",
    )
    list_filter = ("warehouse", "kind", "state", "claimed_by")
    search_fields = ("number", "sku__code", "reference", "worker")
    search_help_text = gettext_lazy("Task number, SKU code, document or worker")
    ordering = ("-pk",)
    change_form_template = DOCUMENT_TEMPLATE
    page_actions = PAGE_ACTIONS
    list_before_template = "admin/house/task_bar.html"
    empty_hint = gettext_lazy("Tasks come with orders that are released for picking, goods in receiving, and counts.")
    export_fields = (
        "number",
        "kind",
        "state",
        "priority",
        "warehouse__code",
        "sku__code",
        "lot__code",
        "from_location__code",
        "to_location__code",
        "quantity",
        "done_quantity",
        "reference",
        "worker",
        "attempts",
        "note",
        "created_at",
        "done_at",
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("my-work/", view(my_work_view), name="warehouses_task_my_work"),
            path("my-work/check/", view(check_view), name="warehouses_task_my_work_check"),
            path("putaway/", view(self.putaway_view), name="warehouses_task_putaway"),
            path("wave/", view(self.wave_view), name="warehouses_task_wave"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        bar = {
            "may_work": request.user.has_perm(WORK),
            "may_add": request.user.has_perm(ADD),
            "may_release": request.user.has_perm(RELEASE),
            "task_warehouses": Warehouse.objects.for_actor(request.user).filter(is_active=True),
        }
        return super().changelist_view(request, {**bar, **(extra_context or {})})

    def putaway_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(ADD):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            outcome = create_putaway_tasks(request.POST.get("warehouse", ""), now=timezone.now(), actor=request.user)
        except DomainError as error:
            show_error(request, error)
        else:
            made = len(outcome.tasks)
            words = ngettext("%d task was made.", "%d tasks were made.", made) % made
            messages.success(request, words if made else _("Nothing in receiving waits for a task."))
            for item in outcome.without_room:
                messages.warning(request, item["message"])
        return HttpResponseRedirect(reverse("admin:warehouses_task_changelist") + "?state__exact=open")

    def wave_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(RELEASE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        typed = request.POST.get("limit", "").strip()
        limit = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
        try:
            tasks = release_wave(request.POST.get("warehouse", ""), limit=limit, now=timezone.now(), actor=request.user)
        except DomainError as error:
            show_error(request, error)
        else:
            words = ngettext("%d pick task was made.", "%d pick tasks were made.", len(tasks)) % len(tasks)
            messages.success(request, words if tasks else _("No order waits to be picked there."))
        return HttpResponseRedirect(reverse("admin:warehouses_task_changelist") + "?state__exact=open")

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_LABELS)
    def shown_state(self, task: Task) -> tuple[str, str]:
        return task.state, task.get_state_display()

    @display(description=gettext_lazy("SKU"), ordering="sku__code")
    def sku_code(self, task: Task) -> str:
        return f"{task.sku.code} · {task.lot.code}" if task.lot else task.sku.code

    @display(description=gettext_lazy("units"), ordering="quantity")
    def units(self, task: Task) -> str:
        return "–" if task.quantity is None else units(task.quantity)

    @display(description=gettext_lazy("claimed by"))
    def who(self, task: Task) -> str:
        return task.worker or str(task.claimed_by or "–")

    @display(description=gettext_lazy("age"), ordering="-created_at")
    def age(self, task: Task) -> str:
        return timesince(task.created_at, task.done_at or timezone.now(), depth=1)

    @display(description=gettext_lazy("lease"), ordering="lease_expires_at")
    def lease(self, task: Task) -> str:
        if task.state != Task.State.CLAIMED or task.lease_expires_at is None:
            return "–"
        left = task.lease_expires_at - timezone.now()
        return _("run out") if left <= timedelta(0) else timesince(timezone.now(), task.lease_expires_at, depth=1)
