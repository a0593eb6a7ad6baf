"""For handheld devices: what a scanned code means."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.kernel.api import HouseViewSet
from config.kernel.errors import NotFound
from config.kernel.scanning.cleaning import LONGEST
from warehouses.selectors.scanning import found


class ScannedSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="sku, location, lot, order, shipment, purchase_order, …")
    id = serializers.IntegerField(source="pk", help_text="The row's id, as in its own resource.")
    codes = serializers.DictField(
        child=serializers.CharField(), help_text="The codes it goes by, and what a GS1 symbol said besides."
    )
    page = serializers.CharField(source="url", help_text="The row's page for people.")


class ScanQuerySerializer(serializers.Serializer):
    code = serializers.CharField(max_length=LONGEST, trim_whitespace=False)


class ScanViewSet(HouseViewSet):
    permission_map: ClassVar = {"list": "warehouses.view_stocklevel"}
    serializer_class = ScannedSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "code",
                {"type": "string", "minLength": 1, "maxLength": LONGEST},
                required=True,
                description="As the scanner sends it; AIM identifiers and separators may be left in.",
            )
        ],
        responses=forced_singular_serializer(ScannedSerializer),
    )
    def list(self, request: Any) -> Response:
        """The one thing with this code that you may see: a SKU, location, lot, order or document; 404 for none."""
        if unknown := set(request.query_params) - {"code"}:
            raise serializers.ValidationError({name: [_("There is no such filter.")] for name in sorted(unknown)})
        query = ScanQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        hit = found(query.validated_data["code"], actor=request.user, today=timezone.localdate())
        if hit is None:
            raise NotFound(_("Nothing has this code, or more than one thing has it."))
        return Response(ScannedSerializer(hit).data)
