"""Work on the floor for machines: scanners, a WMS, robots claim tasks and complete them; orders go to the floor."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import Sku
from config.kernel.api import HouseViewSet, ReadViewSet, documents, named_as
from config.kernel.errors import ValidationFailed
from warehouses.api import task_serializers as bodies
from warehouses.api.stock import view_only
from warehouses.models import Lot, Task, Warehouse
from warehouses.selectors.putaway import PutawayPlan, putaway_suggestions
from warehouses.services.picking import release_orders, release_wave
from warehouses.services.putaway import PutawayOutcome, create_move_task, create_putaway_tasks
from warehouses.services.tasks import (
    cancel_pointless,
    cancel_task,
    claim_tasks,
    complete_task,
    release_task,
    renew_lease,
)

WORK, ADD, CANCEL = "warehouses.work_task", "warehouses.add_task", "warehouses.change_task"
_NAMES = {"sku_code": "sku", "warehouse_code": "warehouse", "lot_code": "lot"}


class TaskViewSet(ReadViewSet):
    """What is to be picked, put away, moved and counted, newest first. A lease's token is told only to who claims."""

    queryset = Task.objects.select_related("warehouse", "sku", "lot", "from_location", "to_location")
    serializer_class = bodies.TaskSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        **view_only("warehouses.view_task"),
        "create": ADD,
        "claim": WORK,
        "renew": WORK,
        "release": WORK,
        "complete": WORK,
        "cancel": CANCEL,
    }
    filters: ClassVar = {
        "warehouse": "warehouse__code",
        "kind": ("kind", "exact", "in"),
        "state": ("state", "exact", "in"),
        "reference": "reference",
        "sku": "sku__code",
        "worker": "worker",
        "created_at": ("created_at", "gte", "lte"),
    }

    @documents(bodies.MoveTaskBodySerializer, bodies.TaskSerializer)
    def create(self, request: Any) -> Response:
        """Ask for units to be carried from one bin to another."""

        def effect() -> Task:
            body = self.body(bodies.MoveTaskBodySerializer)
            codes = {name: body.pop(name) for name in ("warehouse", "sku", "lot")}
            with named_as(_NAMES):
                return create_move_task(
                    warehouse_code=codes["warehouse"],
                    sku_code=codes["sku"],
                    lot_code=codes["lot"],
                    **body,
                    now=self.now(),
                    actor=request.user,
                )

        return self.make_once(effect, bodies.TaskSerializer, where=self.below)

    @documents(bodies.ClaimBodySerializer, bodies.ClaimSerializer, made=200)
    @action(detail=False, methods=["post"])
    def claim(self, request: Any) -> Response:
        """Get work: up to `limit` tasks nobody works on, in the order they are to be done, each with its lease.

        A task is yours until its lease runs out; then the next who asks gets it. No work: an empty list.
        """

        def effect() -> dict[str, list[Task]]:
            body = self.body(bodies.ClaimBodySerializer)
            worker, warehouse = body.pop("worker"), body.pop("warehouse")
            tasks = claim_tasks(worker, warehouse_code=warehouse, **body, now=self.now(), actor=request.user)
            rows = self.get_queryset().in_bulk([task.pk for task in tasks])
            return {"tasks": [rows[task.pk] for task in tasks]}

        return self.make_once(effect, bodies.ClaimSerializer, made=200)

    @documents(bodies.RenewLeaseBodySerializer, bodies.TaskSerializer, made=200)
    @action(detail=True, methods=["post"])
    def renew(self, request: Any, number: str) -> Response:
        """Keep a task for longer. 409 `lease_lost` when it went to another."""
        return self._once(bodies.RenewLeaseBodySerializer, lambda body: renew_lease(number, **body, now=self.now()))

    @documents(bodies.ReleaseTaskBodySerializer, bodies.TaskSerializer, made=200)
    @action(detail=True, methods=["post"])
    def release(self, request: Any, number: str) -> Response:
        """Give a task back undone."""
        return self._once(bodies.ReleaseTaskBodySerializer, lambda body: release_task(number, **body, now=self.now()))

    @documents(bodies.CompleteTaskBodySerializer, bodies.TaskSerializer, made=200)
    @action(detail=True, methods=["post"])
    def complete(self, request: Any, number: str) -> Response:
        """Say that it is done, with the quantity if it was not all; the stock moves at the same moment.

        The same token again is answered with the same. Fewer of a pick: a short pick, the rest is picked elsewhere and
        the bin counted. A pick whose order was called off meanwhile is refused and cancelled.
        """
        cancel_pointless(number, now=self.now())

        def effect(body: dict[str, Any]) -> Task:
            return complete_task(number, **body, now=self.now(), actor=request.user)

        return self._once(bodies.CompleteTaskBodySerializer, effect)

    @documents(bodies.CancelTaskBodySerializer, bodies.TaskSerializer, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, number: str) -> Response:
        """Take a task off the list."""
        return self._once(bodies.CancelTaskBodySerializer, lambda body: cancel_task(number, **body, now=self.now()))

    def _once(self, body: type[serializers.Serializer], service: Any) -> Response:
        def effect() -> Task:
            return self.get_queryset().get(pk=service(dict(self.body(body))).pk)

        return self.make_once(effect, bodies.TaskSerializer, made=200)


