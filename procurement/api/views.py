"""Suppliers, policies, proposals and plans over the API, and every route of the app."""

from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import CODE, HouseViewSet, ReadViewSet, WriteViewSet, documents
from config.kernel.jobs import send_to_worker
from config.kernel.models import Job
from procurement.api import serializers
from procurement.api.action_messages import ActionMessageViewSet
from procurement.api.arranging import Arranging
from procurement.api.clearance import ClearanceProposalViewSet
from procurement.api.experiments import ExperimentViewSet, PolicyChangeViewSet, ServiceCorrectionViewSet
from procurement.api.joint_orders import JointOrderViewSet
from procurement.api.optimize import OptimizeViewSet
from procurement.api.order_serializers import PurchaseOrderSerializer
from procurement.api.orders import LineResponseViewSet, PurchaseOrderViewSet
from procurement.api.receipts import ReceiptViewSet
from procurement.api.transfer_proposals import TransferProposalViewSet
from procurement.api.what_if import PolicyReplayViewSet, ScenarioViewSet
from procurement.models import Policy, Proposal, Supplier, SupplierItem
from procurement.services.decisions import Decision, accept_proposals, dismiss_proposals
from procurement.services.planning import PLAN, queue_plan
from procurement.services.policies import record_policy_change, values_of


def _rights(name: str) -> dict[str, str]:
    verbs = {"list": "view", "retrieve": "view", "create": "add", "partial_update": "change"}
    return {act: f"procurement.{verb}_{name}" for act, verb in verbs.items()}


class SupplierViewSet(WriteViewSet):
    queryset = Supplier.objects.all()
    serializer_class = serializers.SupplierSerializer
    lookup_field, lookup_value_regex, lookup_url_kwarg = "code", CODE, "code"
    permission_map: ClassVar = _rights("supplier")
    filters: ClassVar = {"is_active": "is_active", "country": "country", "name": ("name", "icontains")}
    ordering_fields: ClassVar = ["code", "name", "lead_time_days"]


class SupplierItemViewSet(WriteViewSet):
    queryset = SupplierItem.objects.select_related("supplier", "sku").prefetch_related("price_breaks")
    serializer_class = serializers.SupplierItemSerializer
    permission_map: ClassVar = _rights("supplieritem")
    filters: ClassVar = {
        "supplier": "supplier__code",
        "sku": ("sku__code", "exact", "in"),
        "is_preferred": "is_preferred",
        "is_active": "is_active",
    }
    ordering_fields: ClassVar = ["unit_cost"]


class PolicyViewSet(WriteViewSet):
    queryset = Policy.objects.select_related("category", "sku", "warehouse")
    serializer_class = serializers.PolicySerializer
    permission_map: ClassVar = _rights("policy")
    filters: ClassVar = {"sku": "sku__code", "category": "category__code", "warehouse": "warehouse__code"}
    ordering_fields: ClassVar = ["service_level", "name"]

    def _save(self, writer: Any) -> None:
        """A changed policy leaves a record, so that the effect can be measured."""
        before = values_of(writer.instance) if writer.instance else None
        super()._save(writer)
        if before is not None:
            record_policy_change(writer.instance, before, actor=self.request.user, now=self.now())


class ProposalViewSet(Arranging, ReadViewSet):
    queryset = Proposal.objects.select_related("sku", "warehouse", "supplier")
    permission_map: ClassVar = {
        "list": "procurement.view_proposal",
        "retrieve": "procurement.view_proposal",
        "accept": "procurement.decide_proposal",
        "dismiss": "procurement.decide_proposal",
        "split": "procurement.decide_proposal",
        "merge": "procurement.decide_proposal",
        "explanation": "procurement.view_proposal",
    }
    filters: ClassVar = {
        "status": ("status", "exact", "in"),
        "sku": ("sku__code", "exact", "in"),
        "warehouse": "warehouse__code",
        "supplier": "supplier__code",
        "run": "run",
        "need_by": ("need_by", "gte", "lte"),
        "days_of_cover": ("days_of_cover", "lte"),
    }
    ordering_fields: ClassVar = ["quantity", "need_by", "days_of_cover", "created_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("explanation", "snapshot") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        return serializers.ProposalRowSerializer if self.action == "list" else serializers.ProposalSerializer

    @documents(serializers.AcceptBodySerializer, PurchaseOrderSerializer(many=True), made=200, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def accept(self, request: Any) -> Response:
        """Accept proposals, also with another quantity; one supplier's become one draft order per warehouse."""

        def effect() -> Any:
            body = self.body(serializers.AcceptBodySerializer)
            decisions = [Decision(one["proposal"], one.get("quantity")) for one in body["proposals"]]
            orders = accept_proposals(decisions, actor=request.user, now=self.now())
            return PurchaseOrderViewSet.queryset.for_actor(request.user).filter(pk__in=[o.pk for o in orders])

        return self.make_once(effect, _many(PurchaseOrderSerializer), made=200)

    @documents(serializers.DismissBodySerializer, serializers.DismissAnswerSerializer, made=200, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def dismiss(self, request: Any) -> Response:
        """Dismiss proposals, with a note why."""

        def effect() -> dict[str, int]:
            body = self.body(serializers.DismissBodySerializer)
            count = dismiss_proposals(body["proposals"], actor=request.user, now=self.now(), note=body["note"])
            return {"dismissed": count}

        return self.make_once(effect, serializers.DismissAnswerSerializer, made=200)


def _many(serializer: Any) -> Any:
    return lambda rows, context: serializer(rows, many=True, context=context)


class PlanViewSet(HouseViewSet):
    """Planning runs; their progress is at /api/v1/jobs/{id}/."""

    queryset = Job.objects.filter(kind=PLAN)
    serializer_class = serializers.PlanAnswerSerializer
    permission_map: ClassVar = {"create": "procurement.run_plan"}

    @documents(serializers.PlanBodySerializer, serializers.PlanAnswerSerializer, made=202)
    def create(self, request: Any) -> Response:
        """Start a planning run in a worker."""

        def effect() -> dict[str, Any]:
            body = self.body(serializers.PlanBodySerializer)
            job = queue_plan(actor=request.user, as_of=body["as_of"], force=body["force"])
            send_to_worker(job)
            return {"job": job.pk, "state": job.state}

        return self.make_once(
            effect, serializers.PlanAnswerSerializer, made=202, where=lambda plan: f"/api/v1/jobs/{plan['job']}/"
        )


ROUTES = [
    ("clearance-proposals", ClearanceProposalViewSet),
    ("joint-orders", JointOrderViewSet),
    ("transfer-proposals", TransferProposalViewSet),
    ("suppliers", SupplierViewSet),
    ("supplier-items", SupplierItemViewSet),
    ("policies", PolicyViewSet),
    ("proposals", ProposalViewSet),
    ("purchase-orders", PurchaseOrderViewSet),
    ("action-messages", ActionMessageViewSet),
    ("line-responses", LineResponseViewSet),
    ("receipts", ReceiptViewSet),
    ("planning-runs", PlanViewSet),
    ("optimize", OptimizeViewSet),
    ("policy-replays", PolicyReplayViewSet),
    ("scenarios", ScenarioViewSet),
    ("experiments", ExperimentViewSet),
    ("policy-changes", PolicyChangeViewSet),
    ("service-corrections", ServiceCorrectionViewSet),
]
