"""The shapes every API resource shares: scoped reading, idempotent making, exact numbers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.response import Response

from config.kernel.fields import MoneyField, QuantityField, plain
from config.kernel.idempotency import HEADER, once

IDEMPOTENCY_PARAMETER = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Your own key for this write: repeating it with the same body gives the first answer again.",
)


class QuantitySerializerField(serializers.DecimalField):
    """Units as a decimal string without trailing zeros."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 3, **kwargs})

    def to_representation(self, value: Any) -> str:
        return plain(Decimal(value))


class HouseSerializer(serializers.ModelSerializer):
    """A model serializer that writes quantities plainly."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        QuantityField: QuantitySerializerField,
        MoneyField: serializers.DecimalField,
    }


def lines_of(serializer: type[serializers.Serializer], *, at_most: int, required: bool = True) -> Any:
    """A non-empty list of at most so many of these documents, as a serializer field."""
    many: Any = serializer
    return many(many=True, allow_empty=False, max_length=at_most, required=required)


class Makes:
    """What a view set needs to run services that make or change something."""

    request: Any
    get_serializer_context: Any

    def make_once(
        self, effect: Callable[[], Any], serializer: type[serializers.Serializer], *, made: int = 201
    ) -> Response:
        """Run a service that makes or changes something, at most once per Idempotency-Key; answer with its document."""

        def respond() -> Response:
            document = effect()
            context = self.get_serializer_context()
            return Response(serializer(document, context=context).data, status=made)

        return once(self.request, f"{self.request.method} {self.request.path}", respond)

    def body(self, serializer: type[serializers.Serializer], **kwargs: Any) -> Any:
        """The validated body; raises a problem document otherwise."""
        reader = serializer(data=self.request.data, context=self.get_serializer_context(), **kwargs)
        reader.is_valid(raise_exception=True)
        return reader.validated_data

    @staticmethod
    def now() -> Any:
        return timezone.now()


class ReadViewSet(Makes, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """List and detail of the rows the caller may see. `permission_map` names the right each action needs."""

    permission_map: ClassVar[dict[str, str]] = {}
    queryset: Any

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.queryset.for_actor(self.request.user)


class WriteViewSet(ReadViewSet):
    """Plain master data: made and changed through its serializer, never deleted by the API."""

    http_method_names = ("get", "post", "patch", "head", "options")

    @extend_schema(parameters=[IDEMPOTENCY_PARAMETER])
    def create(self, request: Any) -> Response:
        writer = self.get_serializer(data=request.data)

        def respond() -> Response:
            writer.is_valid(raise_exception=True)
            writer.save()
            return Response(writer.data, status=status.HTTP_201_CREATED)

        return once(request, f"POST {request.path}", respond)

    def partial_update(self, request: Any, **lookup: Any) -> Response:
        writer = self.get_serializer(self.get_object(), data=request.data, partial=True)
        writer.is_valid(raise_exception=True)
        writer.save()
        return Response(writer.data)
