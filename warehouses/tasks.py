"""The warehouses' recurring work."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from warehouses.services import availability, carts, channel_events, count_schedule, expiry, quotas
from warehouses.services.backorders import reserve_backorders as serve_waiting_lines
from warehouses.services.balance_audit import audit_balance_sheets
from warehouses.services.balances import take_missing_sheets
from warehouses.services.reconciler import reconcile


@shared_task(name="warehouses.expire_lots")
def expire_lots() -> dict[str, int]:
    """Stock of lots whose last day is over is blocked; running it twice changes nothing more."""
    return asdict(expiry.expire_lots(now=timezone.now()))


@shared_task(name="warehouses.schedule_counts")
def schedule_counts() -> dict[str, int]:
    """Today's count sheets of every warehouse; running it twice makes them once."""
    return asdict(count_schedule.schedule_counts(now=timezone.now()))


@shared_task(name="warehouses.reserve_backorders")
def reserve_backorders() -> int:
    """Free stock to orders that were busy when it came in; running it twice changes nothing more."""
    return serve_waiting_lines(now=timezone.now())


@shared_task(name="warehouses.expire_carts")
def expire_carts() -> int:
    """Carts whose time is over hold nothing any more; orders that wait get it."""
    return carts.expire_carts(now=timezone.now())


@shared_task(name="warehouses.expire_quotas")
def expire_quotas() -> int:
    """Quotas whose time is over are everybody's stock again."""
    return quotas.expire_quotas(now=timezone.now())


@shared_task(name="warehouses.publish_availability")
def publish_availability() -> dict[str, int]:
    """Channels hear of what changed since the last tick."""
    return asdict(availability.publish_changes(now=timezone.now()))


@shared_task(name="warehouses.publish_all_availability")
def publish_all_availability() -> dict[str, int]:
    """Every listing is compared with what its channel was told: what time or a setting changed is told too."""
    return asdict(availability.publish_all(now=timezone.now()))


@shared_task(name="warehouses.reconcile_stock")
def reconcile_stock() -> dict[str, int]:
    """Compare what was touched since the last run, and the next few SKUs; running it twice changes nothing more."""
    return asdict(reconcile(timezone.now()))


@shared_task(name="warehouses.take_balance_sheets")
def take_balance_sheets() -> int:
    """The sheets of months that ended, where they are missing; then one sheet is compared with the ledger."""
    taken = take_missing_sheets(now=timezone.now())
    audit_balance_sheets(now=timezone.now())
    return taken


@shared_task(name="warehouses.apply_channel_events")
def apply_channel_events() -> int:
    """Events that wait for stock or for another event are tried again; running it twice changes nothing more."""
    return channel_events.apply_waiting_events(now=timezone.now())
