"""Where counts are asked for, entered and approved."""

from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import AlreadyThere, ReadViewSet, documents
from config.kernel.idempotency import service_key
from warehouses.api import count_serializers as bodies
from warehouses.api.stock import view_only
from warehouses.api.task_serializers import TaskSerializer
from warehouses.models import CountSheet, Task, Warehouse
from warehouses.selectors.counting import ACCURACY_DAYS, record_accuracy, shown_lines, with_progress
from warehouses.services.count_entry import enter_counts
from warehouses.services.count_posting import approve_count, recount
from warehouses.services.count_sheets import (
    CountChoice,
    FoundStock,
    add_found_line,
    cancel_count,
    make_count_sheet,
)
from warehouses.services.count_tasks import create_count_tasks

VIEW, ADD = "warehouses.view_countsheet", "warehouses.add_countsheet"
COUNT, APPROVE = "warehouses.count_countsheet", "warehouses.approve_countsheet"


class CountSheetViewSet(ReadViewSet):
    """Count sheets, newest first. While a blind sheet is being counted, what the books expect is null for everybody."""

    queryset = with_progress(CountSheet.objects.select_related("warehouse", "actor", "approved_by"))
    serializer_class = bodies.CountSheetRowSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        **view_only(VIEW),
        "accuracy": VIEW,
        "create": ADD,
        "tasks": ADD,
        "counts": COUNT,
        "found": COUNT,
        "recount": APPROVE,
        "approve": APPROVE,
        "cancel": APPROVE,
    }
    filters: ClassVar = {
        "warehouse": "warehouse__code",
        "status": ("status", "exact", "in"),
        "origin": "origin",
        "created_at": ("created_at", "gte", "lte"),
        "posted_at": ("posted_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["created_at"]

    @extend_schema(responses=bodies.CountSheetSerializer)
    def retrieve(self, request: Any, **lookup: Any) -> Response:
        sheet = self.get_object()
        sheet.shown_lines = shown_lines(sheet)
        return Response(bodies.CountSheetSerializer(sheet).data)

    @documents(bodies.CountSheetBodySerializer, bodies.CountSheetSerializer)
    def create(self, request: Any) -> Response:
        """Ask for a count; what stands on an open sheet already is left out. At most 500 lines."""

        def effect() -> CountSheet | AlreadyThere:
            body = self.body(bodies.CountSheetBodySerializer)
            choice = CountChoice(body["locations"], body["skus"], body["due_classes"])
            sheet, is_new = make_count_sheet(
                body["warehouse"],
                choice,
                key=service_key(request),
                is_blind=body["is_blind"],
                note=body["note"],
                now=self.now(),
                actor=request.user,
            )
            return self._document(sheet) if is_new else AlreadyThere(self._document(sheet))

        return self.make_once(effect, bodies.CountSheetSerializer, where=self.below)

    @documents(bodies.CountsBodySerializer, bodies.CountSheetSerializer, made=200)
    @action(detail=True, methods=["post"])
    def counts(self, request: Any, number: str) -> Response:
        """Enter what was counted, some lines or all. A sheet that is complete posts itself, unless a variance is large:
        then it is counted once more by somebody else, and waits for approval if it is large still."""
        sheet = self.get_object()

        def effect() -> CountSheet:
            lines = self.body(bodies.CountsBodySerializer)["lines"]
            entries = {line["line_number"]: line["quantity"] for line in lines}
            return self._document(enter_counts(sheet.pk, entries, now=self.now(), actor=request.user))

        return self.make_once(effect, bodies.CountSheetSerializer, made=200)

    @documents(bodies.FoundBodySerializer, bodies.CountSheetSerializer, made=200)
    @action(detail=True, methods=["post"])
    def found(self, request: Any, number: str) -> Response:
        """Add a line for stock that the sheet does not name, and its count."""
        sheet = self.get_object()

        def effect() -> CountSheet:
            body = self.body(bodies.FoundBodySerializer)
            found = FoundStock(body["sku"], body["location"], body["lot"], body["status"])
            line = add_found_line(sheet.pk, found, now=self.now(), actor=request.user)
            if body["quantity"] is not None:
                entries = {line.line_number: body["quantity"]}
                enter_counts(sheet.pk, entries, now=self.now(), actor=request.user)
            return self._document(sheet)

        return self.make_once(effect, bodies.CountSheetSerializer, made=200)

    @documents(bodies.RecountBodySerializer, bodies.CountSheetSerializer, made=200)
    @action(detail=True, methods=["post"])
    def recount(self, request: Any, number: str) -> Response:
        """Have lines of a sheet that waits for approval counted again, by somebody else."""
        sheet = self.get_object()

        def effect() -> CountSheet:
            numbers = self.body(bodies.RecountBodySerializer)["lines"]
            return self._document(recount(sheet.pk, line_numbers=numbers, now=self.now(), actor=request.user))

        return self.make_once(effect, bodies.CountSheetSerializer, made=200)

    @documents(None, bodies.CountSheetSerializer, made=200)
    @action(detail=True, methods=["post"])
    def approve(self, request: Any, number: str) -> Response:
        """Post the variances. Whoever counted a line with a large variance is refused."""
        sheet = self.get_object()

        def effect() -> CountSheet:
            return self._document(approve_count(sheet.pk, now=self.now(), actor=request.user))

        return self.make_once(effect, bodies.CountSheetSerializer, made=200)

    @documents(None, bodies.CountSheetSerializer, made=200)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, number: str) -> Response:
        """Call the sheet off; nothing is booked."""
        sheet = self.get_object()

        def effect() -> CountSheet:
            return self._document(cancel_count(sheet.pk, now=self.now(), actor=request.user))

        return self.make_once(effect, bodies.CountSheetSerializer, made=200)

    @documents(bodies.CountTasksBodySerializer, TaskSerializer(many=True), made=200)
    @action(detail=True, methods=["post"])
    def tasks(self, request: Any, number: str) -> Response:
        """A task for every line that is still to be counted, for scanners; again makes no second ones."""
        sheet = self.get_object()

        def effect() -> list[Task]:
            priority = self.body(bodies.CountTasksBodySerializer)["priority"]
            return create_count_tasks(sheet.pk, priority=priority, now=self.now(), actor=request.user)

        def answer(tasks: list[Task], **kwargs: Any) -> Any:
            return TaskSerializer(tasks, many=True, **kwargs)

        return self.make_once(effect, answer, made=200)

    @extend_schema(
        parameters=[bodies.AccuracyQuerySerializer], responses=bodies.AccuracySerializer(many=True), filters=False
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def accuracy(self, request: Any) -> Response:
        """Inventory record accuracy by warehouse: the share of counted lines that were within the tolerance of their
        ABC class (A 0.2 %, B 1 %, C 5 % of what the books said). The last 90 days, unless a period is named."""
        if unknown := sorted(set(request.query_params) - {"warehouse", "since", "until"}):
            raise serializers.ValidationError({name: [_("There is no such filter.")] for name in unknown})
        query = bodies.AccuracyQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        until = asked.get("until") or self.now()
        warehouses = Warehouse.objects.for_actor(request.user)
        if asked["warehouse"]:
            warehouses = warehouses.filter(code=asked["warehouse"])
        rows = record_accuracy(
            since=asked.get("since") or until - timedelta(days=ACCURACY_DAYS),
            until=until,
            warehouse_ids=list(warehouses.values_list("pk", flat=True)),
        )
        return Response(bodies.AccuracySerializer(rows, many=True).data)

    def _document(self, sheet: CountSheet) -> Any:
        document = self.get_queryset().get(pk=sheet.pk)
        document.shown_lines = shown_lines(document)
        return document
