"""Experiments over the API, what changed policies brought, and what measuring taught the safety stock."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import Category
from config.kernel.api import HouseSerializer, ReadViewSet, by_code, documents
from procurement.api.action_messages import MessageDecisionSerializer
from procurement.api.what_if import ObjectField
from procurement.models import Experiment, ExperimentEvent, ExperimentLook, PolicyChange, ServiceCorrection
from procurement.services.experiments import adopt_challenger, create_experiment, start_experiment, stop_experiment
from warehouses.models import Warehouse

_SETUP = (
    "name", "hypothesis", "category", "warehouse", "changes", "metric", "share", "seed", "alpha", "pre_days",
    "planned_days", "burn_in_days", "harm_limit",
)  # fmt: skip


class ExperimentRowSerializer(HouseSerializer):
    category = serializers.CharField(source="category.code", read_only=True, default=None)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, default=None)
    changes = ObjectField(read_only=True)

    class Meta:
        model = Experiment
        fields: tuple[str, ...] = ("id", *_SETUP, "status", "verdict", "starts_on", "ends_on", "created_at")


class ExperimentLookSerializer(HouseSerializer):
    class Meta:
        model = ExperimentLook
        fields = (
            "day", "champion_items", "challenger_items", "champion_mean", "challenger_mean", "effect", "low", "high",
            "p_value", "variance_reduction", "fill_effect", "fill_low", "fill_high",
        )  # fmt: skip


class ExperimentEventSerializer(HouseSerializer):
    detail = ObjectField(read_only=True)
    actor = serializers.CharField(source="actor.username", read_only=True, default=None)

    class Meta:
        model = ExperimentEvent
        fields = ("kind", "detail", "actor", "happened_at")


class ExperimentSerializer(ExperimentRowSerializer):
    """An experiment whole: every look, and the decision log."""

    looks = ExperimentLookSerializer(many=True, read_only=True)
    events = ExperimentEventSerializer(many=True, read_only=True)

    class Meta(ExperimentRowSerializer.Meta):
        fields: tuple[str, ...] = (*ExperimentRowSerializer.Meta.fields, "looks", "events")


class ExperimentBodySerializer(HouseSerializer):
    category = by_code(Category, required=False, allow_null=True, default=None)
    warehouse = by_code(Warehouse, required=False, allow_null=True, default=None)
    changes = serializers.DictField(help_text="Fields of the policy that the challenger has otherwise.")

    class Meta:
        model = Experiment
        fields = _SETUP
        validators = ()


class ExperimentViewSet(ReadViewSet):
    """Champion and challenger side by side on live stock."""

    queryset = Experiment.objects.select_related("category", "warehouse")
    permission_map: ClassVar = {
        "list": "procurement.view_experiment",
        "retrieve": "procurement.view_experiment",
        "create": "procurement.add_experiment",
        "start": "procurement.run_experiment",
        "stop": "procurement.run_experiment",
        "adopt": "procurement.run_experiment",
    }
    filters: ClassVar = {
        "status": ("status", "exact", "in"),
        "verdict": ("verdict", "exact", "in"),
        "metric": "metric",
        "category": "category__code",
        "warehouse": "warehouse__code",
    }
    ordering_fields: ClassVar = ["created_at", "starts_on"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows if self.action == "list" else rows.prefetch_related("looks", "events__actor")

    def get_serializer_class(self) -> Any:
        return ExperimentRowSerializer if self.action == "list" else ExperimentSerializer

    @documents(ExperimentBodySerializer, ExperimentSerializer)
    def create(self, request: Any) -> Response:
        """Write an experiment down as a draft; nothing is drawn before it starts."""

        def effect() -> Experiment:
            body = self.body(ExperimentBodySerializer)
            made = create_experiment(actor=request.user, now=self.now(), **body)
            return self.get_queryset().get(pk=made.pk)

        return self.make_once(effect, ExperimentSerializer, where=lambda one: f"{request.path.rstrip('/')}/{one.pk}/")

    @documents(None, ExperimentSerializer, made=200)
    @action(detail=True, methods=["post"])
    def start(self, request: Any, pk: Any = None) -> Response:
        """Draw the arms; the next plan goes by them."""
        return self._done(request, lambda one: start_experiment(one.pk, actor=request.user, now=self.now()))

    @documents(MessageDecisionSerializer, ExperimentSerializer, made=200)
    @action(detail=True, methods=["post"])
    def stop(self, request: Any, pk: Any = None) -> Response:
        """Stop without a verdict; its SKUs are planned by the champion again."""

        def stopped(one: Experiment) -> Any:
            note = self.body(MessageDecisionSerializer)["note"]
            return stop_experiment(one.pk, actor=request.user, now=self.now(), note=note)

        return self._done(request, stopped)

    @documents(None, ExperimentSerializer, made=200)
    @action(detail=True, methods=["post"])
    def adopt(self, request: Any, pk: Any = None) -> Response:
        """Make a challenger that has won the policy of the experiment's scope."""
        return self._done(request, lambda one: adopt_challenger(one.pk, actor=request.user, now=self.now()))

    def _done(self, request: Any, do: Any) -> Response:
        experiment = self.get_object()

        def effect() -> Experiment:
            do(experiment)
            return self.get_queryset().get(pk=experiment.pk)

        return self.make_once(effect, ExperimentSerializer, made=200)


class PolicyChangeSerializer(HouseSerializer):
    policy = serializers.IntegerField(source="policy_id", read_only=True, allow_null=True)
    before = ObjectField(read_only=True)
    after = ObjectField(read_only=True)
    effect = ObjectField(read_only=True)

    class Meta:
        model = PolicyChange
        fields = (
            "id", "policy", "policy_name", "before", "after", "item_count", "changed_at", "evaluated_at", "days",
            "effect",
        )  # fmt: skip


class PolicyChangeViewSet(ReadViewSet):
    """Changed policies; `effect` has what each brought against the replay of the policy as it was."""

    queryset = PolicyChange.objects.all()
    serializer_class = PolicyChangeSerializer
    permission_map: ClassVar = {"list": "procurement.view_policychange", "retrieve": "procurement.view_policychange"}
    filters: ClassVar = {"policy": "policy", "changed_at": ("changed_at", "gte", "lte")}
    ordering_fields: ClassVar = ["changed_at"]


class ServiceCorrectionSerializer(HouseSerializer):
    warehouse = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = ServiceCorrection
        fields = ("id", "warehouse", "segment", "factor", "asked", "realised", "item_count", "days", "learned_at")


class ServiceCorrectionViewSet(ReadViewSet):
    """What the safety stock of a segment is multiplied by, learned from the service it gave."""

    queryset = ServiceCorrection.objects.select_related("warehouse")
    serializer_class = ServiceCorrectionSerializer
    permission_map: ClassVar = {
        "list": "procurement.view_servicecorrection",
        "retrieve": "procurement.view_servicecorrection",
    }
    filters: ClassVar = {"warehouse": "warehouse__code", "segment": "segment"}
    ordering_fields: ClassVar = ["factor", "learned_at"]