class PickingViewSet(HouseViewSet):
    writes_master_data = True
    permission_map: ClassVar = {"release": "warehouses.release_salesorder"}
    serializer_class = bodies.TasksSerializer

    @documents(bodies.PickingBodySerializer, bodies.TasksSerializer, made=200)
    @action(detail=False, methods=["post"])
    def release(self, request: Any) -> Response:
        """Send orders to the floor: these, or a wave of a warehouse; the pick tasks that wait for them."""

        def effect() -> dict[str, list[Task]]:
            body = self.body(bodies.PickingBodySerializer)
            shared: Any = {"priority": body["priority"], "now": self.now(), "actor": request.user}
            if "orders" in body:
                tasks = release_orders(body["orders"], warehouse_code=body.get("warehouse"), **shared)
            else:
                tasks = release_wave(body["warehouse"], limit=body["limit"], **shared)
            return {"tasks": _loaded(tasks)}

        return self.make_once(effect, bodies.TasksSerializer, made=200)


class PutawayViewSet(HouseViewSet):
    permission_map: ClassVar = {"list": "warehouses.view_task", "create": ADD}
    serializer_class = bodies.PutawayPlanSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter("warehouse", str, required=True),
            OpenApiParameter("sku", str, required=True),
            OpenApiParameter("lot", str),
            OpenApiParameter("quantity", str, required=True),
        ],
        responses=forced_singular_serializer(bodies.PutawayPlanSerializer),
    )
    def list(self, request: Any) -> Response:
        """Where so many units of a SKU should go, and why: split over bins, what fits nowhere as `overflow`."""
        if unknown := set(request.query_params) - {"warehouse", "sku", "lot", "quantity"}:
            raise serializers.ValidationError({name: [_("There is no such filter.")] for name in sorted(unknown)})
        query = bodies.PutawayQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(bodies.PutawayPlanSerializer(self._plan(query.validated_data)).data)

    @documents(bodies.PutawayBodySerializer, bodies.PutawayOutcomeSerializer, made=200)
    def create(self, request: Any) -> Response:
        """Make the tasks that empty a warehouse's receiving bins; again makes nothing new."""

        def effect() -> PutawayOutcome:
            body = self.body(bodies.PutawayBodySerializer)
            warehouse = body.pop("warehouse")
            outcome = create_putaway_tasks(warehouse, **body, now=self.now(), actor=request.user)
            outcome.tasks = _loaded(outcome.tasks)
            return outcome

        return self.make_once(effect, bodies.PutawayOutcomeSerializer, made=200)

    def _plan(self, asked: dict[str, Any]) -> PutawayPlan:
        user = self.request.user
        warehouse = Warehouse.objects.for_actor(user).filter(code=asked["warehouse"]).first()
        sku = Sku.objects.for_actor(user).filter(code=asked["sku"]).first()
        lot = Lot.objects.for_actor(user).filter(sku=sku, code=asked["lot"]).first() if sku and asked["lot"] else None
        unknown = {"warehouse": warehouse is None, "sku": sku is None, "lot": bool(asked["lot"] and sku and not lot)}
        if warehouse is None or sku is None or unknown["lot"]:
            items = [{"field": name, "message": _("There is no such one.")} for name, is_so in unknown.items() if is_so]
            raise ValidationFailed(_("Nothing can be suggested."), items=items)
        return putaway_suggestions(
            sku_id=sku.pk, lot_id=lot and lot.pk, quantity=asked["quantity"], warehouse_id=warehouse.pk
        )


def _loaded(tasks: list[Task]) -> list[Task]:
    """With what their document shows, in their order."""
    rows = TaskViewSet.queryset.in_bulk([task.pk for task in tasks])
    return [rows[task.pk] for task in tasks]
