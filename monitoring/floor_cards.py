"""The cards of somebody who works in the warehouse: what waits on the floor, each with the way to it."""

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from monitoring.cards import Card
from warehouses.models import CountSheet, SalesOrder, Task, Transfer

_UNDER_WAY = (Transfer.Status.IN_TRANSIT, Transfer.Status.PARTIALLY_RECEIVED)
_TO_COUNT = (CountSheet.Status.OPEN, CountSheet.Status.RECOUNT)


def floor_cards() -> list[Card]:
    return [
        _card(
            _("Orders to send"), _("Reserved, not on the floor yet."), SalesOrder, "status", SalesOrder.Status.RESERVED
        ),
        _card(_("Tasks to do"), _("Nobody has taken them yet."), Task, "state", Task.State.OPEN),
        _card(_("Transfers to take in"), _("On their way between warehouses."), Transfer, "status", *_UNDER_WAY),
        _card(_("Count sheets to count"), _("On paper, or line by line here."), CountSheet, "status", *_TO_COUNT),
    ]


def _card(name: str, note: str, model: type[Model], field: str, *values: str) -> Card:
    """The rows with one of these values, and their list."""
    count = model._default_manager.filter(**{f"{field}__in": values}).count()
    page = reverse(f"admin:warehouses_{model._meta.model_name}_changelist")
    return Card(number_format(count), name, note, f"{page}?{field}__in={','.join(str(value) for value in values)}")
