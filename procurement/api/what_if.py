"""Replays of policies and what-if scenarios: asked for here, worked out by a job, read when it is done."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from catalog.models import Category, Sku
from config.kernel.api import HouseSerializer, ReadViewSet, by_code, documents
from procurement.models import Policy, PolicyReplay, Scenario, Supplier
from procurement.services.replays import DAYS, SCENARIOS, queue_policy_replay
from procurement.services.scenarios import queue_scenario
from warehouses.models import Warehouse

_OBJECT = {"type": "object", "additionalProperties": {}, "nullable": True}


@extend_schema_field(_OBJECT)
class ObjectField(serializers.JSONField):
    """An object of JSON."""


class PolicyReplayRowSerializer(HouseSerializer):
    policy = serializers.IntegerField(source="policy_id", read_only=True, allow_null=True)
    job = serializers.UUIDField(source="job_id", read_only=True, allow_null=True)
    state = serializers.CharField(source="job.state", read_only=True, default=None)
    changes = ObjectField(read_only=True)

    class Meta:
        model = PolicyReplay
        fields: tuple[str, ...] = (
            "id", "name", "policy", "changes", "days", "scenarios", "seed", "searches", "job", "state", "created_at",
        )  # fmt: skip


class PolicyReplaySerializer(PolicyReplayRowSerializer):
    """With what was found: every figure as [value, low, high] at 95 %."""

    result = ObjectField(read_only=True)

    class Meta(PolicyReplayRowSerializer.Meta):
        fields: tuple[str, ...] = (*PolicyReplayRowSerializer.Meta.fields, "result")


class PolicyReplayBodySerializer(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    policy = serializers.PrimaryKeyRelatedField(
        queryset=Policy.objects.all(), required=False, allow_null=True, default=None, help_text="Empty: the default."
    )
    category = by_code(Category, required=False, allow_null=True, default=None)
    sku = by_code(Sku, required=False, allow_null=True, default=None)
    warehouse = by_code(Warehouse, required=False, allow_null=True, default=None)
    changes = serializers.DictField(help_text="Fields of the policy that the challenger has otherwise.")
    days = serializers.IntegerField(min_value=DAYS[0], max_value=DAYS[1], default=180)
    scenarios = serializers.IntegerField(min_value=SCENARIOS[0], max_value=SCENARIOS[1], default=20)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    searches = serializers.BooleanField(default=False)


class PolicyReplayViewSet(ReadViewSet):
    """A policy on trial beside today's, on the same past demand."""

    queryset = PolicyReplay.objects.select_related("job")
    permission_map: ClassVar = {
        "list": "procurement.view_policyreplay",
        "retrieve": "procurement.view_policyreplay",
        "create": "procurement.add_policyreplay",
    }
    filters: ClassVar = {"policy": "policy"}
    ordering_fields: ClassVar = ["created_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("result") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return PolicyReplayRowSerializer if self.action == "list" else PolicyReplaySerializer

    @documents(PolicyReplayBodySerializer, PolicyReplaySerializer)
    def create(self, request: Any) -> Response:
        """Start a replay in a worker; its job tells how far it is, and the result stands here when it is done."""

        def effect() -> PolicyReplay:
            body = self.body(PolicyReplayBodySerializer)
            scope = {name: body.pop(name) for name in ("category", "sku", "warehouse")}
            return queue_policy_replay(**body, scope=scope, actor=request.user)

        return self.make_once(effect, PolicyReplaySerializer, where=lambda one: f"{request.path.rstrip('/')}/{one.pk}/")


class ScenarioRowSerializer(HouseSerializer):
    category = serializers.CharField(source="category.code", read_only=True, default=None)
    supplier = serializers.CharField(source="supplier.code", read_only=True, default=None)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, default=None)
    run = serializers.IntegerField(source="run_id", read_only=True, allow_null=True)
    job = serializers.UUIDField(source="job_id", read_only=True, allow_null=True)
    state = serializers.CharField(source="job.state", read_only=True, default=None)
    assumptions = ObjectField(read_only=True)
    result = ObjectField(read_only=True)

    class Meta:
        model = Scenario
        fields = (
            "id", "name", "note", "run", "category", "supplier", "warehouse", "assumptions", "job", "state", "result",
            "created_at",
        )  # fmt: skip


class ScenarioBodySerializer(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    note = serializers.CharField(required=False, allow_blank=True, default="")
    category = by_code(Category, required=False, allow_null=True, default=None)
    supplier = by_code(Supplier, required=False, allow_null=True, default=None)
    warehouse = by_code(Warehouse, required=False, allow_null=True, default=None)
    assumptions = serializers.DictField(help_text='Such as {"demand_factor": 1.2, "fill_rate": 0.98}.')


class ScenarioViewSet(ReadViewSet):
    """The plan's decisions under other assumptions, beside the plan's own; `result` has the sums of both."""

    queryset = Scenario.objects.select_related("category", "supplier", "warehouse", "job")
    serializer_class = ScenarioRowSerializer
    permission_map: ClassVar = {
        "list": "procurement.view_scenario",
        "retrieve": "procurement.view_scenario",
        "create": "procurement.add_scenario",
    }
    filters: ClassVar = {"run": "run", "supplier": "supplier__code", "warehouse": "warehouse__code"}
    ordering_fields: ClassVar = ["created_at"]

    @documents(ScenarioBodySerializer, ScenarioRowSerializer)
    def create(self, request: Any) -> Response:
        """Start a scenario of the plan in force in a worker."""

        def effect() -> Scenario:
            body = self.body(ScenarioBodySerializer)
            scope = {name: body.pop(name) for name in ("category", "supplier", "warehouse")}
            return queue_scenario(**body, scope=scope, actor=request.user)

        return self.make_once(effect, ScenarioRowSerializer, where=lambda one: f"{request.path.rstrip('/')}/{one.pk}/")
