"""Where units of a SKU are kept for a channel, and given back."""

from decimal import Decimal
from typing import Any, ClassVar

from django_filters.filters import BooleanFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import AlreadyThere, HouseSerializer, QuantitySerializerField, ReadViewSet, documents, named_as
from warehouses.api.stock import view_only
from warehouses.models import ChannelQuota
from warehouses.services.quotas import release_quota, set_quota

_NAMES = {"sku_code": "sku", "channel_code": "channel"}


class QuotaSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = ChannelQuota
        fields = ("id", "channel", "sku", "quantity", "used", "expires_at", "released_at")


class QuotaBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    sku = serializers.CharField(max_length=64)
    quantity = QuantitySerializerField(min_value=Decimal("0.001"))
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Empty: until it is released."
    )


class ChannelQuotaViewSet(ReadViewSet):
    """Ring-fenced stock: units that only this channel may take, from any warehouse that serves it."""

    queryset = ChannelQuota.objects.select_related("channel", "sku")
    serializer_class = QuotaSerializer
    writes_master_data = True
    permission_map: ClassVar = {
        **view_only("warehouses.view_channelquota"),
        "create": "warehouses.add_channelquota",
        "release": "warehouses.change_channelquota",
    }
    filters: ClassVar = {
        "channel": "channel__code",
        "sku": ("sku__code", "exact", "in"),
        "is_open": BooleanFilter(field_name="released_at", lookup_expr="isnull"),
        "expires_at": ("expires_at", "gte", "lte"),
    }

    @documents(QuotaBodySerializer, QuotaSerializer)
    def create(self, request: Any) -> Response:
        """Keep so many units; where the channel has an open quota of the SKU it is changed (200)."""

        def effect() -> ChannelQuota | AlreadyThere:
            body = self.body(QuotaBodySerializer)
            with named_as(_NAMES):
                quota, is_new = set_quota(
                    channel_code=body["channel"],
                    sku_code=body["sku"],
                    quantity=body["quantity"],
                    expires_at=body["expires_at"],
                    now=self.now(),
                    actor=request.user,
                )
            document = self.get_queryset().get(pk=quota.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, QuotaSerializer, where=self.below)

    @documents(None, QuotaSerializer, made=200)
    @action(detail=True, methods=["post"])
    def release(self, request: Any, pk: Any = None) -> Response:
        """Give what is left of it to everybody."""
        quota = self.get_object()

        def effect() -> ChannelQuota:
            release_quota(quota.pk, now=self.now(), actor=request.user)
            return self.get_queryset().get(pk=quota.pk)

        return self.make_once(effect, QuotaSerializer, made=200)
