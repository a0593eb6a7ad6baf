"""What is to be done on the floor, and by whom."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from warehouses.models import Task, Warehouse

SHOWN = ("warehouse", "sku", "lot", "from_location", "to_location", "claimed_by")


def task_in_hand(worker: Any, *, warehouse: Warehouse | None, now: datetime) -> Task | None:
    """The task this person holds by an unexpired lease, the one claimed first."""
    tasks = Task.objects.filter(claimed_by=worker, state=Task.State.CLAIMED, lease_expires_at__gt=now)
    if warehouse is not None:
        tasks = tasks.filter(warehouse=warehouse)
    return tasks.select_related(*SHOWN).order_by("pk").first()


def ready_counts(warehouse: Warehouse, *, now: datetime) -> dict[str, int]:
    """Kind → tasks that nobody works on."""
    ready = Q(state=Task.State.OPEN) | Q(state=Task.State.CLAIMED, lease_expires_at__lte=now)
    rows = Task.objects.filter(ready, warehouse=warehouse).order_by().values_list("kind").annotate(Count("pk"))
    return dict(rows)
