"""Count sheets as JSON. A blind sheet that is being counted says nothing of what the books expect."""

from django.utils.translation import gettext as _
from rest_framework import serializers

from config.kernel.api import HouseSerializer, QuantitySerializerField, lines_of
from config.kernel.fields import plain
from warehouses.models import CountLine, CountSheet, StockStatus
from warehouses.services.count_sheets import CLASSES, MOST_LINES


def _codes(most: int) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=most, required=False, default=list
    )


class CountLineSerializer(HouseSerializer):
    sku = serializers.CharField(source="sku.code", read_only=True)
    sku_name = serializers.CharField(source="sku.name", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default=None, allow_null=True)
    counted_by = serializers.CharField(source="counted_by.username", read_only=True, default=None, allow_null=True)
    expected_quantity = serializers.SerializerMethodField(
        help_text="What the books say, when it was counted or else now; null while a blind sheet is being counted."
    )
    variance = serializers.SerializerMethodField(help_text="Counted less expected.")

    class Meta:
        model = CountLine
        fields = (
            "line_number",
            "sku",
            "sku_name",
            "location",
            "lot",
            "status",
            "abc_class",
            "counted_quantity",
            "counted_by",
            "counted_at",
            "needs_recount",
            "first_count",
            "expected_quantity",
            "variance",
            "variance_value",
        )

    def get_expected_quantity(self, line: CountLine) -> str | None:
        return _plain(line.expected)  # type: ignore[attr-defined]

    def get_variance(self, line: CountLine) -> str | None:
        return _plain(line.variance)  # type: ignore[attr-defined]


def _plain(quantity: object) -> str | None:
    return None if quantity is None else plain(quantity)  # type: ignore[arg-type]


class CountSheetRowSerializer(HouseSerializer):
    """A sheet in the list, without its lines."""

    warehouse = serializers.CharField(source="warehouse.code", read_only=True)
    made_by = serializers.CharField(source="actor.username", read_only=True, default=None, allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", read_only=True, default=None, allow_null=True)
    line_count = serializers.IntegerField(read_only=True)
    counted_lines = serializers.IntegerField(read_only=True)

    class Meta:
        model = CountSheet
        fields: tuple[str, ...] = (
            "number",
            "warehouse",
            "status",
            "origin",
            "is_blind",
            "note",
            "made_by",
            "approved_by",
            "created_at",
            "posted_at",
            "line_count",
            "counted_lines",
        )


class CountSheetSerializer(CountSheetRowSerializer):
    lines = CountLineSerializer(source="shown_lines", many=True, read_only=True)

    class Meta(CountSheetRowSerializer.Meta):
        fields: tuple[str, ...] = (*CountSheetRowSerializer.Meta.fields, "lines")


class CountSheetBodySerializer(serializers.Serializer):
    """What to count: all stock of the warehouse, or what lies in some locations (with all that lies within them), or of
    some SKUs; with `due_classes` only what is due of these ABC classes."""

    warehouse = serializers.CharField(max_length=32)
    locations = _codes(200)
    skus = _codes(MOST_LINES)
    due_classes = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES), max_length=len(CLASSES), required=False, default=list
    )
    is_blind = serializers.BooleanField(default=True)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class CountsBodySerializer(serializers.Serializer):
    class LineSerializer(serializers.Serializer):
        line_number = serializers.IntegerField(min_value=1)
        quantity = QuantitySerializerField(help_text="What lies there; 0 when it is empty.")

        class Meta:
            ref_name = "CountEntry"

    lines = lines_of(LineSerializer, at_most=MOST_LINES)

    def validate_lines(self, lines: list[dict]) -> list[dict]:
        numbers = [line["line_number"] for line in lines]
        if len(set(numbers)) < len(numbers):
            raise serializers.ValidationError(_("A line is named twice."))
        return lines


class FoundBodySerializer(serializers.Serializer):
    """Stock that no line of the sheet names; with a quantity it is counted at once."""

    sku = serializers.CharField(max_length=64)
    location = serializers.CharField(max_length=32)
    lot = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    status = serializers.ChoiceField(choices=StockStatus.choices, default=StockStatus.AVAILABLE)
    quantity = QuantitySerializerField(required=False, allow_null=True, default=None)


class RecountBodySerializer(serializers.Serializer):
    """Without lines: those with a large variance."""

    lines = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=MOST_LINES, required=False, default=list
    )


class CountTasksBodySerializer(serializers.Serializer):
    priority = serializers.IntegerField(min_value=0, max_value=32767, default=100)


class AccuracyQuerySerializer(serializers.Serializer):
    warehouse = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class AccuracySerializer(serializers.Serializer):
    """Inventory record accuracy of a warehouse in a period."""

    warehouse = serializers.CharField(source="warehouse.code")
    counted_lines = serializers.IntegerField(source="counted")
    accurate_lines = serializers.IntegerField(source="accurate")
    accuracy = serializers.FloatField(source="share", allow_null=True, help_text="Between 0 and 1.")
