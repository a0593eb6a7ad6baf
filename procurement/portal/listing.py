"""The list of a supplier's orders: filter, search, order. Screen and export read the same query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from procurement.models import PurchaseOrder
from procurement.selectors import orders_found, orders_to_answer, supplier_portal_orders

Orders = QuerySet[PurchaseOrder]
Status = PurchaseOrder.Status

FILTERS: dict[str, tuple[Any, Callable[[Orders], Orders]]] = {
    "open": (pgettext_lazy("state", "Open"), lambda orders: orders.exclude(status__in=PurchaseOrder.DONE)),
    "to_answer": (_("To answer"), orders_to_answer),
    "confirmed": (_("Confirmed"), lambda o: o.filter(status__in=(Status.CONFIRMED, Status.PARTIALLY_RECEIVED))),
    "done": (_("Done"), lambda orders: orders.filter(status__in=PurchaseOrder.DONE)),
    "all": (_("All"), lambda orders: orders),
}
SORTS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "newest": (_("Newest first"), ("-sent_at", "-pk")),
    "oldest": (_("Oldest first"), ("sent_at", "pk")),
    "due": (_("Due first"), (F("due_on").asc(nulls_last=True), "pk")),
    "value": (_("Highest value first"), ("-order_value", "-pk")),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """What the address asks for; what it does not know falls back to the first choice."""

    status: str
    sort: str
    words: str

    @classmethod
    def asked_for(cls, query: Mapping[str, str]) -> "Listing":
        status, sort = query.get("status", ""), query.get("sort", "")
        return cls(
            status=status if status in FILTERS else "open",
            sort=sort if sort in SORTS else "newest",
            words=query.get("q", "").replace("\x00", "").strip()[:100],
        )

    def orders(self, user: Any) -> Orders:
        _label, chosen = FILTERS[self.status]
        found = chosen(supplier_portal_orders(user))
        if self.words:
            found = orders_found(found, self.words)
        _label, order = SORTS[self.sort]
        return found.order_by(*order)
