"""What is wrong with a call about a task: each check gives its faults, and `refuse` raises them all at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from warehouses.services.stock import is_storable

LEASE_SECONDS = 600
SHORTEST_LEASE, LONGEST_LEASE = 5, 24 * 3600
MOST_CLAIMED = 100
MAX_NOTE = 200


def worker_faults(worker: str) -> list[dict[str, Any]]:
    if worker.strip() and len(worker) <= 64:
        return []
    return [{"field": "worker", "message": _("Name the worker, in at most 64 characters.")}]


def lease_faults(seconds: int) -> list[dict[str, Any]]:
    if SHORTEST_LEASE <= seconds <= LONGEST_LEASE:
        return []
    words = {"least": SHORTEST_LEASE, "most": LONGEST_LEASE}
    return [{"field": "lease_seconds", "message": _("From %(least)d to %(most)d seconds.") % words}]


def note_faults(note: str) -> list[dict[str, Any]]:
    if len(note) <= MAX_NOTE:
        return []
    return [{"field": "note", "message": _("At most %d characters.") % MAX_NOTE}]


def quantity_faults(quantity: Decimal | None) -> list[dict[str, Any]]:
    if quantity is None or (is_storable(quantity) and quantity >= 0):
        return []
    message = _("Not below zero, with at most three digits after the point.")
    return [{"field": "quantity", "message": message}]


def refuse(items: Sequence[dict[str, Any]]) -> None:
    if items:
        raise ValidationFailed(str(items[0]["message"]), items=items)
