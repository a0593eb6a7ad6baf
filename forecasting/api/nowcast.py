"""What the orders of the last hours say of a SKU's forecast."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from catalog.models import Channel, Sku
from config.kernel.api import CODE, HouseViewSet
from config.kernel.errors import NotFound, ValidationFailed
from forecasting.selectors.nowcast import Ahead, LiveView, sku_nowcast
from warehouses.models import Warehouse

INTERVAL = 0.9


class AheadSerializer(serializers.Serializer):
    expected = serializers.FloatField()
    quantiles = serializers.DictField(child=serializers.FloatField())


class ProtectionSerializer(AheadSerializer):
    days = serializers.IntegerField()


class LevelSerializer(serializers.Serializer):
    factor = serializers.FloatField(help_text="1.2: demand runs 20 % above the forecast.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    interval = serializers.FloatField(help_text="Probability that the factor lies between low and high.")


class SoFarSerializer(serializers.Serializer):
    expected = serializers.FloatField()
    observed = serializers.FloatField()


class SurpriseSerializer(serializers.Serializer):
    is_surprising = serializers.BooleanField(help_text="The probability is below .001.")
    probability = serializers.FloatField(help_text="Of orders so high (or so low) had the forecast been right.")
    direction = serializers.ChoiceField(choices=["above", "below"])
    over = serializers.ChoiceField(choices=["today", "since_as_of"])


class LiveViewSerializer(serializers.Serializer):
    warehouse = serializers.CharField(allow_null=True, help_text="null: all of them together.")
    level = LevelSerializer()
    since_as_of = SoFarSerializer()
    today = SoFarSerializer()
    surprise = SurpriseSerializer()
    rest_of_today = AheadSerializer()
    next_7_days = AheadSerializer(help_text="Seven whole days from now.")
    protection_interval = ProtectionSerializer(help_text="The protection interval, from now.")
    last_order_at = serializers.DateTimeField(allow_null=True)


class NowcastSerializer(serializers.Serializer):
    sku = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    run = serializers.IntegerField()
    as_of = serializers.DateField(help_text="The last day the forecast has read.")
    updated_at = serializers.DateTimeField(help_text="Every order committed by then is in it.")
    total = LiveViewSerializer()
    warehouses = LiveViewSerializer(many=True)


_AHEAD = {"expected": 18.4, "quantiles": {"0.5": 18.0, "0.95": 26.0}}
_VIEW = {
    "level": {"factor": 1.429, "low": 0.945, "high": 1.991, "interval": 0.9},
    "since_as_of": {"expected": 10.0, "observed": 16.0},
    "today": {"expected": 10.0, "observed": 16.0},
    "surprise": {"is_surprising": False, "probability": 0.173, "direction": "above", "over": "since_as_of"},
    "rest_of_today": {"expected": 2.1, "quantiles": {"0.5": 2.0, "0.95": 5.0}},
    "next_7_days": {"expected": 100.0, "quantiles": {"0.5": 98.0, "0.95": 146.0}},
    "protection_interval": {"days": 20, "expected": 285.7, "quantiles": {"0.5": 281.0, "0.95": 402.0}},
    "last_order_at": "2026-03-02T08:58:12Z",
}
EXAMPLE = OpenApiExample(
    "More orders than expected",
    response_only=True,
    status_codes=["200"],
    value={
        "sku": "MUG",
        "channel": None,
        "run": 41,
        "as_of": "2026-03-01",
        "updated_at": "2026-03-02T09:00:00Z",
        "total": {"warehouse": None, **_VIEW},
        "warehouses": [{"warehouse": "MAIN", **_VIEW}],
    },
)
_PARAMETERS = [
    OpenApiParameter("sku", OpenApiTypes.STR, OpenApiParameter.PATH, description="The SKU's code."),
    OpenApiParameter("warehouse", OpenApiTypes.STR, description="Only this warehouse (its code)."),
    OpenApiParameter("channel", OpenApiTypes.STR, description="Only the demand of this channel (its code)."),
]


class NowcastViewSet(HouseViewSet):
    permission_map: ClassVar = {"list": "forecasting.view_forecast"}
    serializer_class = NowcastSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        parameters=_PARAMETERS,
        responses=forced_singular_serializer(NowcastSerializer),
        operation_id="forecast_nowcast",
        examples=[EXAMPLE],
    )
    def list(self, request: Any, sku: str) -> Response:
        """The short-term view of a SKU: the forecast in force, its level moved by the orders since, no refit.

        Read off the orders at every call, so an order is in it as soon as it is committed. Of a channel's day the part
        gone by is learnt from its past orders; days without stock and closed days are left out; what was cancelled or
        returned does not count. 404 while no forecast covers the SKU.
        """
        now = timezone.now()
        row = Sku.objects.for_actor(request.user).filter(code=sku).first()
        if row is None:
            raise NotFound(_("There is no such SKU."))
        warehouse, channel = self._asked(request)
        found = sku_nowcast(row.pk, now=now, warehouse_id=warehouse.pk if warehouse else None, channel=channel)
        if found is None:
            raise NotFound(_("No forecast in force covers it."), code="no_forecast")
        places = [view.warehouse_id or 0 for view in found.warehouses]
        codes = dict(Warehouse.objects.filter(pk__in=places).values_list("pk", "code"))
        levels = found.run.quantile_levels
        return Response(
            {
                "sku": row.code,
                "channel": channel and channel.code,
                "run": found.run.pk,
                "as_of": found.run.as_of.isoformat(),
                "updated_at": now.isoformat(),
                "total": _view(found.total, codes.get(warehouse.pk) if warehouse else None, levels),
                "warehouses": [_view(view, codes[view.warehouse_id or 0], levels) for view in found.warehouses],
            }
        )

    def _asked(self, request: Any) -> tuple[Warehouse | None, Channel | None]:
        """The warehouse and channel of the question. Raises for what does not exist."""
        asked = request.query_params
        if unknown := set(asked) - {"warehouse", "channel"}:
            raise serializers.ValidationError({name: [_("There is no such parameter.")] for name in sorted(unknown)})
        found: list[Any] = []
        for name, model in (("warehouse", Warehouse), ("channel", Channel)):
            code = asked.get(name)
            rows: Any = model.objects.for_actor(request.user)  # type: ignore[attr-defined]
            found.append(rows.filter(code=code).first() if code else None)
            if code and found[-1] is None:
                message = _("There is none with this code.")
                raise ValidationFailed(message, items=[{"field": name, "message": message}])
        return found[0], found[1]


def _view(view: LiveView, warehouse: str | None, levels: Sequence[float]) -> dict[str, Any]:
    def ahead(one: Ahead) -> dict[str, Any]:
        named = zip(levels, one.quantiles, strict=True)
        return {"expected": round(one.mean, 3), "quantiles": {f"{level:g}": round(units, 3) for level, units in named}}

    return {
        "warehouse": warehouse,
        "level": {
            "factor": round(view.factor, 4),
            "low": round(view.factor_low, 4),
            "high": round(view.factor_high, 4),
            "interval": INTERVAL,
        },
        "since_as_of": {"expected": round(view.expected, 3), "observed": round(view.observed, 3)},
        "today": {"expected": round(view.today_expected, 3), "observed": round(view.today_observed, 3)},
        "surprise": {
            "is_surprising": view.is_surprising,
            "probability": float(f"{view.probability:.6g}"),
            "direction": view.direction,
            "over": view.over,
        },
        "rest_of_today": ahead(view.rest_of_today),
        "next_7_days": ahead(view.next_7_days),
        "protection_interval": {"days": view.protection_days, **ahead(view.protection)},
        "last_order_at": view.last_order_at and view.last_order_at.isoformat(),
    }


ROUTES = [(rf"forecasts/(?P<sku>{CODE})/nowcast", NowcastViewSet)]
