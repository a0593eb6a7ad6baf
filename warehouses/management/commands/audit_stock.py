"""`manage.py audit_stock`: proves that levels, ledger and reservations agree; exits 1 when they do not."""

from typing import Any

from django.core.management.base import BaseCommand

from config.kernel.fields import plain
from warehouses.selectors.stock import drifting_levels, drifting_lines


class Command(BaseCommand):
    help = "Compare every stock level with its movements and reservations. Exit status 1 when any differs."

    def handle(self, *args: Any, **options: Any) -> None:
        levels, lines = drifting_levels(), drifting_lines()
        for row in levels:
            place = f"{row['sku']} at {row['location']}" + (f" lot {row['lot']}" if row["lot"] else "")
            numbers = {name: plain(row[name]) for name in _NUMBERS}  # type: ignore[arg-type]
            self.stdout.write(f"{place}: " + _LEVEL.format(**numbers))
        for row in lines:
            self.stdout.write(
                f"order {row['order_id']} line {row['line_number']} ({row['sku']}): reserved {plain(row['reserved'])}, "  # type: ignore[arg-type]
                f"reservations {plain(row['reservation_quantity'])}"  # type: ignore[arg-type]
            )
        if levels or lines:
            self.stdout.write(f"{len(levels)} levels and {len(lines)} order lines drift.")
            raise SystemExit(1)
        self.stdout.write("Every level equals its ledger and its reservations.")


_NUMBERS = ("on_hand", "ledger_quantity", "reserved", "reservation_quantity")
_LEVEL = "on hand {on_hand}, ledger {ledger_quantity}; reserved {reserved}, reservations {reservation_quantity}"
