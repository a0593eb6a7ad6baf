"""Overrides of forecasts: listed, set one by one or many at once, withdrawn."""

from typing import Any, ClassVar

from django.utils import timezone
from django_filters.filters import BooleanFilter, CharFilter
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import HouseSerializer, ReadViewSet, documents, lines_of, named_as
from forecasting.models import ForecastOverride
from forecasting.services.overrides import OverrideEntry, set_override, set_overrides, withdraw_override

_NAMES = {f"{name}_code": name for name in ("sku", "category", "warehouse", "channel")}
MAX_LINES = 1000


class OverrideSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True, default=None, allow_null=True)
    category = serializers.CharField(source="category.code", read_only=True, default=None, allow_null=True)
    warehouse = serializers.CharField(source="warehouse.code", read_only=True, default=None, allow_null=True)
    channel = serializers.CharField(source="channel.code", read_only=True, default=None, allow_null=True)
    author = serializers.CharField(source="author.username", read_only=True)
    withdrawn_by = serializers.CharField(source="withdrawn_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = ForecastOverride
        fields = (
            "id",
            "sku",
            "category",
            "warehouse",
            "channel",
            "kind",
            "value",
            "starts_on",
            "ends_on",
            "expires_on",
            "reason",
            "author",
            "created_at",
            "withdrawn_by",
            "withdrawn_at",
        )


class OverrideLineSerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    category = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="", help_text="Instead of a SKU: all SKUs below it."
    )
    warehouse = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="", help_text="Empty: all."
    )
    channel = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="", help_text="Empty: all; else its share alone."
    )
    kind = serializers.ChoiceField(
        choices=ForecastOverride.Kind.choices,
        help_text="factor: times the forecast; change: units a day more or less; set: units over the whole span.",
    )
    value = serializers.DecimalField(max_digits=14, decimal_places=4)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day, included.")
    expires_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="First day it no longer counts; empty: after its end."
    )
    reason = serializers.CharField(max_length=300)


class OverrideBodySerializer(OverrideLineSerializer):
    is_confirmed = serializers.BooleanField(
        default=False, help_text="Needed where it comes to more than ten times the forecast."
    )


class OverrideBatchSerializer(serializers.Serializer):
    overrides = lines_of(OverrideLineSerializer, at_most=MAX_LINES)
    is_confirmed = serializers.BooleanField(default=False)


class OverridesAnswerSerializer(serializers.Serializer):
    overrides = OverrideSerializer(many=True)


def only_in_force(rows: Any, name: str, wanted: bool) -> Any:
    in_force = {"expires_on__gt": timezone.localdate(), "withdrawn_at": None}
    return rows.filter(**in_force) if wanted else rows.exclude(**in_force)


EXAMPLES = [
    OpenApiExample(
        "A promotion",
        request_only=True,
        value={
            "sku": "MUG",
            "kind": "factor",
            "value": "2.5",
            "starts_on": "2026-12-01",
            "ends_on": "2026-12-07",
            "reason": "Two for one in the web shop",
        },
    )
]


def _entry(line: dict[str, Any]) -> OverrideEntry:
    named = {f"{name}_code": line[name] for name in _NAMES.values()}
    others = ("kind", "value", "starts_on", "ends_on", "expires_on", "reason")
    return OverrideEntry(**named, **{name: line[name] for name in others})


class ForecastOverrideViewSet(ReadViewSet):
    """What planners add to the forecasts. On a day that several rule, the narrowest wins, then the newest."""

    queryset = ForecastOverride.objects.select_related(
        "sku", "category", "warehouse", "channel", "author", "withdrawn_by"
    )
    serializer_class = OverrideSerializer
    writes_master_data = True
    permission_map: ClassVar = {
        "list": "forecasting.view_forecastoverride",
        "retrieve": "forecasting.view_forecastoverride",
        "create": "forecasting.add_forecastoverride",
        "batch": "forecasting.add_forecastoverride",
        "withdraw": "forecasting.withdraw_forecastoverride",
    }
    filters: ClassVar = {
        "sku": ("sku__code", "exact", "in"),
        "category": "category__code",
        "warehouse": "warehouse__code",
        "channel": "channel__code",
        "author": CharFilter(field_name="author__username"),
        "in_force": BooleanFilter(method=only_in_force, label="true: neither withdrawn nor expired."),
        "starts_on": ("starts_on", "lte"),
        "ends_on": ("ends_on", "gte"),
    }
    ordering_fields: ClassVar = ["starts_on", "created_at"]

    @documents(OverrideBodySerializer, OverrideSerializer, examples=EXAMPLES)
    def create(self, request: Any) -> Response:
        """Set one. More than ten times the forecast is refused with `confirmation_needed` until it is confirmed."""

        def effect() -> ForecastOverride:
            body = self.body(OverrideBodySerializer)
            with named_as(_NAMES):
                return set_override(
                    _entry(body), author=request.user, now=self.now(), is_confirmed=body["is_confirmed"]
                )

        return self.make_once(effect, OverrideSerializer, where=self.below)

    @documents(OverrideBatchSerializer, OverridesAnswerSerializer, made=200)
    @action(detail=False, methods=["post"])
    def batch(self, request: Any) -> Response:
        """Set many: all of them or none."""

        def effect() -> dict[str, Any]:
            body = self.body(OverrideBatchSerializer)
            entries = [_entry(line) for line in body["overrides"]]
            with named_as(_NAMES):
                made = set_overrides(entries, author=request.user, now=self.now(), is_confirmed=body["is_confirmed"])
            return {"overrides": made}

        return self.make_once(effect, OverridesAnswerSerializer, made=200)

    @documents(None, OverrideSerializer, made=200)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Any, pk: Any = None) -> Response:
        """From now on no plan uses it. It stays in the list."""
        override = self.get_object()

        def effect() -> ForecastOverride:
            withdraw_override(override.pk, actor=request.user, now=self.now())
            return self.get_queryset().get(pk=override.pk)

        return self.make_once(effect, OverrideSerializer, made=200)
