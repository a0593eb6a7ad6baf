"""The proposals board: the table of proposals in groups, each with what its order comes to against its limits."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.base import HouseChangeList
from config.kernel.fields import MoneyField, QuantityField
from procurement.models import JointOrder, Proposal, Supplier
from warehouses.models import Warehouse

GROUP = "group"
# What a row is worth, where its band begins: (at least, its name).
VALUE_BANDS = ((5000, _("5,000 and more")), (1000, _("1,000 to 5,000")), (200, _("200 to 1,000")), (0, _("Below 200")))
URGENCIES = (
    _("Runs out before this can arrive"),
    _("Runs out within a week after it arrives"),
    _("Runs out later"),
    _("No run-out in sight"),
)
KINDS = {"supplier": _("Supplier"), "urgency": _("Urgency"), "value": _("Value"), "none": _("Not grouped")}
AMOUNT = F("quantity") * F("unit_cost")


@dataclass(slots=True)
class Group:
    """One heading of the board. Money in `currency`; limits are None where the supplier names none."""

    key: str
    name: str
    lines: int
    value: Decimal
    currency: str = ""
    units: Decimal = Decimal(0)
    link: str = ""
    minimum_value: Decimal | None = None
    free_freight: Decimal | None = None
    litres: Decimal = Decimal(0)
    kg: Decimal = Decimal(0)
    container_litres: Decimal | None = None
    container_kg: Decimal | None = None
    containers: int = 1
    gap: float | None = None
    joint: int | None = None
    joint_url: str = ""
    first: bool = field(default=False)

    @property
    def to_minimum(self) -> Decimal:
        return max((self.minimum_value or Decimal(0)) - self.value, Decimal(0))

    @property
    def to_free_freight(self) -> Decimal:
        return max((self.free_freight or Decimal(0)) - self.value, Decimal(0))

    @property
    def fill(self) -> float | None:
        """How full the containers allowed are, by whichever of volume and weight is scarcer."""
        shares = [
            float(used / (limit * self.containers))
            for used, limit in ((self.litres, self.container_litres), (self.kg, self.container_kg))
            if limit
        ]
        return max(shares) if shares else None


def with_groups(rows: QuerySet[Proposal]) -> QuerySet[Proposal]:
    """Annotates `band` (value) and `urgency`, each a place in its list above."""
    amount = AMOUNT
    bands = [When(_amount__gte=least, then=Value(n)) for n, (least, _name) in enumerate(VALUE_BANDS)]
    week_after = Q(stockout_on__lte=F("need_by") + timedelta(7))
    return rows.alias(_amount=amount).annotate(
        band=Case(*bands, default=Value(len(VALUE_BANDS) - 1)),
        urgency=Case(
            When(stockout_on__lte=F("need_by"), then=Value(0)),
            When(week_after, then=Value(1)),
            When(stockout_on__isnull=False, then=Value(2)),
            default=Value(3),
        ),
    )


def kind_of(request: HttpRequest) -> str:
    asked = request.GET.get(GROUP, "")
    return asked if asked in KINDS else "supplier"


class BoardList(HouseChangeList):
    """Rows come group by group; each knows its group, and the first of a group on the page heads it."""

    result_list: Any

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.kind = kind_of(request)
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != GROUP}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        lead = {
            "supplier": ["supplier__name", "supplier_id", "warehouse__code"],
            "urgency": ["urgency"],
            "value": ["band"],
        }.get(self.kind, [])
        return [*lead, *super().get_ordering(request, queryset)]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        groups = self.groups()
        seen: set[str] = set()
        for row in rows:
            row.group = groups.get(group_key(self.kind, row))
            row.heads = row.group is not None and row.group.key not in seen
            if row.group is not None:
                seen.add(row.group.key)
        self.result_list, self.group_count = rows, len(groups)

    @property
    def kinds(self) -> list[tuple[str, Any, str, bool]]:
        return [(code, name, self.get_query_string({GROUP: code}), code == self.kind) for code, name in KINDS.items()]

    def groups(self) -> dict[str, Group]:
        """Over all rows that the filters leave, not only those of the page; at most four queries."""
        rows = self.queryset.order_by()
        if self.kind == "supplier":
            return _by_supplier(rows)
        if self.kind in ("urgency", "value"):
            field_name, names = ("urgency", URGENCIES) if self.kind == "urgency" else ("band", _band_names())
            found = rows.values(field_name).annotate(**_totals()).order_by(field_name)
            return {
                str(row[field_name]): _plain(str(row[field_name]), str(names[row[field_name]]), row) for row in found
            }
        return {}


def _band_names() -> list[Any]:
    return [name for _least, name in VALUE_BANDS]


def group_key(kind: str, row: Any) -> str:
    if kind == "supplier":
        return f"{row.supplier_id}-{row.warehouse_id}"
    return str({"urgency": row.urgency, "value": row.band}.get(kind, ""))


def _totals() -> dict[str, Any]:
    return {
        "lines": Count("pk"),
        "value": Coalesce(Sum(AMOUNT, output_field=MoneyField()), Decimal(0), output_field=MoneyField()),
        "units": Sum("quantity"),
        "currencies": Count("currency", distinct=True),
        "currency": Max("currency"),
    }


def _plain(key: str, name: str, row: dict[str, Any]) -> Group:
    """A sum of several currencies says no currency."""
    currency = row["currency"] if row["currencies"] == 1 else ""
    return Group(key, name, row["lines"], row["value"], currency, row["units"])


def _by_supplier(rows: QuerySet) -> dict[str, Group]:
    found = rows.values("supplier_id", "warehouse_id").annotate(
        **_totals(),
        litres=Coalesce(_loaded("volume_litres"), Decimal(0), output_field=QuantityField()),
        kg=Coalesce(_loaded("weight_kg"), Decimal(0), output_field=QuantityField()),
        joint=Max("joint_order"),
    )
    found = list(found)
    suppliers: dict[int, Supplier] = Supplier.objects.in_bulk({row["supplier_id"] for row in found})
    places = Warehouse.objects.in_bulk({row["warehouse_id"] for row in found})
    gaps = dict(
        JointOrder.objects.filter(pk__in=[row["joint"] for row in found if row["joint"]]).values_list("pk", "gap")
    )
    groups = {}
    for row in found:
        supplier, place = suppliers[row["supplier_id"]], places[row["warehouse_id"]]
        key = f"{supplier.pk}-{place.pk}"
        group = _plain(key, f"{supplier.name} → {place.code}", row)
        told: dict[str, Any] = {"supplier__id__exact": supplier.pk, "warehouse__id__exact": place.pk, GROUP: "supplier"}
        group.link = f"?{urlencode(told)}"
        group.minimum_value = supplier.minimum_order_value or None
        group.free_freight = supplier.free_freight_from
        group.container_litres, group.container_kg = supplier.container_litres, supplier.container_kg
        group.containers = supplier.containers_at_most
        group.litres, group.kg = row["litres"], row["kg"]
        group.joint, group.gap = row["joint"], gaps.get(row["joint"])
        groups[key] = group
    return groups


def _loaded(field_name: str) -> Sum:
    return Sum(F("quantity") * F(f"sku__{field_name}"), output_field=QuantityField())


def board_url(query: str) -> str:
    """The board with the filters it had; anything that is no query of it leads to the board alone."""
    return reverse("admin:procurement_proposal_changelist") + (query if query.startswith("?") else "")
