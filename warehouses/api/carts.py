"""Where a channel holds stock for a shopper's cart."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.kernel.api import (
    AlreadyThere,
    HouseSerializer,
    QuantitySerializerField,
    ReadViewSet,
    documents,
    lines_of,
    named_as,
)
from warehouses.api.stock import view_only
from warehouses.models import Cart, CartLine
from warehouses.services.cart_checks import MAX_LINES, MAX_MINUTES, CartItem
from warehouses.services.carts import hold_cart, release_cart, renew_cart

_NAMES = {"sku_code": "sku", "channel_code": "channel"}
CART_EXAMPLE = OpenApiExample(
    "Two mugs for a quarter of an hour",
    request_only=True,
    value={"channel": "WEB", "external_id": "C-77", "lines": [{"sku": "MUG", "quantity": "2"}], "ttl_minutes": 15},
)


class CartLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = CartLine
        fields = ("line_number", "sku", "quantity", "parts")


class CartSerializer(HouseSerializer):
    channel = serializers.CharField(source="channel.code", read_only=True)
    lines = CartLineSerializer(many=True, read_only=True)

    class Meta:
        model = Cart
        fields = ("id", "channel", "external_id", "state", "expires_at", "created_at", "lines")


class CartItemBodySerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    quantity = QuantitySerializerField()


def _minutes() -> Any:
    return serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=MAX_MINUTES,
        help_text="From now; empty: as the company's stock rules say.",
    )


class CartBodySerializer(serializers.Serializer):
    channel = serializers.CharField(max_length=32)
    external_id = serializers.CharField(max_length=64)
    lines = lines_of(CartItemBodySerializer, at_most=MAX_LINES)
    ttl_minutes = _minutes()


class RenewBodySerializer(serializers.Serializer):
    ttl_minutes = _minutes()


class CartViewSet(ReadViewSet):
    """Stock held for a while. An order that names the cart takes its units over."""

    queryset = Cart.objects.select_related("channel").prefetch_related(
        Prefetch("lines", CartLine.objects.select_related("sku").order_by("line_number"))
    )
    serializer_class = CartSerializer
    permission_map: ClassVar = {
        **view_only("warehouses.view_cart"),
        "create": "warehouses.add_cart",
        "renew": "warehouses.change_cart",
        "release": "warehouses.change_cart",
    }
    filters: ClassVar = {
        "channel": "channel__code",
        "external_id": ("external_id", "exact", "in"),
        "state": ("state", "exact", "in"),
        "expires_at": ("expires_at", "gte", "lte"),
    }
    ordering_fields: ClassVar = ["expires_at"]

    @documents(CartBodySerializer, CartSerializer, examples=[CART_EXAMPLE])
    def create(self, request: Any) -> Response:
        """Hold a cart's stock: all of its lines, or none and a 409 that says what is short by how much.

        The cart again (by channel and number) is answered with 200: the same lines are held longer, others instead.
        """

        def effect() -> Cart | AlreadyThere:
            body = self.body(CartBodySerializer)
            with named_as(_NAMES):
                cart, is_new = hold_cart(
                    channel_code=body["channel"],
                    external_id=body["external_id"],
                    lines=[CartItem(line["sku"], line["quantity"]) for line in body["lines"]],
                    ttl_minutes=body["ttl_minutes"],
                    now=self.now(),
                    actor=request.user,
                )
            document = self.get_queryset().get(pk=cart.pk)
            return document if is_new else AlreadyThere(document)

        return self.make_once(effect, CartSerializer, where=self.below)

    @documents(RenewBodySerializer, CartSerializer, made=200)
    @action(detail=True, methods=["post"])
    def renew(self, request: Any, pk: Any = None) -> Response:
        """Hold it longer, counted from now."""
        cart = self.get_object()

        def effect() -> Cart:
            minutes = self.body(RenewBodySerializer)["ttl_minutes"]
            renew_cart(cart.pk, now=self.now(), ttl_minutes=minutes)
            return self.get_queryset().get(pk=cart.pk)

        return self.make_once(effect, CartSerializer, made=200)

    @documents(None, CartSerializer, made=200)
    @action(detail=True, methods=["post"])
    def release(self, request: Any, pk: Any = None) -> Response:
        """Let its stock go."""
        cart = self.get_object()

        def effect() -> Cart:
            release_cart(cart.pk, now=self.now(), actor=request.user)
            return self.get_queryset().get(pk=cart.pk)

        return self.make_once(effect, CartSerializer, made=200)
