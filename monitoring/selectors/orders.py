"""Purchase orders that should have arrived, and what lies open on the buyer's table."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, DecimalField, F, Min, Sum
from django.db.models.functions import Coalesce

from procurement.models import Proposal, PurchaseOrder, PurchaseOrderLine
from procurement.models.orders import OUTSTANDING

_MONEY = DecimalField(max_digits=24, decimal_places=4)


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order with units that were expected before today."""

    order_id: int
    number: str
    supplier: str
    warehouse: str
    expected_on: date
    days_late: int
    lines: int
    units: Decimal
    value: Decimal
    currency: str


def late_orders(*, today: date) -> list[LateOrder]:
    """Late orders, the longest overdue first. One query."""
    rows = (
        PurchaseOrderLine.objects.filter(order__status__in=PurchaseOrder.RECEIVABLE)
        .annotate(outstanding=OUTSTANDING, expected=Coalesce("promised_on", "need_by"))
        .filter(outstanding__gt=0, expected__lt=today)
        .values("order_id", "order__number", "order__supplier__name", "order__warehouse__name", "order__currency")
        .annotate(
            first=Min("expected"),
            lines=Count("pk"),
            units=Sum("outstanding"),
            worth=Sum(F("outstanding") * F("unit_cost"), output_field=_MONEY),
        )
        .order_by("first", "order_id")
    )
    return [
        LateOrder(
            order_id=row["order_id"],
            number=row["order__number"],
            supplier=row["order__supplier__name"],
            warehouse=row["order__warehouse__name"],
            expected_on=row["first"],
            days_late=(today - row["first"]).days,
            lines=row["lines"],
            units=row["units"],
            value=row["worth"],
            currency=row["order__currency"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many documents, and their value in each currency."""

    count: int
    values: dict[str, Decimal]


def open_proposals() -> Amounts:
    rows = (
        Proposal.objects.filter(status=Proposal.Status.OPEN)
        .values_list("currency")
        .annotate(n=Count("pk"), worth=Sum(F("quantity") * F("unit_cost"), output_field=_MONEY))
        .order_by("currency")
    )
    return _amounts(rows)


def orders_worth(*statuses: str) -> Amounts:
    """Purchase orders in these states: their number, and the value of what is still to come."""
    rows = (
        PurchaseOrderLine.objects.filter(order__status__in=statuses)
        .annotate(outstanding=OUTSTANDING)
        .values_list("order__currency")
        .annotate(
            n=Count("order_id", distinct=True),
            worth=Sum(F("outstanding") * F("unit_cost"), output_field=_MONEY),
        )
        .order_by("order__currency")
    )
    return _amounts(rows)


def _amounts(rows) -> Amounts:  # type: ignore[no-untyped-def]
    found = list(rows)
    return Amounts(sum(n for _c, n, _v in found), {currency: value for currency, _n, value in found})
