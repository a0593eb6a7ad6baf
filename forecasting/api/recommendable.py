"""Which SKUs a recommender should push or hold back, and why."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from catalog.models import Category, Channel, Sku
from config.kernel.api import HouseViewSet
from config.kernel.errors import ValidationFailed
from forecasting.selectors.recommendable import Recommendable, recommendable_skus
from warehouses.models import Warehouse

VERDICTS = ("push", "neutral", "hold")
MAX_PAGE = 1000
WORDS = {
    "not_for_sale": gettext_lazy("It is discontinued or its listing is not active."),
    "out_of_stock": gettext_lazy("Nothing is free."),
    "runs_out": gettext_lazy("It is expected to run out before the next supply."),
    "overstocked": gettext_lazy("There is more than the protection interval needs."),
    "healthy": gettext_lazy("There is enough for the protection interval."),
    "thin": gettext_lazy("It lasts until the next supply, but not over the protection interval."),
    "arriving": gettext_lazy("More arrives within the protection interval."),
    "phase_out": gettext_lazy("It is phasing out: its stock must go."),
    "no_demand": gettext_lazy("It lies there and nobody is expected to ask for it."),
    "no_forecast": gettext_lazy("No forecast covers it yet."),
}


class RecommendableQuerySerializer(serializers.Serializer):
    channel = serializers.CharField(required=False, max_length=32, help_text="What is listed there (its code).")
    warehouse = serializers.CharField(required=False, max_length=32, help_text="Only stock of this warehouse.")
    verdict = serializers.ChoiceField(required=False, choices=VERDICTS)
    category = serializers.CharField(required=False, max_length=64, help_text="With the categories below it.")
    min_score = serializers.FloatField(required=False, min_value=-1, max_value=1)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, default=100)
    cursor = serializers.CharField(required=False, max_length=400, help_text="Comes in `next`.")


class ReasonSerializer(serializers.Serializer):
    code = serializers.ChoiceField(choices=list(WORDS))
    text = serializers.CharField()


class RecommendableSkuSerializer(serializers.Serializer):
    sku = serializers.CharField()
    score = serializers.FloatField(help_text="−1 hold back … 1 push.")
    verdict = serializers.ChoiceField(choices=VERDICTS)
    reasons = ReasonSerializer(many=True)
    free = serializers.FloatField(help_text="Units that may be promised now.")
    arriving = serializers.FloatField(help_text="Units due within the protection interval.")
    next_arrival = serializers.DateField(allow_null=True)
    expected = serializers.FloatField(help_text="Demand over the protection interval, of all channels.")
    protection_days = serializers.IntegerField(allow_null=True)
    cover_days = serializers.FloatField(allow_null=True, help_text="How long what is free lasts; null: no demand.")
    margin = serializers.FloatField(help_text="(price − cost) / price; decides between equal scores.")


class RecommendablePageSerializer(serializers.Serializer):
    as_of = serializers.DateTimeField()
    next = serializers.URLField(allow_null=True)
    results = RecommendableSkuSerializer(many=True)


EXAMPLE = OpenApiExample(
    "One to push, one to hold back",
    response_only=True,
    status_codes=["200"],
    value={
        "as_of": "2026-03-02T09:00:00Z",
        "next": None,
        "results": [
            {
                "sku": "LAMP",
                "score": 0.5,
                "verdict": "push",
                "reasons": [{"code": "overstocked", "text": "There is more than the protection interval needs."}],
                "free": 60.0,
                "arriving": 0.0,
                "next_arrival": None,
                "expected": 20.0,
                "protection_days": 20,
                "cover_days": 60.0,
                "margin": 0.556,
            },
            {
                "sku": "MUG",
                "score": -0.8,
                "verdict": "hold",
                "reasons": [{"code": "runs_out", "text": "It is expected to run out before the next supply."}],
                "free": 80.0,
                "arriving": 0.0,
                "next_arrival": None,
                "expected": 200.0,
                "protection_days": 20,
                "cover_days": 8.0,
                "margin": 0.611,
            },
        ],
    },
)


class RecommendableViewSet(HouseViewSet):
    permission_map: ClassVar = {"list": "forecasting.view_forecast"}
    serializer_class = RecommendablePageSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        parameters=[RecommendableQuerySerializer],
        responses=forced_singular_serializer(RecommendablePageSerializer),
        operation_id="recommendable",
        examples=[EXAMPLE],
    )
    def list(self, request: Any) -> Response:
        """SKUs with a score from −1 (hold back) to 1 (push), the highest first, and the reasons.

        A SKU is held back when what is free lasts not even until the next supply, and pushed the more intervals of
        demand it covers, arrivals included; what phases out is pushed earlier. Kits are scored by what their parts
        allow. Follow `next` until it is null.
        """
        asked = self._asked(request)
        now = timezone.now()
        found = recommendable_skus(
            now=now,
            channel=self._named(Channel, asked, "channel"),
            warehouse=self._named(Warehouse, asked, "warehouse"),
            category_id=getattr(self._named(Category, asked, "category"), "pk", None),
            actor_skus=Sku.objects.for_actor(request.user),
        )
        wanted, least = asked.get("verdict"), asked.get("min_score", -1.0)
        found = [one for one in found if one.score >= least and (not wanted or one.verdict == wanted)]
        if "cursor" in asked:
            after = _rank_of(asked["cursor"])
            found = [one for one in found if one.rank > after]
        page, rest = found[: asked["limit"]], found[asked["limit"] :]
        address = replace_query_param(request.build_absolute_uri(), "cursor", _cursor(page[-1])) if rest else None
        return Response({"as_of": now.isoformat(), "next": address, "results": [_result(one) for one in page]})

    @staticmethod
    def _asked(request: Any) -> Any:
        known = RecommendableQuerySerializer().fields
        if unknown := sorted(set(request.query_params) - set(known)):
            message = _("There is no such parameter; known are: %s.") % ", ".join(sorted(known))
            raise serializers.ValidationError({name: [message] for name in unknown})
        query = RecommendableQuerySerializer(
            data={name: value for name, value in request.query_params.items() if value}
        )
        query.is_valid(raise_exception=True)
        return query.validated_data

    def _named(self, model: Any, asked: Any, name: str) -> Any:
        if name not in asked:
            return None
        row = model.objects.for_actor(self.request.user).filter(code=asked[name]).first()
        if row is None:
            message = _("There is none with this code.")
            raise ValidationFailed(message, items=[{"field": name, "message": message}])
        return row


def _cursor(last: Recommendable) -> str:
    return urlsafe_b64encode(json.dumps(last.rank).encode()).decode().rstrip("=")


def _rank_of(text: str) -> tuple[float, float, str]:
    try:
        score, margin, code = json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        return float(score), float(margin), str(code)
    except (ValueError, TypeError, OverflowError, RecursionError) as exc:
        message = _("This is no cursor of this list; follow `next` as it is.")
        raise serializers.ValidationError({"cursor": [message]}) from exc


def _result(one: Recommendable) -> dict[str, Any]:
    return {
        "sku": one.code,
        "score": one.score,
        "verdict": one.verdict,
        "reasons": [{"code": code, "text": str(WORDS[code])} for code in one.reasons],
        "free": one.free,
        "arriving": one.arriving,
        "next_arrival": one.next_arrival and one.next_arrival.isoformat(),
        "expected": one.expected,
        "protection_days": one.protection_days,
        "cover_days": one.cover_days,
        "margin": one.margin,
    }


ROUTES = [("recommendable", RecommendableViewSet)]
