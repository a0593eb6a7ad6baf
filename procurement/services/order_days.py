"""When a supplier takes orders: days of the week, less the days it is closed."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from procurement.models import SupplierClosure

Span = tuple[date, date]
"""(first, last) day of a closure, both included."""

# Nobody is closed for longer; a calendar without any open day is read as one without limits.
FURTHEST_DAYS = 366


def first_order_day(weekdays: str, closures: Sequence[Span], day: date) -> date:
    """The first day from `day` on at which an order is taken: weekdays "14" on a Tuesday gives the Thursday after."""
    for ahead in range(FURTHEST_DAYS):
        asked = day + timedelta(days=ahead)
        if weekdays and str(asked.isoweekday()) not in weekdays:
            continue
        if not any(first <= asked <= last for first, last in closures):
            return asked
    return day


def review_days_between_orders(review_days: int, weekdays: str, closures: Sequence[Span], today: date) -> int:
    """The longest wait from one order to the next that keeps to the review period and the supplier's days.

    Every 2 days from a supplier that takes orders on Mondays and Thursdays: 4, from Thursday to Monday. It does not
    depend on the day asked, so that levels do not swing through the week; a closure lengthens the wait before it.
    """
    longest = max([review_days, *_gaps(review_days, weekdays)])
    order_day = first_order_day(weekdays, closures, today)
    following = first_order_day(weekdays, closures, order_day + timedelta(days=review_days))
    return max(longest, (following - order_day).days)


def closures_of(supplier_ids: Iterable[int], today: date) -> dict[int, list[Span]]:
    """Supplier id → its closures that are not over; one query."""
    rows = SupplierClosure.objects.filter(supplier__in=set(supplier_ids), ends_on__gte=today)
    found: dict[int, list[Span]] = {}
    for supplier, first, last in rows.order_by("starts_on").values_list("supplier_id", "starts_on", "ends_on"):
        found.setdefault(supplier, []).append((first, last))
    return found


def _gaps(review_days: int, weekdays: str) -> list[int]:
    days = [int(day) for day in weekdays]
    return [review_days + min((other - day - review_days) % 7 for other in days) for day in days]
