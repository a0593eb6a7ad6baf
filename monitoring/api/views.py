"""What somebody must know, how the house does, and how long work is getting on."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import ReadViewSet
from config.kernel.jobs import request_cancel, resume_job
from config.kernel.models import Job
from monitoring.api import serializers
from monitoring.api.events import EventViewSet
from monitoring.models import Alert, KpiSnapshot
from monitoring.services.alerts import acknowledge_alert


class AlertViewSet(ReadViewSet):
    queryset = Alert.objects.select_related("acknowledged_by")
    serializer_class = serializers.AlertSerializer
    permission_map: ClassVar = {
        "list": "monitoring.view_alert",
        "retrieve": "monitoring.view_alert",
        "acknowledge": "monitoring.change_alert",
    }
    filters: ClassVar = {
        "kind": ("kind", "exact", "in"),
        "severity": "severity",
        "subject": "subject",
        "resolved_at": ("resolved_at", "isnull", "gte", "lte"),
        "acknowledged_at": ("acknowledged_at", "isnull"),
        "opened_at": ("opened_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["opened_at", "last_seen_at"]

    @extend_schema(request=None, responses=serializers.AlertSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Any, pk: Any = None) -> Response:
        """Say that somebody is looking after it."""
        alert = acknowledge_alert(self.get_object().pk, actor=request.user, now=self.now())
        return Response(serializers.AlertSerializer(alert).data)


class KpiViewSet(ReadViewSet):
    queryset = KpiSnapshot.objects.all()
    serializer_class = serializers.KpiSnapshotSerializer
    permission_map: ClassVar = {"list": "monitoring.view_kpisnapshot", "retrieve": "monitoring.view_kpisnapshot"}
    filters: ClassVar = {"taken_at": ("taken_at", "gte", "lte")}
    ordering_fields: ClassVar = ["taken_at"]


class JobViewSet(ReadViewSet):
    queryset = Job.objects.select_related("actor")
    serializer_class = serializers.JobSerializer
    permission_map: ClassVar = {
        "list": "kernel.view_job",
        "retrieve": "kernel.view_job",
        "cancel": "kernel.cancel_job",
        "resume": "kernel.resume_job",
    }
    filters: ClassVar = {
        "kind": "kind",
        "state": ("state", "exact", "in"),
        "created_at": ("created_at", "gte", "lte"),
    }
    ordering: ClassVar = ["-created_at"]
    ordering_fields: ClassVar = ["created_at"]

    @extend_schema(request=None, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, pk: Any = None) -> Response:
        """Ask the job to stop; it does at its next report of progress."""
        job = self.get_object()
        request_cancel(job.pk, now=self.now())
        return Response(serializers.JobSerializer(Job.objects.get(pk=job.pk)).data)

    @extend_schema(request=None, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Any, pk: Any = None) -> Response:
        """Have a worker go on with a job that failed."""
        job = self.get_object()
        resume_job(job.pk)
        return Response(serializers.JobSerializer(Job.objects.get(pk=job.pk)).data)


ROUTES = [("alerts", AlertViewSet), ("kpis", KpiViewSet), ("jobs", JobViewSet), ("events", EventViewSet)]
