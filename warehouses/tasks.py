"""The warehouses' recurring work."""

from celery import shared_task
from django.utils import timezone

from warehouses.services.reservations import reserve_backorders as serve_waiting_lines


@shared_task(name="warehouses.reserve_backorders")
def reserve_backorders() -> int:
    """Free stock to orders that were busy when it came in; running it twice changes nothing more."""
    return serve_waiting_lines(now=timezone.now())
