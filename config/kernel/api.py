"""The shapes every API resource shares: scoped reading, idempotent making, exact numbers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, mixins, serializers, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import BindingDict

from config.kernel.acting import acting
from config.kernel.errors import ValidationFailed
from config.kernel.fields import MoneyField, QuantityField, ShareField, plain
from config.kernel.filters import Filters
from config.kernel.idempotency import HEADER, MAX_KEY, once
from config.kernel.transactions import one_transaction

# Codes may hold a slash (they come from channels' files); what follows the resource is the code.
CODE = r".+?"

_ONE_LINE = RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", _("A code holds no line breaks or other control characters."))

IDEMPOTENCY_PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "maxLength": MAX_KEY},
    OpenApiParameter.HEADER,
    description="Your own key for this write: repeating it with the same body gives the first answer again.",
)
_LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201], description="Where the new one is."
)


def documents(request: Any, answer: Any, *, made: int = 201, **kwargs: Any) -> Any:
    """How a write is documented: its body, its answer, the Idempotency-Key, and where the new thing is."""
    parameters = [IDEMPOTENCY_PARAMETER, *([_LOCATION] if made == 201 else [])]
    return extend_schema(request=request, responses={made: answer}, parameters=parameters, **kwargs)


class QuantitySerializerField(serializers.DecimalField):
    """Units as a decimal string without trailing zeros."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 3, **kwargs})

    def to_representation(self, value: Any) -> str:
        return plain(Decimal(value))


_fields_of: dict[type[serializers.Serializer], BindingDict] = {}


def shared_fields(kind: type[serializers.Serializer]) -> BindingDict:
    """The fields of a serializer, made once a process: making them costs more than reading a document with them.

    They belong to a serializer without instance, body and context. Messages of their faults keep the language in which
    they are first read, so faults are read from fields of one's own.
    """
    if kind not in _fields_of:
        owner: Any = kind()
        owner.fields = BindingDict(owner)
        for name, field in owner.get_fields().items():
            owner.fields[name] = field
        _fields_of[kind] = owner.fields
    return _fields_of[kind]


class HouseSerializer(serializers.ModelSerializer):
    """A model serializer that writes quantities plainly and takes no amount, quantity or share below zero.

    Where it only shows rows, its fields are shared by all requests; they must not ask for the context.
    """

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        QuantityField: QuantitySerializerField,
        MoneyField: serializers.DecimalField,
    }

    @cached_property
    def fields(self) -> BindingDict:
        return super().fields if hasattr(self.root, "initial_data") else shared_fields(type(self))

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, QuantityField | MoneyField | ShareField) and not kwargs.get("read_only"):
            kwargs.setdefault("min_value", Decimal(0))
        if field_name == "code" and not kwargs.get("read_only"):
            kwargs["validators"] = [*kwargs.get("validators", model_field.validators), _ONE_LINE]
        return field_class, kwargs


currency_code = RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, as in ISO 4217."))


def by_code(model: Any, **kwargs: Any) -> Any:
    """A reference to a row by its code."""
    return serializers.SlugRelatedField(slug_field="code", queryset=model.objects.all(), **kwargs)


def lines_of(
    serializer: type[serializers.Serializer], *, at_most: int, required: bool = True, may_be_empty: bool = False
) -> Any:
    """A list of at most so many of these documents, as a serializer field."""
    many: Any = serializer
    return many(many=True, allow_empty=may_be_empty, max_length=at_most, required=required)


@contextmanager
def named_as(names: Mapping[str, str]) -> Iterator[None]:
    """Faults of a service named after the fields of the API's body."""
    try:
        yield
    except ValidationFailed as exc:
        exc.items = [
            {**item, "field": names.get(item["field"], item["field"])} if "field" in item else item
            for item in exc.items
        ]
        raise


