"""Alerts, figures and jobs as JSON."""

from rest_framework import serializers

from config.kernel.api import HouseSerializer
from config.kernel.models import Job
from monitoring.models import Alert, KpiSnapshot


class AlertSerializer(HouseSerializer):
    acknowledged_by = serializers.CharField(source="acknowledged_by.username", read_only=True, default=None)

    class Meta:
        model = Alert
        fields = (
            "id",
            "kind",
            "severity",
            "subject",
            "message",
            "facts",
            "opened_at",
            "last_seen_at",
            "resolved_at",
            "acknowledged_by",
            "acknowledged_at",
        )


class KpiSnapshotSerializer(HouseSerializer):
    class Meta:
        model = KpiSnapshot
        fields = ("id", "taken_at", "figures")


class JobSerializer(HouseSerializer):
    actor = serializers.CharField(source="actor.username", read_only=True, default=None)

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "step",
            "done",
            "total",
            "parameters",
            "result",
            "error",
            "actor",
            "created_at",
            "started_at",
            "finished_at",
        )
