"""What stock is and was worth, what the goods that left had cost, and costs that come after the goods."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from catalog.models import Channel, Sku
from config.kernel.api import (
    AlreadyThere,
    HouseSerializer,
    HouseViewSet,
    QuantitySerializerField,
    ReadViewSet,
    documents,
)
from config.kernel.idempotency import service_key
from config.kernel.policy import ScopedManager
from warehouses.models import LandedCost, LandedCostLine, Warehouse
from warehouses.selectors.as_of import Clock, Worth, WorthRow, stock_as_of_by_sku, stock_as_of_by_warehouse
from warehouses.selectors.value import CostOfGoods, cost_of_goods_by_channel, expensed_landed_costs, worth_rows
from warehouses.services.landed_costs import MAX_NOTE, MAX_RECEIPTS, record_landed_cost

VIEW = "warehouses.view_stockvalue"
PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
MAX_CODES = 200


class Money(serializers.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 28, "decimal_places": 4, **kwargs})


class StockValueRowSerializer(serializers.Serializer):
    sku = serializers.CharField()
    warehouse = serializers.CharField()
    quantity = QuantitySerializerField(max_digits=24)
    value = Money()


@extend_schema_serializer(many=False)
class StockValuePageSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    clock = serializers.ChoiceField(choices=Clock.choices)
    next = serializers.URLField(allow_null=True)
    results = StockValueRowSerializer(many=True)


class WarehouseTotalSerializer(serializers.Serializer):
    warehouse = serializers.CharField()
    quantity = QuantitySerializerField(max_digits=24)
    value = Money()


@extend_schema_serializer(many=False)
class StockValueTotalsSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    clock = serializers.ChoiceField(choices=Clock.choices)
    quantity = QuantitySerializerField(max_digits=24)
    value = Money()
    skus = serializers.IntegerField(help_text="SKUs with stock.")
    warehouses = WarehouseTotalSerializer(many=True)


def _query(name: str, kind: Any, text: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=text, **more)


_SIZE = {"type": "integer", "minimum": 1, "default": PAGE_SIZE}
MOMENT = [
    _query("at", OpenApiTypes.DATETIME, "The moment, itself included, with its zone; now when not named."),
    _query("clock", OpenApiTypes.STR, "By when things happened, or by when they were recorded.", enum=Clock.values),
    _query("warehouse", OpenApiTypes.STR, "Only this warehouse's code, or these by commas."),
    _query("sku", OpenApiTypes.STR, "Only this SKU's code, or these by commas."),
]
PAGE = [
    _query("cursor", OpenApiTypes.STR, "Where the page begins; comes in `next`."),
    _query("page_size", _SIZE, f"At most {MAX_PAGE_SIZE}."),
]
PERIOD = [
    _query("start", OpenApiTypes.DATETIME, "From this moment on.", required=True),
    _query("end", OpenApiTypes.DATETIME, "Until before this moment.", required=True),
]


class StockValueViewSet(HouseViewSet):
    """Quantity and value of SKUs in warehouses at any past moment, by either clock."""

    serializer_class = StockValuePageSerializer
    filter_backends = []
    pagination_class = None
    permission_map: ClassVar = {"list": VIEW, "totals": VIEW}

    @extend_schema(parameters=[*MOMENT, *PAGE], responses=StockValuePageSerializer)
    def list(self, request: Any) -> Response:
        """SKU by SKU and warehouse by warehouse; what lay there in no unit and was worth nothing is left out."""
        asked = _asked(request, [*MOMENT, *PAGE])
        where, size = _where(asked, request.user, self.now), _size(asked)
        rows = list(islice(worth_rows(**where, after=_cursor(asked)), size + 1))
        following = None
        if len(rows) > size:
            last = rows[size - 1]
            following = replace_query_param(
                request.build_absolute_uri(), "cursor", f"{last.sku_id}-{last.warehouse_id}"
            )
        answer = {"at": where["at"], "clock": where["clock"], "next": following, "results": _named(rows[:size])}
        return Response(StockValuePageSerializer(answer).data)

    @extend_schema(parameters=MOMENT, responses=StockValueTotalsSerializer)
    @action(detail=False, methods=["get"])
    def totals(self, request: Any) -> Response:
        """The sums: of everything, and of each warehouse."""
        asked = _asked(request, MOMENT)
        where = _where(asked, request.user, self.now)
        by_warehouse = stock_as_of_by_warehouse(**where)
        codes = dict(Warehouse.objects.values_list("pk", "code"))
        answer = {
            "at": where["at"],
            "clock": where["clock"],
            "quantity": sum((worth.quantity for worth in by_warehouse.values()), Decimal(0)),
            "value": sum((worth.value for worth in by_warehouse.values()), Decimal(0)),
            "skus": len(stock_as_of_by_sku(**where)),
            "warehouses": [_total(codes[pk], worth) for pk, worth in by_warehouse.items()],
        }
        return Response(StockValueTotalsSerializer(answer).data)


class ChannelCostSerializer(serializers.Serializer):
    channel = serializers.CharField()
    sold = Money()
    returned = Money()
    net = Money()


@extend_schema_serializer(many=False)
class CostOfGoodsSerializer(serializers.Serializer):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    expensed = Money(help_text="Landed costs on goods that had left already; they belong to no channel.")
    net = Money(help_text="Of all channels, with what was expensed.")
    channels = ChannelCostSerializer(many=True)


class CostOfGoodsViewSet(HouseViewSet):
    serializer_class = CostOfGoodsSerializer
    filter_backends = []
    pagination_class = None
    permission_map: ClassVar = {"list": VIEW}

    @extend_schema(parameters=PERIOD, responses=CostOfGoodsSerializer)
    def list(self, request: Any) -> Response:
        """Cost of goods sold of a period: what left, less what came back, by channel."""
        asked = _asked(request, PERIOD)
        if missing := [name for name in ("start", "end") if not asked.get(name)]:
            raise ValidationError({name: [_("Name it.")] for name in missing})
        start, end = (_moment(name, asked[name]) for name in ("start", "end"))
        found = cost_of_goods_by_channel(start, end)
        codes = dict(Channel.objects.for_actor(request.user).values_list("pk", "code"))
        expensed = expensed_landed_costs(start, end)
        channels = [_channel_cost(codes[pk], cost) for pk, cost in found.items()]
        answer = {
            "start": start,
            "end": end,
            "expensed": expensed,
            "net": sum((cost.net for cost in found.values()), expensed),
            "channels": sorted(channels, key=lambda row: str(row["channel"])),
        }
        return Response(CostOfGoodsSerializer(answer).data)


class LandedCostLineSerializer(HouseSerializer):
    receipt = serializers.CharField(source="movement.reference", read_only=True)
    sku = serializers.CharField(source="movement.sku.code", read_only=True)
    warehouse = serializers.CharField(source="movement.location.warehouse.code", read_only=True)
    quantity = QuantitySerializerField(source="movement.quantity", read_only=True)

    class Meta:
        model = LandedCostLine
        fields = ("receipt", "sku", "warehouse", "quantity", "amount", "capitalised", "expensed")


class LandedCostSerializer(HouseSerializer):
    receipts = serializers.JSONField(source="references", read_only=True)
    lines = LandedCostLineSerializer(many=True, read_only=True)

    class Meta:
        model = LandedCost
        fields = ("number", "kind", "basis", "amount", "receipts", "note", "happened_at", "lines")


class LandedCostBodySerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=LandedCost.Kind.choices)
    basis = serializers.ChoiceField(choices=LandedCost.Basis.choices, default=LandedCost.Basis.VALUE)
    amount = serializers.DecimalField(max_digits=16, decimal_places=4, help_text="Below zero: a credit.")
    receipts = serializers.ListField(child=serializers.CharField(max_length=80), min_length=1, max_length=MAX_RECEIPTS)
    happened_at = serializers.DateTimeField(required=False, help_text="Now when not named.")
    note = serializers.CharField(max_length=MAX_NOTE, default="", allow_blank=True)


class LandedCostViewSet(ReadViewSet):
    queryset = LandedCost.objects.prefetch_related(
        Prefetch("lines", LandedCostLine.objects.select_related("movement__sku", "movement__location__warehouse"))
    )
    serializer_class = LandedCostSerializer
    lookup_field = lookup_url_kwarg = "number"
    permission_map: ClassVar = {
        "list": "warehouses.view_landedcost",
        "retrieve": "warehouses.view_landedcost",
        "create": "warehouses.add_landedcost",
    }
    filters: ClassVar = {"kind": "kind", "happened_at": ("happened_at", "gte", "lte")}
    ordering_fields: ClassVar = ["happened_at"]

    @documents(LandedCostBodySerializer, LandedCostSerializer)
    def create(self, request: Any) -> Response:
        """Spread a cost over the goods of receipts: what is in stock becomes worth more, the rest is cost of sales."""

        def effect() -> LandedCost | AlreadyThere:
            body, now = self.body(LandedCostBodySerializer), self.now()
            cost, is_new = record_landed_cost(
                kind=body["kind"],
                basis=body["basis"],
                amount=body["amount"],
                references=body["receipts"],
                note=body["note"],
                happened_at=body.get("happened_at") or now,
                key=service_key(request),
                now=now,
                actor=request.user,
            )
            return cost if is_new else AlreadyThere(cost)

        return self.make_once(effect, LandedCostSerializer, where=self.below)


def _asked(request: Any, parameters: list[OpenApiParameter]) -> dict[str, str]:
    known = {parameter.name for parameter in parameters}
    if unknown := sorted(set(request.query_params) - known):
        message = _("There is no such parameter; known are: %s.") % ", ".join(sorted(known))
        raise ValidationError({name: [message] for name in unknown})
    return {name: request.query_params[name] for name in request.query_params}


def _where(asked: dict[str, str], actor: Any, now: Callable[[], datetime]) -> dict[str, Any]:
    """What the selectors take: the moment, the clock, and the ids behind the codes."""
    clock = asked.get("clock") or Clock.HAPPENED.value
    if clock not in Clock.values:
        raise ValidationError({"clock": [_("One of %s.") % ", ".join(Clock.values)]})
    return {
        "at": _moment("at", asked["at"]) if asked.get("at") else now(),
        "clock": clock,
        "sku_ids": _ids("sku", asked.get("sku"), Sku.objects, actor),
        "warehouse_ids": _ids("warehouse", asked.get("warehouse"), Warehouse.objects, actor),
    }


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValidationError({name: [_("A moment such as 2026-03-02T08:15:00Z.")]}) from exc
    if moment.tzinfo is None:
        raise ValidationError({name: [_("A moment needs its zone, such as Z or +08:00.")]})
    return moment


def _ids(name: str, text: str | None, rows: ScopedManager, actor: Any) -> list[int] | None:
    codes = {code.strip() for code in (text or "").replace("\x00", "").split(",") if code.strip()}
    if not codes:
        return None
    if len(codes) > MAX_CODES:
        raise ValidationError({name: [_("At most %d codes.") % MAX_CODES]})
    found = dict(rows.for_actor(actor).filter(code__in=codes).values_list("code", "pk"))
    if unknown := sorted(codes - set(found)):
        raise ValidationError({name: [_("There is no %s.") % ", ".join(unknown)]})
    return list(found.values())


def _size(asked: dict[str, str]) -> int:
    text = asked.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1):
        raise ValidationError({"page_size": [_("A whole number from 1 to %d.") % MAX_PAGE_SIZE]})
    return min(int(text), MAX_PAGE_SIZE)


def _cursor(asked: dict[str, str]) -> tuple[int, int]:
    text = asked.get("cursor")
    if not text:
        return (0, 0)
    parts = text.split("-")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        raise ValidationError({"cursor": [_("This is no cursor of this list; follow `next` as it is.")]})
    return int(parts[0]), int(parts[1])


def _named(rows: list[WorthRow]) -> list[dict[str, Any]]:
    skus = dict(Sku.objects.filter(pk__in={row.sku_id for row in rows}).values_list("pk", "code"))
    warehouses = dict(Warehouse.objects.values_list("pk", "code"))
    return [
        {
            "sku": skus[row.sku_id],
            "warehouse": warehouses[row.warehouse_id],
            "quantity": row.quantity,
            "value": row.value,
        }
        for row in rows
    ]


def _total(code: str, worth: Worth) -> dict[str, Any]:
    return {"warehouse": code, "quantity": worth.quantity, "value": worth.value}


def _channel_cost(code: str, cost: CostOfGoods) -> dict[str, Any]:
    return {"channel": code, "sold": cost.sold, "returned": cost.returned, "net": cost.net}