class Makes:
    """What a view set needs to run services that make or change something."""

    request: Any
    get_serializer_context: Any
    lookup_field: Any
    # Whether its services may change master data, which the audit trail then ascribes to the caller. Documents name
    # their actor themselves; for them this would be an exchange with the database too many.
    writes_master_data: ClassVar[bool] = False

    def make_once(
        self,
        effect: Callable[[], Any],
        serializer: Any,
        *,
        made: int = 201,
        where: Callable[[Any], str] | None = None,
    ) -> Response:
        """Run a service that makes or changes something, at most once per Idempotency-Key; answer with its document.

        An effect that found its work done before (by the document's own number, not by the key) returns the document
        as `AlreadyThere` and is answered with 200. `where` gives the address of what was made.
        """

        def respond() -> Response:
            document = effect()
            status = 200 if isinstance(document, AlreadyThere) else made
            document = document.document if isinstance(document, AlreadyThere) else document
            data = serializer(document, context=self.get_serializer_context()).data
            headers = {"Location": where(document)} if where else {}
            return Response(data, status=status, headers=headers)

        with acting(self.request.user) if self.writes_master_data else nullcontext():
            return once(self.request, respond)  # type: ignore[no-any-return]

    def body(self, serializer: type[serializers.Serializer], **kwargs: Any) -> Any:
        """The validated body; raises a problem document otherwise."""

        def reader() -> Any:
            return serializer(data=self.request.data, context=self.get_serializer_context(), **kwargs)

        if not kwargs and not issubclass(serializer, serializers.ModelSerializer):
            quick = reader()
            quick.fields = shared_fields(serializer)
            if quick.is_valid():
                return quick.validated_data
        slow = reader()
        slow.is_valid(raise_exception=True)
        return slow.validated_data

    def below(self, document: Any) -> str:
        """The address of a document that was made by a POST to the list."""
        return f"{self.request.path.rstrip('/')}/{quote(str(getattr(document, self.lookup_field)), safe='')}/"

    @staticmethod
    def now() -> Any:
        return timezone.now()


class AlreadyThere:
    """The document an effect found instead of making it."""

    def __init__(self, document: Any) -> None:
        self.document = document


class HouseViewSet(Makes, viewsets.GenericViewSet):
    """The ground of all resources. `permission_map` names the right each action needs."""

    permission_map: ClassVar[dict[str, str]] = {}

    def check_permissions(self, request: Any) -> None:
        """A method the resource does not have is 405 for everybody who is signed in, not 403."""
        if self.action is None and request.user.is_authenticated:
            raise exceptions.MethodNotAllowed(request.method)
        super().check_permissions(request)


class ReadViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, HouseViewSet):
    """List and detail of the rows the caller may see; `filters` as in config.kernel.filters."""

    queryset: Any
    filters: ClassVar[Filters] = {}
    ordering_fields: ClassVar[list[str]] = []

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.queryset.for_actor(self.request.user)


class WriteViewSet(ReadViewSet):
    """Plain master data: made and changed through its serializer, never deleted by the API."""

    http_method_names = ("get", "post", "patch", "head", "options")

    @extend_schema(parameters=[IDEMPOTENCY_PARAMETER, _LOCATION])
    def create(self, request: Any) -> Response:
        writer = self.get_serializer(data=request.data)

        def respond() -> Response:
            self._save(writer)
            headers = {"Location": self.below(writer.instance)}
            return Response(writer.data, status=201, headers=headers)

        with acting(request.user):
            return once(request, respond)

    def partial_update(self, request: Any, **lookup: Any) -> Response:
        def change() -> Any:
            # Locked, so that the rules are checked against the row as it will be.
            rows = self.get_queryset().select_for_update(of=("self",), no_key=True)
            writer = self.get_serializer(get_object_or_404(rows, **lookup), data=request.data, partial=True)
            self._save(writer)
            return writer.data

        with acting(request.user):
            return Response(one_transaction(change)())

    def _save(self, writer: Any) -> None:
        """Save what was sent once the row's own constraints hold. Raises a validation error with their names."""
        writer.is_valid(raise_exception=True)
        model: type[models.Model] = writer.Meta.model
        fields = model._meta.concrete_fields
        before = {f.attname: getattr(writer.instance, f.attname) for f in fields} if writer.instance else {}
        row = model(**before)
        for field in fields:
            if field.name in writer.validated_data:
                setattr(row, field.name, writer.validated_data[field.name])
        row._state.adding = writer.instance is None
        row.validate_constraints()
        writer.save()
