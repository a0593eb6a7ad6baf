"""What a channel may offer: how much of which SKU, now and by a day, and why."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from catalog.models import Channel, Sku
from config.kernel.api import HouseViewSet, QuantitySerializerField
from config.kernel.errors import ValidationFailed
from config.kernel.fields import plain
from warehouses.selectors.promising import available_to_promise
from warehouses.selectors.reasons import reason
from warehouses.selectors.supply import Availability

MAX_SKUS = 1000


class PromiseBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    skus = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=MAX_SKUS, help_text="Codes of SKUs."
    )
    on = serializers.DateField(required=False, allow_null=True, help_text="The day it is wanted for; empty: now.")
    quantity = QuantitySerializerField(
        required=False, allow_null=True, min_value=Decimal("0.001"), help_text="So many are wanted: from when?"
    )


class PromiseStepSerializer(serializers.Serializer):
    on = serializers.DateField()
    quantity = QuantitySerializerField()


class SkuPromiseSerializer(serializers.Serializer):
    sku = serializers.CharField()
    quantity = QuantitySerializerField(help_text="May be promised now, or for the day that was asked for.")
    dates = PromiseStepSerializer(many=True, help_text="From this day on so many in all, what is there now included.")
    earliest = serializers.DateField(
        required=False, allow_null=True, help_text="Where a quantity was asked for: the first day; null when unknown."
    )
    reason = serializers.CharField(help_text="12 on hand, 9 reserved, 2 buffer; 40 arriving 3 Dec")


class PromiseSerializer(serializers.Serializer):
    channel = serializers.CharField()
    as_of = serializers.DateTimeField()
    results = SkuPromiseSerializer(many=True)


_PARAMETERS = [
    OpenApiParameter("channel", OpenApiTypes.STR, required=True, description="The channel's code."),
    OpenApiParameter("sku", OpenApiTypes.STR, many=True, required=True, description="A SKU's code; may be repeated."),
    OpenApiParameter("on", OpenApiTypes.DATE, description="The day it is wanted for; empty: now."),
    OpenApiParameter("quantity", OpenApiTypes.DECIMAL, description="So many are wanted: from when?"),
]


class AvailableToPromiseViewSet(HouseViewSet):
    """On hand less reservations, buffer, other channels' quotas and, where the channel wants it, safety stock; later
    days with what is expected until then. A promise never exceeds what will have arrived."""

    permission_map: ClassVar = {"list": "warehouses.view_stocklevel", "create": "warehouses.view_stocklevel"}
    serializer_class = PromiseSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(parameters=_PARAMETERS, responses=forced_singular_serializer(PromiseSerializer))
    def list(self, request: Any) -> Response:
        """Of a few SKUs."""
        asked = request.query_params
        if unknown := set(asked) - {parameter.name for parameter in _PARAMETERS}:
            raise serializers.ValidationError({name: [_("There is no such filter.")] for name in sorted(unknown)})
        said = {name: asked[name] for name in ("channel", "on", "quantity") if asked.get(name)}
        return self._answer({**said, "skus": asked.getlist("sku")})

    @extend_schema(request=PromiseBodySerializer, responses={200: PromiseSerializer})
    def create(self, request: Any) -> Response:
        """Of up to 1,000 SKUs. It only reads."""
        return self._answer(request.data)

    def _answer(self, data: Any) -> Response:
        asked = PromiseBodySerializer(data=data)
        asked.is_valid(raise_exception=True)
        body, now = asked.validated_data, timezone.now()
        on, quantity = body.get("on"), body.get("quantity")
        channel, skus = self._named(body["channel"], body["skus"], on, timezone.localdate(now))
        found = available_to_promise(channel, set(skus.values()), now=now)
        results = [_result(code, found[skus[code]], on, quantity) for code in dict.fromkeys(body["skus"])]
        return Response({"channel": channel.code, "as_of": now.isoformat(), "results": results})

    def _named(self, code: str, codes: Sequence[str], on: date | None, today: date) -> tuple[Channel, dict[str, int]]:
        """The channel, and SKU code → id. Raises ValidationFailed with everything that is unknown."""
        user = self.request.user
        channel = Channel.objects.for_actor(user).filter(code=code).first()
        skus = dict(Sku.objects.for_actor(user).filter(code__in=set(codes)).values_list("code", "pk"))
        items = [] if channel else [{"field": "channel", "message": _("There is no such channel.")}]
        for unknown in sorted(set(codes) - skus.keys()):
            items.append({"field": "skus", "sku": unknown, "message": _("There is no such SKU.")})
        if on and on < today:
            items.append({"field": "on", "message": _("The day has passed.")})
        if items or channel is None:
            raise ValidationFailed(_("This cannot be answered."), items=items)
        return channel, skus


def _result(code: str, there: Availability, on: date | None, quantity: Decimal | None) -> dict[str, Any]:
    """Written by hand: a serializer would take longer than the promises of a thousand SKUs."""
    answer: dict[str, Any] = {
        "sku": code,
        "quantity": plain(there.by(on) if on else there.now),
        "dates": [{"on": start.isoformat(), "quantity": plain(units)} for start, units in there.steps],
    }
    if quantity is not None:
        earliest = there.earliest(quantity)
        answer["earliest"] = earliest and earliest.isoformat()
    return {**answer, "reason": reason(there, on=on)}
