"""Splitting, merging and explaining proposals over the API."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import QuantitySerializerField, documents, lines_of
from procurement.admin.terms import term_name, term_rows
from procurement.api.serializers import MAX_LINES, ProposalSerializer
from procurement.models import Proposal
from procurement.services.arranging import MOST_PARTS, Part, merge_proposals, split_proposal
from procurement.services.snapshots import recompute_proposal


class SplitBodySerializer(serializers.Serializer):
    class PartSerializer(serializers.Serializer):
        quantity = QuantitySerializerField(min_value=Decimal("0.001"))
        need_by = serializers.DateField(required=False, allow_null=True, default=None)
        supplier_item = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)

        class Meta:
            ref_name = "ProposalPart"

    parts = lines_of(PartSerializer, at_most=MOST_PARTS)


class MergeBodySerializer(serializers.Serializer):
    proposals = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=MAX_LINES
    )
    need_by = serializers.DateField(required=False, allow_null=True, default=None)


class ExplanationSerializer(serializers.Serializer):
    """Terms in words and as numbers, the inputs, and whether calculating it again brings the same."""

    proposal = serializers.IntegerField()
    edition = serializers.CharField()
    is_same = serializers.BooleanField()
    recalculated_from = serializers.CharField()
    differing = serializers.ListField(child=serializers.CharField())
    terms = serializers.ListField(child=serializers.DictField())
    snapshot = serializers.DictField(allow_null=True)


class Arranging:
    """The actions of proposals that arrange and explain them; a part of their view set."""

    @documents(SplitBodySerializer, ProposalSerializer(many=True), made=200, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def split(self: Any, request: Any, pk: Any = None) -> Response:
        """Take a proposal apart: quantities, days, or other supplier items of the SKU."""
        proposal = self.get_object()

        def effect() -> Any:
            parts = [
                Part(one["quantity"], one["need_by"], one["supplier_item"])
                for one in self.body(SplitBodySerializer)["parts"]
            ]
            return self._arranged(split_proposal(proposal.pk, parts, actor=request.user, now=self.now()))

        return self.make_once(effect, _many, made=200)  # type: ignore[no-any-return]

    @documents(MergeBodySerializer, ProposalSerializer(many=True), made=200, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def merge(self: Any, request: Any) -> Response:
        """Proposals of one supplier and warehouse: of one SKU become one, all come on one day."""

        def effect() -> Any:
            body = self.body(MergeBodySerializer)
            merged = merge_proposals(body["proposals"], actor=request.user, now=self.now(), need_by=body["need_by"])
            return self._arranged(merged)

        return self.make_once(effect, _many, made=200)  # type: ignore[no-any-return]

    @extend_schema(responses=ExplanationSerializer, filters=False)
    @action(detail=True, methods=["get"])
    def explanation(self: Any, request: Any, pk: Any = None) -> Response:
        """Every number of a proposal, and whether its inputs still bring it."""
        proposal = self.get_object()
        again = recompute_proposal(proposal)
        answer = {
            "proposal": proposal.pk,
            "edition": proposal.edition,
            "is_same": again.is_same,
            "recalculated_from": again.how,
            "differing": again.differing,
            "terms": _terms(proposal),
            "snapshot": proposal.snapshot,
        }
        return Response(ExplanationSerializer(answer).data)

    def _arranged(self: Any, proposals: list[Proposal]) -> Any:
        return self.get_queryset().filter(pk__in=[proposal.pk for proposal in proposals]).order_by("pk")


def _many(rows: Any, context: Any) -> Any:
    return ProposalSerializer(rows, many=True, context=context)


def _terms(proposal: Proposal) -> list[dict[str, Any]]:
    named = term_rows(proposal.explanation)
    return [
        {**term, "name": term_name(term["code"]), "in_words": row["name"], "source_in_words": str(row["source"])}
        for term, row in zip(proposal.explanation, named, strict=True)
    ]
